#!/bin/bash
# SPDX-License-Identifier: MIT
# Programs that were written for LSan work unchanged: what they say of their
# blocks holds, and they get the verdict that they ask for.
# shellcheck source=tests/integration/lib.sh
. "$MT_TOP/tests/integration/lib.sh"

program=$HOST/lsan

# Without a recorder the names are not there, and nothing happens.
"$program" leak || fail "status $? without the recorder"

# CASE [off]: print the blocks by kind.
verdict()
{
	rm -f "$1.zst"
	MEMTRACE="out=$1.zst" LD_PRELOAD=$LIB "$program" "$@" >out 2>err ||
		fail "$1: status $?: $(cat out err)"
	[ ! -s err ] || fail "$1: says $(cat err)"
	"$REPORT" leaks --json "$1.zst" >"$1.json" || fail "$1: leaks fails"
	jq -r '[.checked, .definite.blocks, .indirect.blocks,
		.possible.blocks] | map(tostring) | join(" ")' "$1.json"
}

while read -r name want; do
	got=$(verdict "$name") || fail "$got"
	[ "$got" = "$want" ] || fail "$name: $got, not $want:
$("$REPORT" leaks --kind all "$name.zst")"
done <<'END'
leak true 1 2 0
disable true 1 2 0
disable_here true 1 2 0
stay_disabled true 1 2 0
ignore true 1 0 0
region true 1 3 0
region_gone true 1 2 0
END

# Turned off: that is not the same as clean.
got=$(verdict leak off) || fail "$got"
[[ $got == *__lsan_is_turned_off* ]] || fail "turned off: $got"

# A verdict while it runs: of the program `check`, which is beside the library.
running()
{
	rm -f trace.*
	record "$program" "$1" >out 2>err || fail "$1: status $?: $(cat out err)"
	[ ! -s out ] || fail "$1: stdout: $(cat out)"
	grep -o '^[a-z]*: 1 process' err | tr '\n' ' '
}

got=$(running recoverable) || fail "$got"
[ "$got" = 'passed: 1 process breached: 1 process breached: 1 process ' ] ||
	fail "reports: $(cat err)"
t=$(trace) || exit 1
"$REPORT" leaks --json --scan 0 "$t" | jq -e '.definite.blocks == 0 and
	.scan.on_request' >/dev/null || fail "scan 0"
"$REPORT" leaks --json --scan 1 "$t" | jq -e '.definite.blocks == 1' \
	>/dev/null || fail "scan 1"

# Its own suppressions, with what hangs off what they match: while it runs and
# afterwards, beside those of the command line, and for its own leaks only.
got=$(running own) || fail "$got"
[ "$got" = 'passed: 1 process breached: 1 process ' ] ||
	fail "own suppressions: $(cat err)"
mv "$(trace)" own.zst
gives()
{
	local want=$1 status

	shift
	"$REPORT" check --json "$@" >check.json 2>err
	status=$?
	[ $status = "$want" ] || fail "check $*: $status: $(cat check.json err)"
}
gives 3 own.zst
jq -e '.leak_blocks == 3 and ([.leaks[].function] == ["list"]) and
	(.suppressions | length == 1) and .suppressions[0].blocks == 4' \
	check.json >/dev/null || fail "own suppressions: $(cat check.json)"
echo leak:^leak$ >leak.supp
gives 0 --suppressions leak.supp own.zst
gives 3 own.zst leak.zst
"$REPORT" check leak.zst | grep -q suppression &&
	fail "a rule that the program brings is called unused"

# Of a program that brings rules which are none, nothing is judged.
sed 's/leak:suppressed_by_pro/laek:suppressed_by_pro/' "$program" >wrong
chmod +x wrong
program=$PWD/wrong verdict leak >/dev/null || fail "wrong rules: no trace"
gives 1 leak.zst
grep -q 'leak.zst: __lsan_default_suppressions(): line 1: leak:PATTERN' err ||
	fail "wrong rules: $(cat err)"

# Turned off at the end: not judged, which is no pass.
verdict leak off >/dev/null || fail "off: no trace"
gives 4 leak.zst
jq -e '.cases[] | select(.rule == "leaks") | .outcome == "vacuous" and
	.found == "not checked: it turned that off (__lsan_is_turned_off)"' \
	check.json >/dev/null || fail "turned off: $(cat check.json)"

# The end that it asks for: with the status of its options, or of ours.
status_of()
{
	rm -f trace.*
	(become_recorded "$program" fatal >out 2>err)
	echo $?
}
[ "$(status_of)" = 42 ] || fail "__lsan_default_options: $(cat out err)"
[ "$(cat out)" = buffered ] || fail "stdout is lost: $(cat out)"
export LSAN_OPTIONS=verbosity=0:exitcode=7
[ "$(status_of)" = 7 ] || fail "LSAN_OPTIONS: $(cat out err)"
export LSAN_OPTIONS=exitcode=0
[ "$(status_of)" = 0 ] || fail "exitcode=0"
[ "$(cat out)" = 'bufferednot reached' ] || fail "exitcode=0: $(cat out)"
mkdir 'a dir'
cp leak.supp 'a dir'
for options in suppressions=leak.supp:exitcode=7 \
	"exitcode=7 suppressions='a dir/leak.supp'"; do
	export LSAN_OPTIONS=$options
	[ "$(status_of)" = 0 ] || fail "$options: $(cat err)"
	[ "$(grep -c '^passed' err)" = 2 ] || fail "$options: $(cat err)"
done

# What gives no verdict: rules that cannot be read. The program goes on.
export LSAN_OPTIONS=suppressions=missing
[ "$(status_of)" = 0 ] || fail "no rules: $(cat err)"
grep -q '^memtrace: no verdict' err || fail "no rules: $(cat err)"

# Without a judge: no verdict, which is said, and the program goes on.
unset LSAN_OPTIONS
export MEMTRACE_REPORT=/nonexistent
[ "$(status_of)" = 0 ] || fail "no judge: $(cat err)"
[ "$(grep -c '^memtrace: no verdict' err)" = 1 ] || fail "no judge: $(cat err)"
"$REPORT" "$(trace)" | grep -q 'no verdict' || fail "the report does not say"
