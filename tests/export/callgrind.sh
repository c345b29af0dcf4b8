#!/bin/bash
# SPDX-License-Identifier: MIT
# callgrind_annotate accepts what is exported for it: the totals are the
# JSON's, each function's inclusive bytes those of top --cumulative, of
# recursive ones too.
# shellcheck source=tests/integration/lib.sh
. "$MT_TOP/tests/integration/lib.sh"

# Print the sum of the N-th event over all lines but those of calls.
own()
{
	awk -v n="$(($2 + 1))" '/^totals/ { exit } skip { skip = 0; next }
		/^calls=/ { skip = 1 } /^[0-9]/ { s += $n }
		END { printf "%d", s }' "$1"
}

record "$HOST/deep" 3 300 >/dev/null || fail "no recording"
record "$MT_BUILD/examples/cache" >/dev/null || fail "no recording"
for t in trace.*.zst; do
	"$REPORT" export -f callgrind -o c.out "$t" 2>err || fail "$(cat err)"
	"$REPORT" export -f callgrind "$t" 2>/dev/null | cmp - c.out ||
		fail "$t: not the same bytes twice"
	n=0
	for figure in .peak.bytes .exit.bytes .totals.allocated_bytes \
		.totals.allocations; do
		((++n))
		is "$t" "$figure" "$(own c.out $n)"
		is "$t" "$figure" "$(awk -v n=$((n + 1)) '/^totals:/ {
			print $n }' c.out)"
	done
	callgrind_annotate --auto=no --threshold=100 --inclusive=yes \
		--show=AllocB --sort=AllocB c.out >text 2>err ||
		fail "$t: callgrind_annotate: $(cat err)"
	[ ! -s err ] || fail "$t: callgrind_annotate: $(cat err)"
	total=$(json "$t" .totals.allocated_bytes)
	[ "$(sed -n 's/ (.*PROGRAM TOTALS//p' text | tr -d ,)" = "$total" ] ||
		fail "$t: not $total in all: $(grep TOTALS text)"
	# The functions of the program by their inclusive bytes.
	"$REPORT" top --cumulative --by function --at total --csv -n 1000 "$t" \
		>top.csv
	for name in main level deep_alloc; do
		want=$(sed -n "s/^\([0-9]*\),.*,\"$name\"$/\1/p" top.csv)
		got=$(sed -n "s/^ *\([0-9,]*\) (.*:$name \[.*/\1/p" text |
			tr -d ,)
		[ "$got" = "$want" ] ||
			fail "$t: $name has $got, not $want: $(cat text)"
	done
done

# An import has the events that it knows.
"$REPORT" export -f callgrind -o m.out "$MT_TOP/tests/data/import/massif.out" ||
	fail "massif.out"
grep -qx 'events: PeakB ExitB' m.out || fail "$(grep events: m.out)"
callgrind_annotate --auto=no m.out >/dev/null || fail "massif.out: annotate"
