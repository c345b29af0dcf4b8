#!/bin/bash
# SPDX-License-Identifier: MIT
# `export` of several traces, or of a directory, is of them as one: its totals
# are the sums of theirs. A format of single events says that it cannot.
# shellcheck source=tests/integration/lib.sh
. "$MT_TOP/tests/integration/lib.sh"

mkdir runs
for name in cache threads; do
	MEMTRACE="out=runs/$name.zst" LD_PRELOAD=$LIB \
		"$MT_BUILD/examples/$name" >/dev/null || fail "$name"
	"$REPORT" --json runs/$name.zst >$name.json || fail "$name: $?"
done

# Check that a figure is the sum of the two traces' own.
sums()
{
	local want

	want=$(jq -s "map($2) | add" cache.json threads.json)
	[ "$want" -gt 0 ] || fail "$2 is nothing to add up"
	[ "$3" = "$want" ] || fail "$1: $2 is $3, not $want"
}

# Print the sum of a metric's samples, or of a profile's weights.
metric()
{
	awk -v name="memtrace_$2" '$1 == name { n += $2 }
		END { printf "%d", n }' "$1"
}
weights()
{
	jq ".profiles[] | select(.name == \"$1\") | .weights | add" \
		out.speedscope
}

for format in callgrind dhat folded massif openmetrics pprof prometheus \
	speedscope sqlite svg; do
	"$REPORT" export -f $format -o out.$format runs/cache.zst \
		runs/threads.zst 2>err || fail "$format: $(cat err)"
	"$REPORT" export -f $format -o dir.$format runs || fail "$format: runs"
	cmp out.$format dir.$format || fail "$format: a directory is not its files"
done

n=2
for figure in .peak.bytes .exit.bytes .totals.allocated_bytes \
	.totals.allocations; do
	sums callgrind $figure "$(awk -v n=$n '/^totals:/ { print $n }' \
		out.callgrind)"
	((n++))
done
sums dhat .totals.allocated_bytes "$(jq '[.pps[].tb] | add' out.dhat)"
sums dhat .totals.allocations "$(jq '[.pps[].tbk] | add' out.dhat)"
sums folded .peak.bytes "$(awk '{ n += $NF } END { print n }' out.folded)"
for at in exit:.exit.bytes total:.totals.allocated_bytes; do
	sums folded ${at#*:} "$("$REPORT" export -f folded --at ${at%:*} runs |
		awk '{ n += $NF } END { print n }')"
done
for figure in .peak.bytes .exit.bytes; do
	sums massif $figure "$("$REPORT" --json out.massif | jq $figure)"
done
for figure in .exit.bytes .exit.blocks .totals.allocated_bytes \
	.totals.allocations; do
	sums pprof $figure "$("$REPORT" --json out.pprof | jq $figure)"
done
"$REPORT" out.pprof 2>/dev/null | grep -q '^cache: ' ||
	fail "pprof: not of cache: $("$REPORT" out.pprof)"
for format in prometheus openmetrics; do
	while read -r name figure; do
		sums $format "$figure" "$(metric out.$format "$name")"
	done <<-'WANT'
		heap_peak_bytes .peak.bytes
		heap_inuse_bytes .exit.bytes
		heap_inuse_objects .exit.blocks
		heap_allocated_bytes_total .totals.allocated_bytes
		heap_allocations_total .totals.allocations
		heap_frees_total .totals.frees
	WANT
done
sums speedscope .peak.bytes "$(weights 'live at the peak')"
sums speedscope .exit.bytes "$(weights 'live at the end')"
sums speedscope .totals.allocated_bytes "$(weights 'allocated bytes')"
sums speedscope .totals.allocations "$(weights allocations)"
while read -r column figure; do
	for table in rows sites; do
		sums "sqlite, $table" "$figure" "$(sqlite3 out.sqlite \
			"SELECT sum($column) FROM $table")"
	done
done <<'WANT'
peak_bytes .peak.bytes
peak_blocks .peak.blocks
exit_bytes .exit.bytes
allocated_bytes .totals.allocated_bytes
allocations .totals.allocations
frees .totals.frees
WANT
sums sqlite '.threads | length' "$(sqlite3 out.sqlite \
	'SELECT count(*) FROM threads')"
sums sqlite .totals.allocations "$(sqlite3 out.sqlite \
	'SELECT sum(allocations) FROM histogram_sizes')"
total=$("$REPORT" merge runs 2>/dev/null |
	sed -n 's/^peak *\(.* [KMG]\?i\?B\) in .*/\1/p')
grep -qF "live at the peak, $total<" out.svg ||
	fail "svg: not $total: $(grep 'class="title"' out.svg)"

# Sizes that one of the files does not tell apart are none of the whole.
"$REPORT" export -f sqlite -o mixed.db runs/cache.zst \
	"$MT_TOP/tests/data/import/massif.out" || fail "sqlite: with massif.out"
"$REPORT" export -f sqlite -o turned.db "$MT_TOP/tests/data/import/massif.out" \
	runs/cache.zst || fail "sqlite: with massif.out first"
for base in mixed turned; do
	[ "$(sqlite3 $base.db 'SELECT count(*) FROM live
		WHERE size IS NOT NULL')" = 0 ] || fail "$base.db: has sizes"
done

for format in chrome heaptrack; do
	"$REPORT" export -f $format -o no runs 2>err && fail "$format: merged"
	grep -q 'export each of the 2 by itself' err || fail "$format: $(cat err)"
	[ ! -e no ] || fail "$format: a file is there"
done
