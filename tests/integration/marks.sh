#!/bin/bash
# SPDX-License-Identifier: MIT
# The moments that a program names are in the timeline, at their time.
# shellcheck source=tests/integration/lib.sh
. "$MT_TOP/tests/integration/lib.sh"

# Print what of a trace's marks in JSON a jq filter says.
marks()
{
	"$REPORT" timeline --json "$@" | jq -c '.marks'
}

both "$HOST/marks"
child=
for t in trace.*.zst; do
	if marks "$t" | grep -q begin; then
		parent=$t
	else
		child=$t
	fi
done
[ "$child" ] || fail "one trace only"
sound "$parent"
[ "$(marks "$child" | jq -r 'map(.name) | join(",")')" = "in the child" ] ||
	fail "the child's: $(marks "$child")"
long=$(head -c 255 /dev/zero | tr '\0' x)
[ "$(marks "$parent" | jq -r 'map(.name) | join(",")')" \
	= "begin,end,in a thread,$long,"$'\033[31mred' ] ||
	fail "the parent's: $(marks "$parent")"

# The block of 1 MiB is live between the two, and they are in the window.
marks "$parent" | jq -e 'map(.time_ns) == (map(.time_ns) | sort) and
	.[0].tid != .[2].tid and .[0].tid == .[1].tid' >/dev/null ||
	fail "times or threads: $(marks "$parent")"
begin=$(marks "$parent" | jq '.[0].time_ns')
end=$(marks "$parent" | jq '.[1].time_ns')
[ "$("$REPORT" timeline --json --from "${begin}ns" --to "${end}ns" "$parent" |
	jq '[.buckets[].allocated_bytes] | add')" = 1048576 ] ||
	fail "not between the marks"
[ "$(marks --from "${end}ns" "$parent" | jq 'length')" = 4 ] ||
	fail "the window is not kept"

# In text: on the line of time and below it, no escape sequence.
"$REPORT" timeline "$parent" >text
grep -q -- '-|' text || fail "no mark on the line: $(cat text)"
grep -q 'begin$' text || fail "no list: $(cat text)"
grep -q $'\033\[31m' text && fail "a mark steers the terminal"
"$REPORT" timeline --csv "$parent" | grep -q ',"begin"$' || fail "not in CSV"

# More than are kept, in a process and in its child: each report says so.
rm -f trace.*
record "$HOST/marks" 70000 2>err || fail "status $?"
[ "$(grep -c 'too many marks' err)" = 1 ] || fail "not said once: $(cat err)"
full=0
for t in trace.*.zst; do
	n=$(marks "$t" | jq length)
	[ "$n" = 1 ] && continue
	[ "$n" = 65536 ] || fail "$n marks kept"
	((full++))
	"$REPORT" "$t" | grep -q 'too many marks' || fail "not in the report"
	"$REPORT" timeline "$t" | grep -q 'later marks' || fail "no rest"
done
[ "$full" = 2 ] || fail "$full full traces, not 2"
