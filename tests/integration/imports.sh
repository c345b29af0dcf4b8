#!/bin/bash
# SPDX-License-Identifier: MIT
# Other tools' files read as what they say, and damaged ones with an error.
# The figures are those of each tool's own reader (heaptrack_print, pprof,
# ms_print, jeprof) for the files in tests/data/import.
# shellcheck source=tests/integration/lib.sh
. "$MT_TOP/tests/integration/lib.sh"

data=$MT_TOP/tests/data/import

# NAME SOURCE ALLOCATIONS BYTES TEMPORARY PEAK EXIT_BYTES EXIT_BLOCKS
while read -r name want; do
	got=$("$REPORT" --json "$data/$name" | jq -r '[.source,
		.totals.allocations, .totals.allocated_bytes,
		.totals.temporary, .peak.bytes, .exit.bytes, .exit.blocks]
		| map(tostring) | join(" ")')
	[ "$got" = "$want" ] || fail "$name: $got, not $want"
done <<'END'
heaptrack1.txt heaptrack 4 96 1 80 16 1
heaptrack2.gz heaptrack 4 96 1 80 16 1
heaptrack3.zst heaptrack 59202 679913 0 83200 10496 401
massif.out massif 0 0 0 44096 35832 0
gperftools.heap gperftools 1000 50050000 0 0 33333300 666
jemalloc.heap jemalloc 0 0 0 0 38314546 705
go.pb.gz pprof 1019 1102672 0 0 1102672 1019
END

# Frames, inlined ones too, come with what the file knows of them.
site=$("$REPORT" --json "$data/heaptrack1.txt" |
	jq -c '.sites | map([.function, .file, .line, .peak_bytes])')
[ "$site" = '[["helper","app.c",12,64],["main","app.c",7,16]]' ] ||
	fail "heaptrack1.txt: sites $site"
"$REPORT" top --cumulative --by function --at peak --csv \
	"$data/heaptrack1.txt" | grep -q '^80,3,.*"main"' ||
	fail "heaptrack1.txt: main is not on all stacks"
"$REPORT" top --by function --at peak --csv "$data/massif.out" |
	grep -q '^40000,.*"append"' || fail "massif.out: append"
"$REPORT" top --by function --at exit --csv "$data/go.pb.gz" |
	grep -q '"main.leak"' || fail "go.pb.gz: main.leak"

# What a format lacks is not shown as nothing.
"$REPORT" "$data/massif.out" | grep -q blocks: &&
	fail "massif.out: has counts of blocks"
"$REPORT" "$data/jemalloc.heap" >text
grep -q peak text && ! grep -q 'no peak' text && fail "jemalloc.heap: a peak"
grep -q 'estimates' text || fail "jemalloc.heap: does not say it is sampled"
"$REPORT" events "$data/massif.out" 2>err && fail "massif.out has events"
grep -q 'needs the events' err || fail "events: $(cat err)"

# Cut anywhere, and with a byte changed anywhere: reported or refused, with
# the file's name; never worse.
for name in heaptrack1.txt massif.out gperftools.heap jemalloc.heap go.pb.gz \
	heaptrack3.zst; do
	bytes=$(stat -c %s "$data/$name")
	for ((i = 1; i <= 12; i++)); do
		head -c $((bytes * i / 13)) "$data/$name" >part
		{
			cat part
			printf '\377\n'
			tail -c +$((bytes * i / 13 + 3)) "$data/$name"
		} >changed
		for file in part changed; do
			"$REPORT" "$file" >/dev/null 2>err
			status=$?
			[ $status -le 1 ] || fail "$name, $file at $i/13: $status"
			[ $status = 0 ] || grep -q "$file: " err ||
				fail "$name, $file at $i/13: $(cat err)"
		done
	done
done
