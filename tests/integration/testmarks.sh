#!/bin/bash
# SPDX-License-Identifier: MIT
# A test runner that says which test runs: check names the tests that a leak is
# from, and takes what each run of a test keeps, beyond the first, for a leak.
# shellcheck source=tests/integration/lib.sh
. "$MT_TOP/tests/integration/lib.sh"

# Record N runs of each test; check them with the options behind.
gives()
{
	local want=$1 runs=$2 got

	shift 2
	rm -f trace.*
	record "$HOST/testmarks" "$runs" >out || fail "status $?"
	"$REPORT" check "$@" trace.*.zst >text 2>err
	got=$?
	[ $got = "$want" ] || fail "$runs $*: status $got: $(cat text err)"
	"$REPORT" check --json "$@" trace.*.zst >json
}

# Print the leaks that count: function, blocks, tests, runs.
leaks()
{
	jq -r '.leaks[] | select(.state == "new") |
		"\(.function) \(.blocks) \(.kind) \(.tests) \(.runs)"' json |
		sort
}

# Expect these leaks.
found()
{
	leaks | diff - <(printf '%s\n' "$@") || fail "not the leaks: $(cat json)"
}

both "$HOST/testmarks" 1
gives 3 1
found 'lose 1 definite loses 0'
grep -q 'loses' text || fail "the test is not named: $(cat text)"
# From the first to the second run a cache may fill itself.
gives 3 2
found 'lose 2 definite loses 0'
# From the second to the third it has to stand still.
gives 3 3
found 'add_to_list 2 reachable keeps 3' 'lose 3 definite loses 0'
grep -q 'keeps.*3 runs' text || fail "growth is not told: $(cat text)"
gives 3 5
found 'add_to_list 4 reachable keeps 5' 'lose 5 definite loses 0'
# It is a leak as any other: limits, and where it is from.
gives 0 3 --max-leak-blocks 5
gives 3 3 --max-leak-blocks 4
gives 0 3 --only-from 'none of ours'
gives 0 3 --leaks none --max-peak 1M
echo 'leak:add_to_list' >supp.txt
gives 3 3 --suppressions supp.txt
found 'lose 3 definite loses 0'
gives 0 3 --update-baseline known.txt
gives 0 3 --baseline known.txt
gives 3 4 --baseline known.txt
jq -e '.leaks[] | select(.function == "add_to_list" and .state == "grown")' \
	json >/dev/null || fail "not grown beyond the baseline: $(cat json)"
gives 3 3 --junit junit.xml
grep -q 'in keeps' junit.xml || fail "no test in JUnit: $(cat junit.xml)"

# A child's leaks are of the test that forked it, or of its own.
gives 3 forks
want=$(printf '%s\n' 'lose 1 definite inner 0' \
	'lose_in_child 1 definite forks 0' 'lose_in_child 1 definite forks 0')
[ "$(leaks)" = "$want" ] || fail "forks: $(cat json)"
mkdir moved
mv trace.*.zst moved
"$REPORT" check --json moved >json
[ "$(leaks)" = "$want" ] ||
	fail "moved: $(cat json)"

# The marks are in the timeline.
record "$HOST/testmarks" 3 >out || fail "status $?"
"$REPORT" timeline --json trace.*.zst | jq -c '[.marks[] |
	select(.mark == "test") | .name] | unique' >tests
[ "$(cat tests)" = '["clean","keeps","loses","replaces"]' ] ||
	fail "timeline: $(cat tests)"
