#!/bin/bash
# SPDX-License-Identifier: MIT
# A wrong $MEMTRACE: one line names it and the nearest; it runs, unrecorded.
# shellcheck source=tests/integration/lib.sh
. "$MT_TOP/tests/integration/lib.sh"

# Run with $MEMTRACE as it stands in $1; the one line must hold $2 and $3.
wrong()
{
	LD_PRELOAD=$LIB MEMTRACE=$1 "$HOST/deep" 5 >out 2>err ||
		fail "$1: status $?"
	[ "$(cat out)" = 'done' ] || fail "$1: $(cat out)"
	[ "$(wc -l <err)" = 1 ] || fail "$1: not one line: $(cat err)"
	[[ $(cat err) == "memtrace: "*"$2"*"$3"* ]] || fail "$1: $(cat err)"
	[ -z "$(ls -- *.zst* 2>/dev/null)" ] || fail "$1: recorded"
}

wrong oot=x oot out
wrong out=a.zst,leval=3 leval level
wrong level=x x level
wrong level=100 level 19
wrong size=1000 size 1M
wrong size=-1 size 1M
wrong start=onn onn on
wrong mmap mmap mmap
wrong folow=1 folow follow

# With nobody to hear that line, it is still no SIGPIPE.
mkfifo pipe
{ : <pipe; } &
exec 3>pipe
wait
LD_PRELOAD=$LIB MEMTRACE=oot=x "$HOST/deep" 5 >out 2>&3 ||
	fail "status $? with a broken pipe for stderr"
exec 3>&-
rm -f pipe

# And right ones: the default name, each pattern, live=.
LD_PRELOAD=$LIB "$HOST/deep" 5 >out 2>err
ls memtrace.deep.*.zst >/dev/null || fail "no memtrace.deep.PID.zst"
[ ! -s err ] || fail "says $(cat err)"
rm -f memtrace.*
for _ in 1 2 3; do
	LD_PRELOAD=$LIB MEMTRACE=out=x.%%.%e.%h.zst "$HOST/deep" 5 >out
done
name=x.%.deep.$(uname -n)
[ "$(ls)" = "err
out
$name.1.zst
$name.2.zst
$name.zst" ] || fail "not the names: $(ls)"
sound "$name.zst" "$name.1.zst" "$name.2.zst"
rm -f x.*
LD_PRELOAD=$LIB MEMTRACE=start=off,out=x.zst "$HOST/deep" 5 >out
calls x.zst deep_alloc 0
mkdir live
LD_PRELOAD=$LIB MEMTRACE=live=$PWD/live,out=y.zst "$HOST/ends" kill >out
[ -f live/y.zst.live ] || fail "no live file in live/: $(ls . live)"
"$REPORT" --json y.zst >y.json || fail "y.zst does not read"
