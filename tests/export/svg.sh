#!/bin/bash
# SPDX-License-Identifier: MIT
# The flame graph is well-formed XML that needs no other file; its total and
# its frames are those of the report, and Chromium runs its search.
# shellcheck source=tests/export/lib.sh
. "$MT_TOP/tests/export/lib.sh"

record "$MT_BUILD/examples/cache" >/dev/null || fail "no recording"
t=$(trace)
"$REPORT" export -f svg -o f.svg "$t" 2>err || fail "$(cat err)"
"$REPORT" export -f svg "$t" 2>/dev/null | cmp - f.svg ||
	fail "not the same bytes twice"
xmllint --noout f.svg || fail "not well-formed"
! grep -oE '(href|src|url)[=(][^ ]*' f.svg || fail "needs other files"

# The whole is as wide as the picture; each frame lies within its caller.
python3 - f.svg <<'END' || fail "its frames"
import sys
import xml.etree.ElementTree as tree
ns = "{http://www.w3.org/2000/svg}"
frames = []
for g in tree.parse(sys.argv[1]).getroot().iter(ns + "g"):
    r = g.find(ns + "rect")
    frames.append([float(r.get(k)) for k in ("x", "y", "width")])
assert frames[0][0] == 10 and frames[0][2] == 1180, frames[0]
for x, y, w in frames[1:]:
    assert any(cy == y + 18 and cx <= x + .02 and x + w <= cx + cw + .02
               for cx, cy, cw in frames), (x, y, w)
END

# The total, and a function's share of it as top has it.
total=$("$REPORT" "$t" 2>/dev/null | sed -n 's/^peak *\(.* [KMG]\?i\?B\) in .*/\1/p')
grep -qF ">cache: live at the peak, $total<" f.svg ||
	fail "not a total of $total: $(grep 'class="title"' f.svg)"
share=$("$REPORT" top --cumulative --by function --at peak --csv "$t" |
	awk -F, '$4 == "\"main\"" { printf "%.1f", $3 }')
page "file://$PWD/f.svg#^main\$" >page.svg
grep -q ">^main\$: $share %<" page.svg ||
	fail "the search does not say $share %: $(grep 'id="found"' page.svg)"
browse --window-size=1220,600 --screenshot="$PWD/f.png" "file://$PWD/f.svg"
[ "$(stat -c %s f.png)" -gt 5000 ] || fail "an empty picture"

# What is asked for and not known is not drawn as nothing.
data=$MT_TOP/tests/data/import
"$REPORT" export -f svg "$data/jemalloc.heap" >j.svg || fail "jemalloc.heap"
grep -q 'live at the end, 36.5 MiB<' j.svg ||
	fail "jemalloc.heap: $(grep 'class="title"' j.svg)"
"$REPORT" export -f svg --at peak -o no.svg "$data/jemalloc.heap" 2>err &&
	fail "jemalloc.heap: a peak"
grep -q 'does not know: live at the peak' err || fail "$(cat err)"
[ ! -e no.svg ] || fail "a file was left"
"$REPORT" export -f folded "$data/jemalloc.heap" |
	awk '{ s += $NF } END { exit s != 38314546 }' || fail "folded"
