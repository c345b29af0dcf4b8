#!/bin/bash
# SPDX-License-Identifier: MIT
# CTest: a launcher of tests fails the test that leaks and no other, and
# ctest -T memcheck counts what it lost.
# shellcheck source=tests/ci/lib.sh
. "$MT_TOP/tests/ci/lib.sh"

write_tests
cat >CMakeLists.txt <<'END'
cmake_minimum_required(VERSION 3.16)
project(suite C)
include(CTest)
foreach(name leaky tidy)
  add_executable(${name} ${name}.c)
  add_test(NAME ${name} COMMAND ${name})
endforeach()
END

# From 3.29 on there is a variable for this, and the one before is to be
# for cross compilation only.
launcher=CMAKE_CROSSCOMPILING_EMULATOR
cmake --version | head -n 1 | grep -qE ' (3\.(29|[3-9].)|[4-9])' &&
	launcher=CMAKE_TEST_LAUNCHER

# Configure and build in a directory: set_up DIR OPTION...
set_up()
{
	cmake -DCMAKE_BUILD_TYPE=RelWithDebInfo -S . -B "$@" >setup.log 2>&1 ||
		fail "$(cat setup.log)"
	cmake --build "$1" >build.log 2>&1 || fail "$(cat build.log)"
}

# Print a test's result, or with `output` all that it printed.
of()
{
	python3 - "$@" <<-'END'
		import sys, xml.etree.ElementTree as tree
		case = tree.parse(sys.argv[1]).find(
		    f"testcase[@name='{sys.argv[2]}']")
		print(case.get("status") if sys.argv[3] == "result"
		      else case.find("system-out").text)
	END
}

set_up plain
ctest --test-dir plain --output-junit plain.xml >plain.log ||
	fail "without: $(cat plain.log)"
set_up gated "-D$launcher=memtrace;--check"
ctest --test-dir gated --output-junit gated.xml >gated.log &&
	fail "passes: $(cat gated.log)"
gated=gated/gated.xml
[ -f $gated ] || gated=gated.xml
plain=${gated//gated/plain}
[ "$(of $gated tidy result)" = run ] || fail "tidy: $(cat gated.log)"
[ "$(of $gated leaky result)" = fail ] || fail "leaky: $(cat gated.log)"
[ "$(of $gated tidy output)" = "$(of $plain tidy output)" ] ||
	fail "tidy prints otherwise: $(of $gated tidy output)"
[[ $(of $gated leaky output) == *lose_it* ]] || fail "leaky: $(cat gated.log)"

# LSAN_OPTIONS by hand: where the report goes, and the status.
LSAN_OPTIONS=log_path=lsan:exitcode=23 memtrace --check gated/leaky >out 2>err
[ $? = 23 ] || fail "exitcode is not kept"
grep -qx 'Direct leak of 300 byte(s) in 3 object(s) allocated from:' lsan.* ||
	fail "log_path: $(cat lsan.* err)"
grep -qE '^    #[0-9]+ 0x[0-9a-f]+ in lose_it .*leaky\.c:[0-9]+' lsan.* ||
	fail "log_path: no stack: $(cat lsan.*)"
echo 'leak:lose_it' >supp.txt
LSAN_OPTIONS="suppressions='$PWD/supp.txt'" memtrace --check gated/leaky \
	>out 2>err || fail "suppressions: $(cat err)"
[ "$(cat err)" = 'leaky: err' ] || fail "suppressions: says $(cat err)"

# As a dashboard does it.
set_up memcheck "-D$launcher=memtrace;--check" \
	-DMEMORYCHECK_TYPE=LeakSanitizer
(cd memcheck && ctest -T memcheck) >memcheck.log 2>&1 &&
	fail "memcheck passes: $(cat memcheck.log)"
sed -n '/^Memory checking results/,$p' memcheck.log >counts
grep -qE 'Direct leak - 1$' counts || fail "not counted: $(cat memcheck.log)"
xml=$(echo memcheck/Testing/*-*/DynamicAnalysis.xml)
grep -q '<Defect type="Direct leak">1<' "$xml" || fail "$(cat "$xml")"
