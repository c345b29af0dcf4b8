#!/bin/bash
# SPDX-License-Identifier: MIT
# Resource limits set by the program or its shell: it runs on unharmed.
# shellcheck source=tests/integration/lib.sh
. "$MT_TOP/tests/integration/lib.sh"

# With what it may lack of, the recorder loses events, but counts them.
counted()
{
	local t calls lost

	t=$(trace) || exit 1
	sound "$t"
	calls=$(json "$t" '[.sites[] | select(.function == "limit_alloc")
		| .allocations] | add // 0')
	lost=$(json "$t" .lost.events)
	((calls <= 400002)) || fail "$1: $calls allocations"
	((calls + lost >= 400001)) ||
		fail "$1: $calls allocations and $lost events lost"
	((lost == 0)) || [ "$2" = lossy ] || fail "$1: $lost events lost"
	rm -f trace.*
}

both "$HOST/limits" none
counted none exact
both "$HOST/limits" nofile
counted nofile exact
both "$HOST/limits" stack
counted stack exact
both_said "$HOST/limits" as
counted as lossy
both_said "$HOST/limits" fsize
counted fsize lossy
both_said "$HOST/limits" fsize0
counted fsize0 lossy

# From the start: no trace may be possible, the program must be.
for limit in '-n 4' '-n 5' '-f 0' '-f 8' '-v 100000' '-v 20000' '-s unlimited'; do
	rm -f trace.*
	both_said bash -o pipefail -c "(ulimit $limit; exec $HOST/deep 10) | cat"
	grep -q 'done' with.out || [ "$limit" = '-v 20000' ] ||
		fail "$limit: the test itself is wrong"
	for t in trace.deep.*.zst; do
		[ ! -f "$t" ] || sound "$t"
	done
done
