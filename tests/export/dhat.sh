#!/bin/bash
# SPDX-License-Identifier: MIT
# dh_view.js loads what is exported for it without an error and shows the
# JSON's totals; each stack's own maximum is what its events say.
# shellcheck source=tests/export/lib.sh
. "$MT_TOP/tests/export/lib.sh"

# Load a file in dh_view as its file dialog does; leaves page.html.
view()
{
	local from

	from=$(dirname "$(dpkg -L valgrind | grep '/dh_view\.js$')")
	cp "$from"/dh_view.{js,css} .
	cat >view.html <<-END
		<!DOCTYPE html>
		<html><head><meta charset="UTF-8">
		<script src="dh_view.js"></script></head>
		<body onload="onLoad(); choose()"><script>
		function choose() {
			const files = new DataTransfer();
			files.items.add(new File([$(jq -Rs . "$1")], "d.json"));
			gInput.files = files.files;
			loadFile();
		}
		</script></body></html>
	END
	page "file://$PWD/view.html" >page.html
	! grep -qi 'class="error"\|assertion' page.html ||
		fail "$1: dh_view: $(grep -io '.\{9\}error.\{90\}' page.html)"
}

# Check that dh_view shows so many bytes and blocks of a sort.
shows()
{
	local text

	text="$2: $(echo "$3 bytes (100%) in $4 blocks" |
		sed -E ':a; s/([0-9])([0-9]{3})([, ])/\1,\2\3/; ta')"
	sed 's/<[^>]*>//g; s/(100%[^)]*)/(100%)/g' page.html |
		tr -s ' ' | grep -qF "$text" ||
		fail "$1: no '$text': $(sed 's/<[^>]*>//g' page.html |
			grep -F "$2:" | head -n 2)"
}

record "$MT_BUILD/examples/cache" >/dev/null || fail "no recording"
t=$(trace)
"$REPORT" export -f dhat -o d.json "$t" 2>err || fail "$(cat err)"
"$REPORT" export -f dhat "$t" 2>/dev/null | cmp - d.json ||
	fail "not the same bytes twice"
for pair in tb:.totals.allocated_bytes tbk:.totals.allocations \
	gb:.peak.bytes gbk:.peak.blocks eb:.exit.bytes ebk:.exit.blocks; do
	is "$t" "${pair#*:}" "$(jq "[.pps[].${pair%:*}] | add" d.json)"
done
jq -e '(.ftbl | length) as $n | .pps | all(
	.mb >= .gb and .mb >= .eb and .mb <= .tb and .mbk <= .tbk and
	(.fs | all(. > 0 and . < $n)))' d.json >/dev/null || fail "its fields"
jq -e '[.pps[].fs] | (unique | length) == length' d.json >/dev/null ||
	fail "a stack is there twice"

view d.json
shows cache Total "$(json "$t" .totals.allocated_bytes)" \
	"$(json "$t" .totals.allocations)"
shows cache 'At t-gmax' "$(json "$t" .peak.bytes)" "$(json "$t" .peak.blocks)"
if [ "$(json "$t" .exit.bytes)" != 0 ]; then
	shows cache 'At t-end' "$(json "$t" .exit.bytes)" \
		"$(json "$t" .exit.blocks)"
fi

# One stack after the other, chosen by its events: its maximum is its peak.
rm -f trace.*
record "$MT_BUILD/examples/growth" >/dev/null || fail "no recording"
t=$(trace)
"$REPORT" export -f dhat -o g.json "$t" || fail growth
for function in $(jq -r '.ftbl[]' g.json |
	sed -n 's/^0x[^:]*: \([a-z_]*\) (growth.c.*/\1/p' | sort -u); do
	[ "$function" = main ] && continue
	"$REPORT" export -f dhat --focus "^$function\$" -o one.json "$t"
	[ "$(jq '.pps | length' one.json)" = 1 ] || continue
	want=$("$REPORT" --json --focus "^$function\$" "$t" | jq .peak.bytes)
	[ "$(jq '.pps[0].mb' one.json)" = "$want" ] ||
		fail "$function: not $want at most: $(jq -c .pps one.json)"
	tried=1
done
[ "${tried:-}" ] || fail "no function has one stack"

# Of an import, its totals; without them there is nothing to write.
"$REPORT" export -f dhat -o i.json \
	"$MT_TOP/tests/data/import/gperftools.heap" || fail "gperftools.heap"
jq -e '.bklt == false and ([.pps[].tb] | add) == 50050000 and
	(.pps | all(has("eb") | not))' i.json >/dev/null ||
	fail "gperftools.heap: $(jq -c .pps i.json)"
view i.json
"$REPORT" export -f dhat "$MT_TOP/tests/data/import/massif.out" 2>err &&
	fail "massif.out: exported"
grep -q 'does not know' err || fail "massif.out: $(cat err)"
