#!/bin/bash
# SPDX-License-Identifier: MIT
# The canary: it finds what it planted, and it fails, loudly, wherever that
# could not be found or would have been found anyway.
# shellcheck source=tests/integration/lib.sh
. "$MT_TOP/tests/integration/lib.sh"

sanitized && exit 0 # the launcher is its own program under test
export TMPDIR=$PWD/tmp
mkdir "$TMPDIR"

# Expect a status, and text on stderr: gives STATUS TEXT COMMAND...
gives()
{
	local want=$1 text=$2 got

	shift 2
	"$@" selftest >out 2>err
	got=$?
	[ $got = "$want" ] || fail "$*: status $got, not $want: $(cat out err)"
	if [ "$want" = 0 ]; then
		[ "$(wc -l <out)" = 1 ] || fail "$*: says $(cat out)"
		[ ! -s err ] || fail "$*: complains: $(cat err)"
	else
		[ ! -s out ] || fail "$*: says $(cat out)"
		grep -q 'SELFTEST FAILED' err || fail "$*: silent: $(cat err)"
		grep -q -- "$text" err || fail "$*: not '$text': $(cat err)"
	fi
	[ -z "$(ls -A "$TMPDIR")" ] || fail "$*: left $(ls "$TMPDIR")"
}

gives 0 '' "$LAUNCH"
grep -q '8 lost blocks' out || fail "says $(cat out)"
gives 0 '' "$HOST/forbids" ptrace "$LAUNCH"
gives 0 '' env LSAN_OPTIONS=exitcode=0 "$LAUNCH"
gives 4 'not checked' "$HOST/forbids" scan "$LAUNCH"
gives 4 'leaks=' env MEMTRACE=leaks=0 "$LAUNCH"
gives 4 'left no trace' env MEMTRACE=start=off,level=x "$LAUNCH"
gives 4 'TMPDIR' env TMPDIR=/nowhere "$LAUNCH"

# Where the recorder is not, or is no library; or the report is not.
mkdir bin
cp "$LAUNCH" "$REPORT" bin
gives 4 'not loaded' bin/memtrace
grep -q 'libmemtrace.so' err || fail "the library is not named: $(cat err)"
echo garbage >bin/libmemtrace.so
gives 4 'not loaded' bin/memtrace
cp "$LIB" bin
gives 0 '' bin/memtrace
rm bin/memtrace-report
gives 4 'memtrace-report: No such file' env PATH=/nowhere "$PWD/bin/memtrace"

# A report that finds nothing, one that always does, one that never counts.
# $1: the body of a script.
fake()
{
	printf '#!/bin/sh\n%s\n' "$1" >bin/memtrace-report
	chmod +x bin/memtrace-report
}
fake 'exit 0'
gives 3 'a planted leak was not found' bin/memtrace
fake 'exit 3'
gives 3 'not lost are called lost' bin/memtrace
# shellcheck disable=SC2016
fake 'case $* in *blocks=0*) exit 0 ;; esac; exit 3'
gives 3 'more is called lost' bin/memtrace
fake 'kill -SEGV $$'
gives 4 'ended with 139' bin/memtrace
exit 0
