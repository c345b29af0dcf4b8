#!/bin/bash
# SPDX-License-Identifier: MIT
# A handler jumps out of hooks: nothing is stuck, what follows is recorded.
# shellcheck source=tests/integration/lib.sh
. "$MT_TOP/tests/integration/lib.sh"

PRELOAD=$HOST/libsafealloc.so
for _ in 1 2 3; do
	rm -f trace.*
	both "$HOST/jumps" counts
	t=$(trace) || exit 1
	sound "$t"
	read -r begun returned <counts
	((begun > 10000)) || fail "only $begun allocations"
	# The first one after the last jump may find the recorder as in a hook.
	after=$(json "$t" '[.sites[] | select(.function == "after_alloc")
		| .allocations] | add // 0')
	((after >= 49999)) || fail "$after of 50000 allocations afterwards"
	json "$t" '[([.sites[] | select(.function == "jumped_alloc")
		| .allocations] | add // 0), .lost.events, .lost.stacks]
		| @tsv' >found
	read -r calls events stacks <found
	((calls <= begun)) || fail "$calls of $begun allocations"
	((calls + events + stacks >= returned)) ||
		fail "$returned came back, there are $(cat found)"
done
