#!/bin/bash
# SPDX-License-Identifier: MIT
# Traces of earlier releases (tests/data, never rewritten) read as they did.
# shellcheck source=tests/integration/lib.sh
. "$MT_TOP/tests/integration/lib.sh"

data=$MT_TOP/tests/data

# The same events, and the same summary but for symbols.
reads()
{
	local name=$1 end=$2 totals=$3

	cp "$data/$name.zst" .
	[ ! -f "$data/$name.zst.live.zst" ] ||
		zstd -dq "$data/$name.zst.live.zst" -o "$name.zst.live"
	zstd -tq "$name.zst" || fail "$name: zstd -t fails"
	"$REPORT" events --no-stack "$name.zst" | cmp - "$data/$name.events" ||
		fail "$name: not the events it had"
	[ "$(json "$name.zst" .end)" = "$end" ] ||
		fail "$name: ended by $(json "$name.zst" .end)"
	[ "$(json "$name.zst" '[.totals.allocations, .totals.frees,
		.totals.allocated_bytes, .peak.bytes, .exit.bytes] | @csv')" \
		= "$totals" ] || fail "$name: $(json "$name.zst" .totals)"
}

reads v1.0 exit 50,48,12265,5000,365
reads v1.0-killed killed "$(jq -rn '[50, 25, 19600, 19600, 10000] | @csv')"
