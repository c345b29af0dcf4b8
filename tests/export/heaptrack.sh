#!/bin/bash
# SPDX-License-Identifier: MIT
# heaptrack_print reads what is exported for it: calls, peak and leaks are the
# JSON's, of a window and a selection too; our own importer reads the same to
# the byte.
# shellcheck source=tests/integration/lib.sh
. "$MT_TOP/tests/integration/lib.sh"

# Check that a figure of heaptrack_print is the JSON's, rounded as it does.
says()
{
	local want

	want=$(jq "$3" want.json | awk '{
		if ($1 < 1000) print $1 "B"
		else if ($1 < 1e6) printf "%.2fK\n", $1 / 1e3
		else printf "%.2fM\n", $1 / 1e6 }')
	grep -qx "$2: $want" text || fail "$1: $(grep "^$2" text), not $want"
}

# Check a file against the report made with the same options.
agrees()
{
	local file=$1 got want

	shift
	"$REPORT" export -f heaptrack "$@" -o "$file" "$t" 2>err ||
		fail "$*: $(cat err)"
	"$REPORT" --json "$@" "$t" >want.json
	heaptrack_print -f "$file" --disable-builtin-suppressions \
		--disable-embedded-suppressions >text 2>err ||
		fail "$*: heaptrack_print: $(cat err)"
	says "$*" 'peak heap memory consumption' .peak.bytes
	says "$*" 'total memory leaked' .exit.bytes
	want=$(jq -c '[.peak.bytes, .peak.blocks, .exit.bytes, .exit.blocks]' \
		want.json)
	got=$("$REPORT" --json "$file" | jq -c \
		'[.peak.bytes, .peak.blocks, .exit.bytes, .exit.blocks]')
	[ "$got" = "$want" ] || fail "$*: read back as $got, not $want"
}

# Check that the calls are as many, too.
calls_agree()
{
	local want

	want=$(jq .totals.allocations want.json)
	grep -q "^calls to allocation functions: $want " text ||
		fail "not $want calls: $(grep ^calls text)"
	[ "$("$REPORT" --json "$1" | jq .totals.allocations)" = "$want" ] ||
		fail "not $want calls read back"
}

record "$MT_BUILD/examples/growth" >/dev/null || fail "no recording"
record "$MT_BUILD/examples/threads" >/dev/null || fail "no recording"
for t in trace.*.zst; do
	agrees all.gz
	calls_agree all.gz
	gzip -t all.gz || fail "no gzip"
	agrees all.txt
	zcat all.gz | cmp - all.txt || fail "not the same text"
	agrees selected.gz --size 16:512
	calls_agree selected.gz
	third=$(json "$t" '"\(.duration_ns / 3 | floor)ns"')
	agrees early.gz --to "$third"
	calls_agree early.gz
	agrees late.gz --from "$third"
done

# There are frames with lines, and inlined ones.
"$REPORT" export -f heaptrack -o all.gz trace.growth.*.zst
heaptrack_print -f all.gz | grep -q 'at .*growth.c:[0-9]' ||
	fail "no lines: $(heaptrack_print -f all.gz | head -n 40)"

# An import has no events.
"$REPORT" export -f heaptrack -o m "$MT_TOP/tests/data/import/massif.out" \
	2>err && fail "massif.out: exported"
grep -q 'needs the events' err || fail "massif.out: $(cat err)"
[ ! -e m ] || fail "massif.out: a file is there"
