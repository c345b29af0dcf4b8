#!/bin/bash
# SPDX-License-Identifier: MIT
# What `export` writes to a file is there whole or not at all: not on a full
# disk, and the file that was there before stays. A full or closed stdout is an
# error. What is no file, a device or a pipe, is written to and not replaced.
# shellcheck source=tests/integration/lib.sh
. "$MT_TOP/tests/integration/lib.sh"

record "$MT_BUILD/examples/cache" >/dev/null || fail "cache: status $?"
t=$(trace)
trap '' XFSZ

# Check that nothing but the trace, the files of this case and $2 is there.
nothing_left()
{
	local there

	there=$(find . -type f ! -name "$t" ! -name err ! -name out)
	[ "$there" = "$2" ] || fail "$1: left $there"
}

for format in callgrind chrome dhat folded heaptrack massif openmetrics \
	pprof prometheus speedscope sqlite svg; do
	for kib in 0 1; do
		[ $kib = 1 ] && [ $format = folded ] && continue
		said=$(ulimit -f $kib
			"$REPORT" export -f $format -o made "$t" 2>&1) &&
			fail "$format: no error on a full disk"
		[[ $said == *"cannot write made: "* ]] ||
			fail "$format: full disk: $said"
		nothing_left "$format, $kib KiB" ''
	done
	echo before >made
	said=$(ulimit -f 0
		"$REPORT" export -f $format -o made "$t" 2>&1) &&
		fail "$format: no error on a full disk, over a file"
	nothing_left "$format" ./made
	[ "$(cat made)" = before ] || fail "$format: the file before is gone"
	rm made
	[ $format = sqlite ] && continue

	"$REPORT" export -f $format "$t" >/dev/full 2>err &&
		fail "$format: no error from a full stdout"
	[ "$(cat err)" = 'memtrace-report: stdout: No space left on device' ] ||
		fail "$format: full stdout: $(cat err)"
	(
		trap '' PIPE
		sleep 0.1
		"$REPORT" export -f $format "$t" 2>err
		echo $? >out
	) | true
	[ "$(cat out)" = 1 ] || fail "$format: closed pipe: status $(cat out)"
	[ ! -s err ] || fail "$format: closed pipe: $(cat err)"

	mkfifo pipe
	timeout 20 cat pipe >out &
	"$REPORT" export -f $format -o pipe "$t" 2>err ||
		fail "$format: pipe: $(cat err)"
	wait
	[ -p pipe ] || fail "$format: the pipe was replaced"
	"$REPORT" export -f $format "$t" | cmp - out ||
		fail "$format: not the same through a pipe"
	rm pipe
done

"$REPORT" export -f sqlite -o /dev/null "$t" 2>err && fail "sqlite to a device"
grep -q 'sqlite cannot be written to /dev/null: say -o FILE' err ||
	fail "sqlite to a device: $(cat err)"
[ -c /dev/null ] || fail "/dev/null was replaced"
mkdir made
"$REPORT" export -f folded -o made "$t" 2>err && fail "wrote a directory"
[ "$(cat err)" = "memtrace-report: $t: cannot write made: Is a directory" ] ||
	fail "directory: $(cat err)"
"$REPORT" export -f folded -o made/no/such "$t" 2>err && fail "no directory"
grep -q 'cannot write made/no/such: No such file or directory' err ||
	fail "no directory: $(cat err)"
nothing_left end ''
