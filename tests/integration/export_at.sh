#!/bin/bash
# SPDX-License-Identifier: MIT
# What --at asks for is what the formats of one sum have in all, as the report
# has it: all of a run, a window of it, and a selection.
# shellcheck source=tests/integration/lib.sh
. "$MT_TOP/tests/integration/lib.sh"

record "$MT_BUILD/examples/growth" >/dev/null || fail "growth: status $?"
record "$MT_BUILD/examples/temporary" >/dev/null || fail "temporary: status $?"

# Check the sums against what the report says with the same options.
agree()
{
	local at figure want got

	"$REPORT" --json "$@" "$t" >report.json || fail "$*: status $?"
	while read -r at figure; do
		want=$(jq "$figure" report.json)
		got=$("$REPORT" export -f folded --at "$at" "$@" "$t" |
			awk '{ n += $NF } END { printf "%d", n }')
		[ "$got" = "$want" ] || fail "$t $* --at $at: $got, not $want"
		got=$("$REPORT" export -f speedscope --at "$at" "$@" "$t" |
			jq '.profiles[.activeProfileIndex] |
			[.endValue, (.weights | add // 0)] | unique[]')
		[ "$got" = "$want" ] ||
			fail "$t $* --at $at: speedscope: $got, not $want"
		grep -qx "$at" seen || [ "$want" = 0 ] || echo "$at" >>seen
	done <<-'WANT'
		peak .peak.bytes
		exit .exit.bytes
		total .totals.allocated_bytes
		churn .totals.allocated_bytes-.exit.bytes
		temporary .totals.temporary
	WANT
}

: >seen
for t in trace.*.zst; do
	agree
	agree --size 16:512
	agree --to "$(json "$t" '"\(.duration_ns / 2 | floor)ns"')"
done
[ "$(wc -l <seen)" = 5 ] || fail "only of $(paste -sd ' ' seen) there was some"

"$REPORT" export -f svg --at churn trace.growth.*.zst |
	grep -qF "allocated and freed again, " || fail "svg: not of churn"
"$REPORT" export -f folded --at churn \
	"$MT_TOP/tests/data/import/massif.out" 2>err && fail "massif.out: churn"
grep -q 'does not know: allocated and freed again' err || fail "$(cat err)"
