#!/bin/bash
# SPDX-License-Identifier: MIT
# The trace events are as their format says: counters in the order of time
# whose maximum is the JSON's peak and whose last is its end, a slice for each
# thread whose sums are the totals.
# shellcheck source=tests/integration/lib.sh
. "$MT_TOP/tests/integration/lib.sh"

# Check that a jq expression about the exported file is true.
holds()
{
	jq -e "$1" c.json >/dev/null || fail "not so: $1"
}

record "$MT_BUILD/examples/threads" >/dev/null || fail "no recording"
t=$(trace)
"$REPORT" export -f chrome -o c.json "$t" 2>err || fail "$(cat err)"
"$REPORT" export -f chrome "$t" 2>/dev/null | cmp - c.json ||
	fail "not the same bytes twice"
holds '.traceEvents | all(has("ph") and has("pid") and has("name") and
	(.ph == "M" or (.ts | type) == "number") and
	(.ph != "X" or (has("dur") and has("tid") and .dur >= 0)) and
	(.ph != "C" or (.args | map(type == "number") | all)))'
holds '[.traceEvents[].ph] | unique == ["C", "M", "X", "i"]'
counter='.traceEvents | map(select(.ph == "C" and .name == "live bytes"))'
holds "$counter"' | map(.ts) | . == sort and length > 1000 and length <= 2000'
is "$t" .peak.bytes "$(jq "$counter | map(.args.bytes) | max" c.json)"
is "$t" .exit.bytes "$(jq "$counter | last.args.bytes" c.json)"
is "$t" .exit.blocks "$(jq '[.traceEvents[] | select(.name == "live blocks")] |
	last.args.blocks' c.json)"
peak='.traceEvents[] | select(.name == "peak")'
is "$t" .peak.bytes "$(jq "$peak | .args.bytes" c.json)"
is "$t" .peak.blocks "$(jq "$peak | .args.blocks" c.json)"
is "$t" '.peak.at_ns / 1000 | floor' "$(jq "$peak | .ts | floor" c.json)"

# The rate over time is what was allocated, to a byte a step.
rate='[.traceEvents[] | select(.name == "allocation rate")] | . as $p |
	[range(length - 1) | $p[.].args.bytes_per_second *
	($p[. + 1].ts - $p[.].ts) / 1e6] | add'
total=$(json "$t" .totals.allocated_bytes)
jq -e "($rate) - $total | fabs < 2000 + $total / 1000" c.json >/dev/null ||
	fail "the rates make $(jq "$rate" c.json), not $total"

threads='[.traceEvents[] | select(.ph == "X")]'
for name in allocations allocated_bytes; do
	is "$t" ".totals.$name" "$(jq "$threads | map(.args.$name) | add" \
		c.json)"
done
is "$t" '.threads | map(.tid) | sort | join(" ")' "$(jq -r "$threads |"'
	map(.tid) | sort | join(" ")' c.json)"
