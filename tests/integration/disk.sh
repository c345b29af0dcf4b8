#!/bin/bash
# SPDX-License-Identifier: MIT
# A full disk and a read-only one: the program runs on, one line says so.
# shellcheck source=tests/integration/lib.sh
. "$MT_TOP/tests/integration/lib.sh"

# Mount in a mount namespace of our own; users other than root need another.
if [ -z "${IN_NAMESPACE:-}" ]; then
	export IN_NAMESPACE=1
	unshare -m true 2>/dev/null && exec unshare -m bash "$0"
	exec unshare -rm bash "$0"
fi

mkdir small
mount -t tmpfs -o size=1m tmpfs small || fail "no tmpfs"

# Full from the start, and filling up as it goes.
for fill in 1020 1000 900 700 400 0; do
	rm -f small/*
	[ $fill = 0 ] || head -c ${fill}K /dev/zero >small/fill
	cd small || exit 1
	record "$HOST/limits" none >../with.out 2>../with.err ||
		fail "$fill: status $?"
	cd ..
	[ "$(cat with.out)" = 'done' ] || fail "$fill: $(cat with.out)"
	[ "$(wc -l <with.err)" -le 1 ] || fail "$fill: $(cat with.err)"
	for t in small/trace.*.zst; do
		[ -f "$t" ] || continue
		cp "$t" .
		[ ! -f "$t.live" ] || cp "$t.live" .
		t=${t##*/}
		sound "$t"
		((calls = $(json "$t" '[.sites[]
			| select(.function == "limit_alloc")
			| .allocations] | add // 0')))
		((lost = $(json "$t" .lost.events)))
		((calls + lost >= 400001)) ||
			fail "$fill: $calls allocations, $lost events lost: $(cat with.err)"
		((lost == 0)) || [ -s with.err ] || fail "$fill: not a word"
		rm -f "$t"*
	done
done

mount -o remount,bind,ro small || fail "no read-only mount"
cd small || exit 1
record "$HOST/deep" 5 >../with.out 2>../with.err || fail "read-only: $?"
cd ..
[ "$(cat with.out)" = 'done' ] || fail "read-only: $(cat with.out)"
[ "$(wc -l <with.err)" = 1 ] || fail "read-only: not one line: $(cat with.err)"

# Nor is there a way into these.
for out in /nonexistent/trace.zst /dev/null/trace.zst "$PWD/" /proc/trace.zst; do
	OPTIONS=out=$out
	both_said "$HOST/deep" 5
	[ -s with.err ] || fail "$out: not a word"
done
umount small
