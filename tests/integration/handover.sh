#!/bin/bash
# SPDX-License-Identifier: MIT
# A thread that gets an address again after another thread freed the block:
# both allocations are events, with every allocator.
# shellcheck source=tests/integration/lib.sh
. "$MT_TOP/tests/integration/lib.sh"

check()
{
	local t

	both "$HOST/handover"
	t=$(trace) || exit 1
	sound "$t"
	lossless "$t"
	for give in malloc calloc realloc aligned; do
		calls "$t" "give_$give" 2000
	done
	rm -f trace.*
}

# In glibc the address does come again: else the case shows nothing.
HANDOVER_AGAIN=1 check
PRELOAD=libjemalloc.so.2 check
PRELOAD=libtcmalloc_minimal.so.4 check
PRELOAD=$HOST/libsafealloc.so check
