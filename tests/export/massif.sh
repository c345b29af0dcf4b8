#!/bin/bash
# SPDX-License-Identifier: MIT
# ms_print accepts what is exported for it; its peak and its last snapshot are
# the JSON's, of a window too, and our own importer reads the same.
# shellcheck source=tests/integration/lib.sh
. "$MT_TOP/tests/integration/lib.sh"

# Print the bytes of the snapshots with a tree of a kind.
bytes()
{
	awk -F= '$1 == "mem_heap_B" { b = $2 }
		$1 == "heap_tree" && $2 == want { print b }' want="$2" "$1"
}

record "$MT_BUILD/examples/growth" >/dev/null || fail "no recording"
t=$(trace)
"$REPORT" export -f massif -o m.out "$t" 2>err || fail "$(cat err)"
"$REPORT" export -f massif "$t" 2>/dev/null | cmp - m.out ||
	fail "not the same bytes twice"
is "$t" .peak.bytes "$(bytes m.out peak)"
is "$t" .exit.bytes "$(bytes m.out detailed)"
[ "$(grep -c ^snapshot= m.out)" = 102 ] || fail "not 102 snapshots"
peak=$(json "$t" .peak.bytes)
awk -F= -v peak="$peak" '$1 == "mem_heap_B" && $2 > peak { exit 1 }' m.out ||
	fail "a snapshot above the peak"
ms_print m.out >text 2>err || fail "ms_print: $(cat err)"
[ ! -s err ] || fail "ms_print: $(cat err)"
grep -q '(peak)' text || fail "ms_print: no peak"
grep -qF "$(printf "%'d" "$peak" | LC_ALL=en_US sed -E \
	':a; s/([0-9])([0-9]{3})($|,)/\1,\2\3/; ta')" text ||
	fail "ms_print: not a peak of $peak"
grep -q 'growth.c:' text || fail "ms_print: no line"

# What the importer reads back.
back=$("$REPORT" --json m.out | jq -c '[.source, .peak.bytes, .exit.bytes]')
want=$(json "$t" '[.peak.bytes, .exit.bytes] | map(tostring) | join(",")')
[ "$back" = "[\"massif\",$want]" ] || fail "read back as $back"

# A window has its own peak and end.
half=$(json "$t" '"\(.peak.at_ns)ns"')
"$REPORT" export -f massif --to "$half" -o half.out "$t" || fail "--to"
want=$("$REPORT" --json --to "$half" "$t" | jq '.peak.bytes, .exit.bytes')
[ "$(bytes half.out peak; bytes half.out detailed)" = "$want" ] ||
	fail "--to: not $want"

# So has one that begins with its peak.
"$REPORT" export -f massif --from "$half" -o late.out "$t" || fail "--from"
want=$("$REPORT" --json --from "$half" "$t" | jq '.peak.bytes, .exit.bytes')
[ "$(bytes late.out peak; bytes late.out detailed)" = "$want" ] ||
	fail "--from: not $want"

# Of an import, what it knows: jemalloc's has no peak.
"$REPORT" export -f massif -o j.out "$MT_TOP/tests/data/import/jemalloc.heap" ||
	fail "jemalloc.heap"
[ "$(bytes j.out detailed)" = 38314546 ] || fail "jemalloc.heap: its end"
! grep -q heap_tree=peak j.out || fail "jemalloc.heap: a peak"
ms_print j.out >/dev/null || fail "ms_print: jemalloc.heap"
