#!/bin/bash
# SPDX-License-Identifier: MIT
# Handlers allocate in the middle of hooks: each event is there or counted.
# shellcheck source=tests/integration/lib.sh
. "$MT_TOP/tests/integration/lib.sh"

PRELOAD=$HOST/libsafealloc.so
both "$HOST/signals" counts
t=$(trace) || exit 1
sound "$t"
read -r looped handled <counts
[ "$handled" -ge 300 ] || fail "only $handled allocations in handlers"
# An event without a stack is at no function: those are counted, too.
json "$t" '[(.sites[] | select(.function == "loop_alloc") | .allocations),
	(.sites[] | select(.function == "handler_alloc") | .allocations),
	.lost.events, .lost.stacks] | @tsv' >found
read -r loop handler events stacks <found
((loop <= looped && handler <= handled)) || fail "more than there were"
((looped + handled - loop - handler <= events + stacks)) ||
	fail "$looped and $handled allocations, but $(cat found)"
((events + stacks <= handled * 2)) || fail "too many lost: $(cat found)"
