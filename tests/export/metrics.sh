#!/bin/bash
# SPDX-License-Identifier: MIT
# promtool has nothing against the metrics of `export`, Prometheus' own
# OpenMetrics reader takes those of openmetrics, and their values are those
# of the JSON.
# shellcheck source=tests/integration/lib.sh
. "$MT_TOP/tests/integration/lib.sh"

record "$MT_BUILD/examples/threads" >/dev/null || fail "threads: status $?"
mv "$(trace)" t.zst
sound t.zst

# Print the sum of a metric's samples in a file.
value()
{
	awk -v name="$2" '$1 == name || index($1, name "{") == 1 {
		n += $NF; found = 1
	} END { if (found) printf "%d\n", n; else print "none" }' "$1"
}

# Check a metric's sum in both files against a jq expression.
measures()
{
	local file want

	want=$(json t.zst "$2")
	for file in prometheus.txt openmetrics.txt; do
		[ "$(value $file "memtrace_$1")" = "$want" ] ||
			fail "$file: $1 $(value $file "memtrace_$1"), not $want"
	done
}

for format in prometheus openmetrics; do
	for file in $format.txt twice.txt; do
		"$REPORT" export -f "$format" -o "$file" t.zst || fail "status $?"
	done
	cmp $format.txt twice.txt || fail "$format: not the same bytes twice"
done
promtool check metrics <prometheus.txt >out 2>&1 || fail "$(cat out)"
[ ! -s out ] || fail "prometheus: $(cat out)"

# promtool checks the older format only: this is its text but for the names of
# counters' families, which have no _total here, and the bounds of sizes.
sed -E '/^# HELP/ { N; / counter$/ s/(memtrace_[a-z_]+) /\1_total /g }
	s/(_size_bytes_bucket\{le="[0-9]+)\.0"/\1"/; /^# EOF$/d' \
	openmetrics.txt | diff - prometheus.txt >out ||
	fail "openmetrics is not prometheus: $(cat out)"
# This is a reader of OpenMetrics, which wants to know when.
sed '/^#/!s/$/ 1700000000/' openmetrics.txt >timed.txt
promtool tsdb create-blocks-from openmetrics timed.txt blocks >out 2>&1 ||
	fail "openmetrics does not read: $(cat out)"
[ "$(tail -n 1 openmetrics.txt)" = '# EOF' ] || fail "no # EOF"

measures heap_inuse_bytes .exit.bytes
measures heap_inuse_objects .exit.blocks
measures heap_peak_bytes .peak.bytes
measures heap_allocated_bytes_total .totals.allocated_bytes
measures heap_freed_bytes_total '.totals.allocated_bytes - .exit.bytes'
measures heap_allocations_total .totals.allocations
measures heap_frees_total .totals.frees
measures heap_temporary_allocations_total .totals.temporary
measures heap_failed_allocations_total .totals.failed
measures heap_allocation_size_bytes_sum .totals.allocated_bytes
measures heap_allocation_size_bytes_count .totals.allocations
measures heap_lifetime_seconds_count .totals.frees
measures profiler_dropped_events_total .lost.events
measures threads '.threads | length'

# Calls by type, buckets and remote frees, against the events themselves.
events t.zst >events.txt
while read -r type kinds; do
	want=$(awk -v kinds=" $kinds " 'index(kinds, " " $4 " ") { n++ }
		END { printf "%d", n }' events.txt)
	grep -q "^memtrace_heap_allocations_total{type=\"$type\"} $want\$" \
		prometheus.txt || fail "$type: not $want calls"
done <<'END'
malloc malloc
calloc calloc
realloc realloc reallocarray
new new new[]
END
# Allocated in one thread ($3), freed in another: by the last owner.
want=$(awk '
	$4 ~ /^(malloc|calloc|realloc|reallocarray|new|.*alloc|.*align|new\[\])$/ {
		if ($5 !~ /^(0x)?0$/) owner[$5] = $3
		next
	}
	$5 in owner { n += owner[$5] != $3; delete owner[$5] }
	END { printf "%d", n }' events.txt)
[ "$(value prometheus.txt memtrace_heap_remote_frees_total)" = "$want" ] ||
	fail "remote frees: not $want"
[ "$want" -gt 0 ] || fail "no thread frees another's blocks here"
for le in 16 256 4096; do
	want=$(awk -v le=$le '$4 ~ /^(malloc|calloc|realloc|new|new\[\])$/ &&
		$6 + 0 <= le { n++ } END { printf "%d", n }' events.txt)
	grep -q "_bytes_bucket{le=\"$le\"} $want\$" prometheus.txt ||
		fail "sizes up to $le: not $want"
	grep -q "_bytes_bucket{le=\"$le.0\"} $want\$" openmetrics.txt ||
		fail "openmetrics: sizes up to $le: not $want"
done

# Of another tool's file: only what it knows.
"$REPORT" export -f prometheus "$MT_TOP/tests/data/import/massif.out" >m.txt
promtool check metrics <m.txt >out 2>&1 || fail "massif: $(cat out)"
[ "$(value m.txt memtrace_heap_peak_bytes)" = 44096 ] || fail "massif: peak"
for name in heap_inuse_objects heap_allocations_total threads; do
	[ "$(value m.txt memtrace_$name)" = none ] || fail "massif: has $name"
done
