#!/bin/bash
# SPDX-License-Identifier: MIT
# The launcher lists the traces of children, wherever they were started, and
# of nobody else.
# shellcheck source=tests/integration/lib.sh
. "$MT_TOP/tests/integration/lib.sh"

# A trace of another run, which the same pattern matches.
"$LAUNCH" -o 'run.%e.%p.zst' -- ls / >/dev/null 2>other ||
	fail "other: status $?"
mkdir -p elsewhere
"$LAUNCH" -o 'run.%e.%p.zst' -- \
	bash -c 'cd elsewhere && sort /dev/null; uniq /dev/null; exit 3' 2>err
[ $? = 3 ] || fail "not status 3: $(cat err)"
rmdir elsewhere || fail "a trace is in the child's directory"
[ "$(grep -c 'events, none dropped' err)" = 3 ] ||
	fail "not three traces: $(cat err)"
grep '^memtrace: run\.ls\.' err && fail "ls was not of that run"
head -n 1 err | grep -q '^memtrace: run\.bash\.[0-9]*\.zst: ' ||
	fail "bash is not the first: $(cat err)"
tail -n 1 err | grep -q "^memtrace: next: $LAUNCH-report run\.bash\." ||
	fail "no next command: $(cat err)"
own=$(sed -n '1s/^memtrace: \(.*\.zst\): .*/\1/p' err)
sound run.*.zst
for name in sort uniq; do
	is run.$name.*.zst .parent_pid "$(json "$own" .pid)"
done

# What the process became last is what is named: here by exec of exec.
"$LAUNCH" -o 'exec.%e.zst' -- bash -c 'exec env true' 2>err ||
	fail "exec: status $?"
head -n 1 err | grep -q '^memtrace: exec\.true\.zst: ' ||
	fail "true is not the first: $(cat err)"

# A name that is taken gets a number, and the launcher finds that one.
"$LAUNCH" -o same.zst -- ls / >/dev/null 2>err || fail "same: status $?"
"$LAUNCH" -o same.zst -- uniq /dev/null 2>err || fail "same: status $?"
grep -q '^memtrace: same\.1\.zst: ' err || fail "no same.1.zst: $(cat err)"
is same.1.zst '.exe | sub(".*/"; "")' uniq

# follow=off: forks of the program, but nothing that was exec'd.
"$LAUNCH" -o 'only.%e.zst' --follow=off -- bash -c 'ls /; exit 0' \
	>/dev/null 2>err || fail "follow: status $?"
[ -f only.bash.zst ] || fail "no trace of bash: $(cat err)"
[ ! -e only.ls.zst ] || fail "a trace of ls"
