#!/bin/bash
# SPDX-License-Identifier: MIT
# timeline, sizes, lifetimes, threads and reallocs say of the examples what they
# do, agree with the summary, heed the selection, and draw on any terminal.
# shellcheck source=tests/integration/lib.sh
. "$MT_TOP/tests/integration/lib.sh"

for name in growth threads temporary; do
	MEMTRACE="out=$name.zst" LD_PRELOAD=$LIB \
		"$MT_BUILD/examples/$name" >/dev/null || fail "$name"
done

# The timeline's sums and its maximum are the summary's.
"$REPORT" --json threads.zst >summary.json
"$REPORT" timeline --json threads.zst >timeline.json
[ "$(jq '[.buckets[].allocations] | add' timeline.json)" = \
	"$(jq .totals.allocations summary.json)" ] || fail "timeline: allocations"
[ "$(jq '[.buckets[].max_bytes] | max' timeline.json)" = \
	"$(jq .peak.bytes summary.json)" ] || fail "timeline: peak"
[ "$(jq '.buckets[-1].last_bytes' timeline.json)" = \
	"$(jq .exit.bytes summary.json)" ] || fail "timeline: end"
[ "$(jq '.buckets | length' timeline.json)" = 1000 ] || fail "timeline: buckets"

# From the index alone: the same sums, and live at the end what sizes says.
# It decompresses no events: the same bytes come out of a trace in which every
# column of them is damaged.
for name in growth threads temporary; do
	"$REPORT" timeline --json $name.zst >full.json
	"$REPORT" timeline --quick --json $name.zst >quick.json
	sums='[([.buckets[].allocations], [.buckets[].frees],
		[.buckets[].allocated_bytes] | add), .buckets[-1].last_blocks]'
	[ "$(jq -c "$sums" quick.json)" = "$(jq -c "$sums" full.json)" ] ||
		fail "timeline --quick: $name: $(jq -c "$sums" quick.json)"
	"$REPORT" sizes --total --json $name.zst >index.json
	[ "$(jq .buckets[-1].last_usable_bytes quick.json)" = \
		"$(jq .given[0].live_usable_bytes index.json)" ] ||
		fail "timeline --quick: $name: usable at the end"
	[ "$(jq .buckets[-1].last_blocks quick.json)" = \
		"$(jq '[.classes[].live] | add' index.json)" ] ||
		fail "timeline --quick: $name: blocks at the end"
	python3 - $name.zst >damaged.zst <<-'END'
		import struct, sys
		data, at = bytearray(open(sys.argv[1], "rb").read()), 0
		while at < len(data):
		    magic, skip = struct.unpack_from("<II", data, at)
		    start, at = at, at + 8 + skip
		    if magic != 0x184D2A5D:
		        continue
		    stream, _, size = struct.unpack_from("<HHI", data, start + 12)
		    if stream == 4:
		        data[at:at + size] = b"?" * size
		    at += size
		sys.stdout.buffer.write(data)
	END
	"$REPORT" timeline --json damaged.zst >/dev/null 2>&1 &&
		fail "timeline: $name: reads damaged events"
	"$REPORT" timeline --quick --json damaged.zst |
		sed "s/damaged.zst/$name.zst/" | cmp - quick.json ||
		fail "timeline --quick: $name: looks at the events"
done
for selection in '--thread 1' '--from 1ms' '--to 1ms' '--at 1ms' '--size 1:'; do
	# shellcheck disable=SC2086
	"$REPORT" timeline --quick $selection growth.zst >out 2>err &&
		fail "timeline --quick $selection"
	[ ! -s out ] && grep -q 'no selection' err ||
		fail "timeline --quick $selection: $(cat err)"
done
LC_ALL=C "$REPORT" timeline --quick threads.zst >plain || fail "timeline --quick"
grep -q '#' plain && grep -q '^Live usable bytes' plain &&
	grep -q 'segments, the longest of' plain && ! grep -q '^peak' plain ||
	fail "timeline --quick: $(cat plain)"
[ "$("$REPORT" timeline --quick -n 7 threads.zst | wc -l)" = 9 ] ||
	fail "timeline --quick -n 7"
"$REPORT" timeline --quick --csv threads.zst | head -n 1 |
	grep -qx 'time_ns,last_usable_bytes,last_blocks,allocations,.*' ||
	fail "timeline --quick --csv"

# What a live file holds is counted, for it has no index.
cp "$MT_TOP/tests/data/v1.0-killed.zst" killed.zst
zstd -dqf "$MT_TOP/tests/data/v1.0-killed.zst.live.zst" -o killed.zst.live
"$REPORT" timeline --quick --json killed.zst >quick.json
[ "$(jq .index[0].unsealed_events quick.json)" = \
	"$("$REPORT" events --no-stack killed.zst | wc -l)" ] ||
	fail "timeline --quick: $(jq -c .index quick.json)"

# Drawn: within the terminal's width, in ASCII where blocks cannot be shown.
LC_ALL=C "$REPORT" timeline threads.zst >plain || fail "timeline"
LC_ALL=C grep -q '#' plain && ! LC_ALL=C grep -q "[^ -~]" plain ||
	fail "timeline in a C locale: $(cat plain)"
LC_ALL=C.UTF-8 "$REPORT" timeline threads.zst | grep -q '█' ||
	fail "timeline in a UTF-8 locale"
[ "$(wc -L <plain)" -le 120 ] || fail "timeline is $(wc -L <plain) wide"

# Sizes: exact ones and classes add up; the index says the same.
"$REPORT" sizes --json growth.zst >sizes.json
"$REPORT" sizes --total --json growth.zst >index.json
for what in sizes index; do
	[ "$(jq '[.classes[].allocations] | add' $what.json)" = \
		"$("$REPORT" --json growth.zst | jq .totals.allocations)" ] ||
		fail "$what: $(cat $what.json)"
done
[ "$(jq -c '[.classes[] | [.max_size, .allocations]]' sizes.json)" = \
	"$(jq -c '[.classes[] | [.max_size, .allocations]
		| select(.[1] > 0)]' index.json)" ] ||
	fail "sizes and the index differ"
# As text, a screen: the heaviest classes, and one row of the others; all with
# -n 0. However many are shown, the columns add up.
for total in '' --total; do
	[ "$("$REPORT" sizes ${total:+"$total"} growth.zst | wc -l)" -le 32 ] ||
		fail "sizes $total is longer than a screen"
	"$REPORT" sizes ${total:+"$total"} growth.zst |
		grep -q '([0-9]* other classes)$' || fail "sizes $total: no rest"
	"$REPORT" sizes ${total:+"$total"} -n 0 growth.zst >all
	grep -q 'other classes' all && fail "sizes $total -n 0 is not all"
	"$REPORT" sizes ${total:+"$total"} -n 0 --json growth.zst |
		jq -c '[.classes, .classes_rest]' >all
	"$REPORT" sizes ${total:+"$total"} --json growth.zst |
		jq -c '[.classes, null]' | cmp - all || fail "-n 0 --json"
	"$REPORT" sizes ${total:+"$total"} -n 2 --json growth.zst >cut.json
	[ "$(jq '[.classes[], .classes_rest | .allocations] | add' cut.json)" = \
		"$(jq '.[0] | map(.allocations) | add' all)" ] ||
		fail "sizes $total -n 2 does not add up: $(cat cut.json)"
	[ "$(jq -c '.classes | length, map(.max_size) == (map(.max_size) | sort)' \
		cut.json | xargs)" = '2 true' ] || fail "sizes $total -n 2"
done
# The heaviest, not the first.
[ "$("$REPORT" sizes -n 2 --json growth.zst |
	jq -c '.classes | map(.allocated_bytes) | sort')" = \
	"$(jq -c '.classes | map(.allocated_bytes) | sort | .[-2:]' \
		sizes.json)" ] || fail "sizes -n 2: not the heaviest"
"$REPORT" sizes --total --thread 1 growth.zst 2>err && fail "sizes --total"
grep -q 'no selection' err || fail "sizes --total: $(cat err)"

# Lifetimes: every block has one.
"$REPORT" lifetimes --json temporary.zst >lives.json
for what in times allocated_meanwhile; do
	[ "$(jq "[.${what}[].blocks] | add" lives.json)" = \
		"$("$REPORT" --json temporary.zst | jq .totals.allocations)" ] ||
		fail "lifetimes: $what"
done

# One thread allocates, two free: all of it goes over.
"$REPORT" threads --json threads.zst >threads.json
[ "$(jq '[.threads[].allocations] | add' threads.json)" = \
	"$(jq .totals.allocations summary.json)" ] || fail "threads"
[ "$(jq '[.pairs[].blocks] | add' threads.json)" = \
	"$(jq .totals.frees summary.json)" ] || fail "threads: pairs"
[ "$(jq '[.pairs[] | select(.allocator != .freer) | .blocks] | add' \
	threads.json)" -gt 40000 ] || fail "threads: $(cat threads.json)"

# 4,999 steps of a block that grows to 40,000 bytes.
"$REPORT" reallocs --json growth.zst >chains.json
[ "$(jq -c '.sites[0] | [.calls, .longest_steps, .largest_bytes, .function]' \
	chains.json)" = '[4999,4999,40000,"append"]' ] ||
	fail "reallocs: $(cat chains.json)"

# The selection is heeded.
[ "$("$REPORT" timeline --json --size 1G: threads.zst |
	jq '[.buckets[].allocations] | add')" = 0 ] || fail "timeline --size"
[ "$("$REPORT" threads --json --where 'size > 1G' threads.zst |
	jq '[.threads[].allocations] | add')" = 0 ] || fail "threads --where"
"$REPORT" reallocs --where 'size > 1G' growth.zst | grep -q 'no block' ||
	fail "reallocs --where"
middle=$("$REPORT" --json temporary.zst | jq '.peak.at_ns + 1')ns
half=$("$REPORT" lifetimes --json --from "$middle" temporary.zst |
	jq '[.times[].blocks] | add // 0')
[ "$half" -lt "$("$REPORT" --json temporary.zst | jq .totals.allocations)" ] ||
	fail "lifetimes --from $middle: $half"

# All forms of all of them.
for view in timeline sizes lifetimes threads reallocs; do
	"$REPORT" $view --json growth.zst | jq -e '.view == "'$view'"' \
		>/dev/null || fail "$view --json"
	"$REPORT" $view --csv growth.zst | head -n 1 | grep -q ',' ||
		fail "$view --csv"
	"$REPORT" $view growth.zst | head -n 1 >/dev/null || fail "$view | head"
done

# Events as lines of JSON, and as CSV, are those of the text.
"$REPORT" events --no-stack growth.zst >events.text
"$REPORT" events --json growth.zst | jq -r '[.time_ns, .thread, .tid, .kind,
	.address, .size, .alignment] | map(tostring) | join(" ")' |
	cmp - events.text || fail "events --json"
"$REPORT" events --csv --no-stack growth.zst | tail -n +2 | tr , ' ' |
	cmp - events.text || fail "events --csv"
"$REPORT" events --json growth.zst | jq -se 'map(select(.kind == "realloc") |
	.stack | contains("growth+0x")) | any' >/dev/null || fail "events: stack"
"$REPORT" timeline --from 1000s growth.zst 2>err && fail "timeline of nothing"
grep -q 'nothing in that window' err || fail "timeline: $(cat err)"

# What the process had of the machine's memory is noted where it lasts.
MEMTRACE=out=temporary2.zst LD_PRELOAD=$LIB "$MT_BUILD/examples/temporary" \
	>/dev/null
[ "$("$REPORT" timeline --json temporary2.zst |
	jq '[.buckets[].resident_bytes] | max')" -gt 1000000 ] ||
	fail "no resident set"
