#!/bin/bash
# SPDX-License-Identifier: MIT
# The workflows of examples/ci: each step's commands are run as they stand, on
# a project with a leak and on one without; those that install memtrace are
# only looked at.
# shellcheck source=tests/ci/lib.sh
. "$MT_TOP/tests/ci/lib.sh"

# Write the steps of a workflow as NUMBER.sh; what installs as install.sh.
take_apart()
{
	python3 - "$MT_TOP/examples/ci/$1.yml" "$PWD/project" <<-'END'
		import sys, yaml
		path, workspace = sys.argv[1:]
		with open(path) as file:
		    text = yaml.safe_load(file)
		job = text["jobs"]["leaks"] if "jobs" in text else text["leaks"]
		if "steps" in job:
		    steps = [s for s in job["steps"] if "run" in s]
		    runs = [(s["run"], s.get("if")) for s in steps]
		    out = job["env"]["MEMTRACE"]
		    out = out.replace("${{ github.workspace }}", workspace)
		else:
		    before = job["before_script"]
		    runs = [("\n".join(before[:-1]), None), (before[-1], None)]
		    runs += [(run, None) for run in job["script"]]
		    out = job["variables"]["MEMTRACE"]
		    out = out.replace("$CI_PROJECT_DIR", workspace)
		assert "$" not in out, out
		open("install.sh", "w").write(runs[0][0])
		for n, (run, when) in enumerate(runs[1:]):
		    assert when in (None, "failure()"), when
		    kind = "failure" if when else "step"
		    open(f"{kind}.{n}.sh", "w").write(run + "\n")
		open("memtrace.env", "w").write(out)
	END
}

# Run the steps in project/, as a runner does: up to the first that fails, and
# then those for that. The status is the first one's.
run_steps()
{
	local step after status=0

	for step in step.*.sh; do
		(cd project && MEMTRACE=$(cat ../memtrace.env) bash -e "../$step")
		status=$?
		[ $status = 0 ] || break
	done
	[ $status = 0 ] && return
	for after in failure.*.sh; do
		[ -f "$after" ] || continue
		(cd project && MEMTRACE=$(cat ../memtrace.env) bash -e "../$after")
		echo "$after: $?"
	done
	echo "failed: $(cat "$step")"
	return $status
}

# Make a project of these tests.
make_project()
{
	rm -rf project
	mkdir project
	cd project || exit 2
	write_tests
	cat >CMakeLists.txt <<-END
		cmake_minimum_required(VERSION 3.16)
		project(suite C)
		enable_testing()
		foreach(name $*)
		  add_executable(\${name} \${name}.c)
		  add_test(NAME \${name} COMMAND \${name})
		endforeach()
	END
	cd ..
}

for workflow in github gitlab; do
	rm -f ./*.sh memtrace.env
	take_apart $workflow || fail "$workflow is not understood"
	[ "$(cat step.*.sh | wc -l)" -ge 5 ] || fail "$workflow: $(cat step.*)"
	bash -n install.sh || fail "$workflow: install: $(cat install.sh)"
	for word in '^memtrace/\.ci/setup build$' '^make -C memtrace install$'; do
		grep -q "$word" install.sh || fail "$workflow: $(cat install.sh)"
	done
	make_project tidy
	run_steps >log 2>&1 || fail "$workflow: no leak, but: $(cat log)"
	ls project/traces/tidy.*.zst >/dev/null || fail "$workflow: no traces"
	make_project tidy leaky
	run_steps >log 2>&1 && fail "$workflow: a leak, but: $(cat log)"
	grep -q '^failed: ctest' log || fail "$workflow: not ctest: $(cat log)"
	grep -q lose_it log || fail "$workflow: where is not said: $(cat log)"
	[ $workflow != github ] || grep -q '^failure\..*: 3$' log ||
		fail "$workflow: no verdict behind: $(cat log)"
done
nothing_left

# What is said of other runners is what the other cases here run.
for runner in "meson test -C build --wrapper 'memtrace --check'" \
	"make check LOG_COMPILER='memtrace --check'"; do
	for place in "$MT_TOP/examples/ci/github.yml" "$MT_TOP"/tests/ci; do
		grep -rqF -- "$runner" "$place" || fail "$runner: not in $place"
	done
done
