#!/bin/bash
# SPDX-License-Identifier: MIT
# Blocks are chosen by --where and its kin, in every view; by time, exactly.
# shellcheck source=tests/integration/lib.sh
. "$MT_TOP/tests/integration/lib.sh"

both "$HOST/chosen"
t=$(trace) || exit 1
sound "$t"
lossless "$t"

# Print a jq expression of the report with options "$2...".
report()
{
	local what=$1

	shift
	"$REPORT" --json "$@" "$t" >report.json || fail "$*: report fails"
	jq -r "$what" report.json
}

# Check how many allocations options "$2..." choose.
chosen()
{
	local got

	got=$(report .totals.allocations "${@:2}") || fail "$got"
	[ "$got" = "$1" ] || fail "$*: $got allocations"
}

chosen 80 --focus chosen_parse
chosen 80 --where 'site == "chosen_parse"'
chosen 0 --focus chosen_parse --ignore main --thread worker --ignore run
chosen 40 --focus chosen_parse --thread worker
chosen 40 --where 'stack ~ "parse" && function != "main"'
chosen 47 --thread worker
chosen 47 --where 'function == "run"'
chosen 47 --where "thread == $(report '.threads[] |
	select(.name == "worker") | .tid')"
chosen 3 --size 1M:
chosen 3 --where 'size == 2MiB && !freed'
chosen 2 --size 4K:64K
chosen 1 --where 'kind == "realloc" && function == "chosen_grow"'
chosen 1 --where 'size == 5000 && freed && !temporary'
chosen 5 --where 'align == 256'
chosen 5 --where 'kind ~ "^posix_mem"'
chosen 7 --where 'lifetime >= 60ms && freed'
chosen 7 --lifetime 60ms:1h
chosen 7 --where 'file == "chosen.c" && time > 0s && thread == "worker" &&
	kind == "calloc" && depth >= 3' --focus chosen_hold
chosen 40 --where "temporary && thread == 'worker' && size == 100"

events "$t" >events
held=$(awk '$4 == "calloc" && $6 == 64 { t = $1 } END { print t }' events)

# What is chosen and what is not make up all.
all=$(report '.totals | .allocations, .frees, .allocated_bytes, .temporary')
while read -r x; do
	yes=$(report '.totals | .allocations, .frees, .allocated_bytes,
		.temporary' --where "$x")
	no=$(report '.totals | .allocations, .frees, .allocated_bytes,
		.temporary' --where "!($x)")
	sum=$(paste -d ' ' <(echo "$yes") <(echo "$no") |
		awk '{ print $1 + $2 }')
	[ "$sum" = "$all" ] || fail "$x: $yes + $no is not $all"
	[ "$yes" != "$all" ] && [ "$no" != "$all" ] || fail "$x: all or none"
done <<-END
	size > 100
	lifetime > 1ms
	freed
	temporary || align > 0
	stack ~ "chosen_(leak|grow)"
	module == "libc.so.6" && depth > 4
	thread ~ "^w"
	time < ${held}ns
END

# The views agree: the summary, top, an exporter, events.
w='stack ~ "chosen_(parse|hold)" && thread == "worker"'
[ "$(report .totals.allocations --where "$w")" = 47 ] || fail "not 47"
"$REPORT" --where "$w" "$t" 2>err | grep -q ' 47 allocations, 4.3 KiB' ||
	fail "the summary does not say 47"
"$REPORT" top --csv --at total --where "$w" "$t" >top.csv || fail "no top"
[ "$(awk -F, 'NR > 1 { b += $1; n += $2 } END { print b, n }' top.csv)" = \
	"4448 47" ] || fail "top: $(cat top.csv)"
"$REPORT" export -f folded --at total --where "$w" "$t" >folded ||
	fail "no export"
[ "$(awk '{ n += $NF } END { print n }' folded)" = 4448 ] ||
	fail "folded: $(cat folded)"
"$REPORT" events --where "$w" "$t" >some || fail "no events"
[ "$(awk '$4 == "free"' some | wc -l)" = 47 ] || fail "not 47 frees: $(cat some)"
[ "$(awk '$4 != "free" { n += $6 } END { print NR, n }' some)" = "94 4448" ] ||
	fail "not 94 events: $(cat some)"
grep -Fvxqf events some && fail "events that are not in the trace"
"$REPORT" events --where 'size >= 5000 && freed' --no-stack "$t" |
	awk '{ print $4, $6 }' >some
[ "$(cat some)" = "malloc 5000
realloc_free 0
realloc 60000
free 0" ] || fail "the moved block: $(cat some)"
"$REPORT" events --hide . "$t" | grep -qv '(hidden)$' && fail "not all hidden"

# A hidden frame is nowhere; nothing else is missing.
"$REPORT" export -f folded --at total "$t" >folded
"$REPORT" export -f folded --at total --hide 'chosen_p|^main$' "$t" >hidden
[ "$(awk '{ n += $NF } END { print n }' folded)" = \
	"$(awk '{ n += $NF } END { print n }' hidden)" ] || fail "bytes hidden"
grep -q 'main;chosen_parse ' folded || fail "$(cat folded)"
grep -qE 'chosen_p|;main;' hidden && fail "$(cat hidden)"
grep -q ';run 4000$' hidden || fail "hidden: $(cat hidden)"
chosen 80 --hide chosen_parse --focus chosen_parse

# Windows begin with the event at --from and end before the one at --to.
mapfile -t at < <(awk '$6 == 2097152 { print $1 }' events)
[ ${#at[@]} = 3 ] || fail "not three large blocks"
a=${at[0]} b=${at[1]} c=${at[2]}
leak='[.sites[] | select(.function == "chosen_leak")][0] |
	[.allocations, .peak_blocks, .exit_blocks] | join(",")'
while read -r want options; do
	# shellcheck disable=SC2086
	got=$(report "$leak" $options)
	[ "$got" = "$want" ] || fail "$options: $got, not $want"
done <<END
3,3,3
3,3,3 --from ${a}ns
2,3,3 --from ${b}ns
2,3,3 --from $((a + 1))ns
0,3,3 --from 100h
2,2,2 --to ${c}ns
3,3,3 --to $((c + 1))ns
1,2,2 --from ${b}ns --to ${c}ns
1,1,1 --at ${a}ns
2,2,2 --at ${b}ns
1,1,1 --at $((b - 1))ns
END
[ "$("$REPORT" events --from "${a}ns" --to "${c}ns" "$t" |
	grep -c ' 2097152 ')" = 2 ] || fail "not two of them from ... to"
[ "$("$REPORT" events --at "${b}ns" --size 2M "$t" | wc -l)" = 2 ] ||
	fail "not two of them at the second"
# A lifetime is the block's own, however little of it is in the window.
chosen 7 --lifetime 60ms:1h --to "$((held + 1))ns"

# Each view says in its heading that it is not about all, and JSON does.
is_said()
{
	local said="selected: --from 1us --thread worker --where 'size >= 1'"

	"$REPORT" "$@" --from 1us --thread worker --where 'size >= 1' "$t" \
		>out || fail "$* of a selection"
	head -n 2 out | grep -qxF "$said" || fail "$* does not say: $(cat out)"
	"$REPORT" "$@" --json --from 1us --size 1: --focus 'chosen|run' "$t" |
		jq -c .selection >out
	[ "$(cat out)" = '{"from":"1us","size":"1:","focus":"chosen|run"}' ] ||
		fail "$* --json says: $(cat out)"
	"$REPORT" "$@" "$t" | grep selected && fail "$* of all is of a selection"
	[ "$("$REPORT" "$@" --json "$t" | jq -c .selection)" = '{}' ] ||
		fail "$* --json of all"
}

is_said
for view in top tree 'peek chosen_parse' 'list chosen_parse --at total' \
	sizes lifetimes threads reallocs growth timeline merge; do
	# shellcheck disable=SC2086
	is_said $view
done
"$REPORT" diff --at "${b}ns" "$t" "$t" | grep -qx "selected: --at ${b}ns" ||
	fail "diff --at does not say"
"$REPORT" --at exit --hide "a'b" "$t" | grep -qxF "selected: --hide 'a'\\''b'" ||
	fail "--hide is not said"
"$REPORT" info --size 1: "$t" | grep selected && fail "info is of all"

# What is wrong is pointed at; nothing is reported.
refused()
{
	local status

	"$REPORT" "${@:2}" "$t" >out 2>err
	status=$?
	[ $status = 2 ] || fail "${*:2}: status $status"
	[ ! -s out ] || fail "${*:2}: reports"
	[ "$(cat err)" = "$1" ] || fail "${*:2}: says $(cat err)"
}

refused "memtrace-report: --where: unknown field 'sizee', did you mean 'size'?
  freed && sizee > 1M
           ^" --where 'freed && sizee > 1M'
refused "memtrace-report: --where: 'lifetime' is compared with a time like \
12.3s or 200ms; there is '10mz'
  function ~ \"ä\" && lifetime < 10mz
                               ^" events --where \
	'function ~ "ä" && lifetime < 10mz'
refused "memtrace-report: --focus: '(': Unmatched ( or \\(" top --focus '('
refused "memtrace-report: --hide: '(': Unmatched ( or \\(" --hide '('
exit 0
