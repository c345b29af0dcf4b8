#!/bin/bash
# SPDX-License-Identifier: MIT
# Names that would break a format do not: markup, quotes, separators, control
# characters, bytes that are not UTF-8. Every format stays one that parses.
# shellcheck source=tests/integration/lib.sh
. "$MT_TOP/tests/integration/lib.sh"

{
	printf 'v 10200 2\nX ./app\nI 1000 1\ns /opt/a <b>&"c"\n'
	printf 's <&>"]]>\\;\001\377\302 f\357\277\276\r\n'
	printf 's dir/x"<y>&;\177.c\ns main\ns main.c\n'
	printf 'i 401010 1 4 5 7\nt 1 0\ni 401020 1 2 3 c\nt 2 1\n'
	printf 'a 10 2\n+ 0\n+ 0\nc 10\n- 0\n'
} >names.txt
"$REPORT" --json names.txt | jq -e '.peak.bytes == 32 and .exit.bytes == 16' \
	>/dev/null || fail "not read: $("$REPORT" --json names.txt)"

for format in folded massif callgrind dhat speedscope svg pprof; do
	"$REPORT" export -f $format -o out.$format names.txt 2>err ||
		fail "$format: $(cat err)"
done
for format in dhat speedscope; do
	jq -e . out.$format >/dev/null || fail "$format: no JSON"
done
for format in dhat speedscope svg; do
	iconv -f UTF-8 -t UTF-8 out.$format >/dev/null ||
		fail "$format: not UTF-8"
done
python3 -c 'import xml.etree.ElementTree as t; t.parse("out.svg")' ||
	fail "svg: no XML"
# One line a stack, one separator a frame.
[ "$(wc -l <out.folded)" = 1 ] || fail "folded: $(cat out.folded)"
[ "$(tr -cd ';' <out.folded)" = ';' ] || fail "folded: $(cat out.folded)"
for format in folded massif callgrind; do
	tr -d '\n\177' <out.$format | grep -q '[[:cntrl:]]' &&
		fail "$format: control characters"
done
[ "$(grep -c '^fn=' out.callgrind)" = 2 ] || fail "callgrind: functions"
[ "$(grep -c '^ *n[0-9]*: ' out.massif)" = 6 ] ||
	fail "massif: $(cat out.massif)"
# The tool's own reader takes the profile that it wrote.
"$REPORT" --json out.pprof | jq -e '.exit.bytes == 16' >/dev/null ||
	fail "pprof: $("$REPORT" --json out.pprof)"
