#!/bin/bash
# SPDX-License-Identifier: MIT
# A small ring, filled many times over by threads that come and go, that hand
# blocks over to each other, that fork, and around a scan: it says of the whole
# run what an unbounded trace says.
# shellcheck source=tests/integration/lib.sh
. "$MT_TOP/tests/integration/lib.sh"

# Record a case with a size: run CASE SIZE [STEPS]
run()
{
	OPTIONS=size=$2,leaks=off
	rm -f trace.*
	record "$HOST/ringful" "$1" "${3:-}" >out 2>err ||
		fail "$1, $2: $(cat out err)"
	[ ! -s err ] || fail "$1, $2: says $(cat err)"
}

# The run's sums: what must not depend on the size.
sums()
{
	json "$1" '[.totals.allocations, .totals.frees, .totals.allocated_bytes,
		.exit, .anomalies, .lost] | tostring'
}

for case in threads handover; do
	run $case 0
	whole=$(trace) || exit 1
	lossless "$whole"
	want=$(sums "$whole")
	run $case 1M
	ring=$(trace) || exit 1
	sound "$ring"
	[ "$(stat -c %s "$ring")" -lt 1800000 ] ||
		fail "$case: $(stat -c %s "$ring") bytes"
	[ "$(json "$ring" .history.folded_events)" -gt 100000 ] ||
		fail "$case: not full: $(json "$ring" .history)"
	[ "$(sums "$ring")" = "$want" ] ||
		fail "$case: $(sums "$ring") is not $want"
done

# The image of many live blocks is within the bound, too; what else is more than
# it are definitions, and pages.
run holds 0 1000000
want=$(sums "$(trace)")
run holds 1M 1000000
ring=$(trace) || exit 1
sound "$ring"
[ "$(sums "$ring")" = "$want" ] || fail "holds: $(sums "$ring") is not $want"
[ "$("$REPORT" info --json "$ring" | jq '[.streams[] |
	select(.stream | startswith("heap image")).bytes] | add')" \
	-gt 300000 ] || fail "holds: no image of a size that matters"
[ "$(stat -c %s "$ring")" -lt 1300000 ] ||
	fail "holds: $(stat -c %s "$ring") bytes"

# What the fork of a scan appends while the ring goes round is whole. Once the
# scan is older than the history there is no verdict, rather than a wrong one.
run scan 1M 50000
t=$(trace) || exit 1
sound "$t"
[ "$(json "$t" .history.folded_events)" -gt 1000000 ] || fail "scan: not full"
"$REPORT" leaks --scan 0 --json "$t" >leaks.json 2>err ||
	fail "scan: $(cat err)"
[ "$(jq -c '[.scan.number, .definite.blocks, .definite.bytes]' leaks.json)" \
	= '[0,1,77]' ] || fail "scan: $(jq -c '[.scan, .definite]' leaks.json)"
run scan 1M 2000000
t=$(trace) || exit 1
sound "$t"
"$REPORT" leaks --scan 0 "$t" >text 2>err
grep -q 'its scan is older than its history' text err ||
	fail "an old scan: $(cat text err)"

# Children of one that folds have traces of their own.
run forks 1M
n=0
for t in trace.*.zst; do
	sound "$t"
	lossless "$t"
	is "$t" '[.anomalies[]] | add' 0
	((n++))
done
[ "$n" = 21 ] || fail "forks: $n traces"
