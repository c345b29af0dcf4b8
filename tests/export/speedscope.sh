#!/bin/bash
# SPDX-License-Identifier: MIT
# speedscope loads what is exported for it and shows the JSON's totals; the
# file is as its schema says.
# shellcheck source=tests/export/lib.sh
. "$MT_TOP/tests/export/lib.sh"

# Print the sum of a profile's weights.
sum()
{
	jq ".profiles[] | select(.name == \"$2\") | .weights | add // 0" "$1"
}

record "$MT_BUILD/examples/cache" >/dev/null || fail "no recording"
t=$(trace)
"$REPORT" export -f speedscope -o s.json "$t" 2>err || fail "$(cat err)"
"$REPORT" export -f speedscope "$t" 2>/dev/null | cmp - s.json ||
	fail "not the same bytes twice"
is "$t" .peak.bytes "$(sum s.json 'live at the peak')"
is "$t" .exit.bytes "$(sum s.json 'live at the end')"
is "$t" .totals.allocated_bytes "$(sum s.json 'allocated bytes')"
is "$t" .totals.allocations "$(sum s.json allocations)"
is "$t" .totals.temporary "$(sum s.json 'temporary allocations')"
jq -e '(.shared.frames | length) as $n | .profiles | map(
	(.samples | length) == (.weights | length) and
	.endValue == (.weights | add // 0) and
	(.samples | flatten | all(. >= 0 and . < $n))) | all' s.json >/dev/null ||
	fail "the file does not fit together"
jq -e '.shared.frames | map([.name, .file]) | (unique | length) == length' \
	s.json >/dev/null || fail "a function is there twice"
"$REPORT" export -f speedscope --at exit "$t" 2>/dev/null |
	jq -e '.activeProfileIndex == 1' >/dev/null || fail "--at exit"

# The schema and the program are in the package.
npm install --prefix "$PWD/x" --no-audit --no-fund speedscope@1.25.0 \
	>npm.out 2>&1 || fail "npm: $(tail -n 3 npm.out)"
app=$PWD/x/node_modules/speedscope/dist/release
python3 - "$app/file-format-schema.json" s.json <<'END' || fail "its schema"
import json, sys, jsonschema
schema, file = (json.load(open(name)) for name in sys.argv[1:])
jsonschema.validate(file, schema)
END
printf 'speedscope.loadFileFromBase64("s.json", "%s")' "$(base64 -w 0 s.json)" \
	>profile.js
page "file://$app/index.html#localProfilePath=$PWD/profile.js" >page.html
grep -q '<title>cache - speedscope</title>' page.html || fail "not loaded"
calls=$(json "$t" .totals.allocations | sed -E \
	':a; s/([0-9])([0-9]{3})($|,)/\1,\2\3/; ta')
grep -qF "<span>allocations</span></td><td class=" page.html ||
	fail "no profile named allocations"
grep -qF ">$calls</td>" page.html || fail "does not show $calls allocations"

# Of an import, what it knows.
"$REPORT" export -f speedscope "$MT_TOP/tests/data/import/massif.out" |
	jq -e '.profiles | map([.name, .endValue]) == [
		["live at the peak", 44096], ["live at the end", 35832]]' \
	>/dev/null || fail "massif.out"
