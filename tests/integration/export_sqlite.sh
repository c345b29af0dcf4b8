#!/bin/bash
# SPDX-License-Identifier: MIT
# The database of `export --format sqlite`: sums as in the JSON, valid keys,
# the same bytes twice, nothing half-written; and the man page's ten queries
# answer what the JSON says.
# shellcheck source=tests/integration/lib.sh
. "$MT_TOP/tests/integration/lib.sh"

record "$MT_BUILD/examples/threads" >/dev/null || fail "threads: status $?"
mv "$(trace)" t.zst
sound t.zst

# Print the answer to a query.
ask()
{
	sqlite3 -bail -separator '|' base.db <<<"$1" || fail "query fails: $1" >&2
}

# Check the answer to a query.
answers()
{
	local got

	got=$(ask "$1")
	[ "$got" = "$2" ] || fail "$1: $got, not $2"
}

"$REPORT" export -f sqlite -o base.db t.zst || fail "status $?"
"$REPORT" export -f sqlite -o twice.db t.zst || fail "status $?"
cmp base.db twice.db || fail "not the same bytes twice"
answers 'PRAGMA foreign_key_check' ''
answers 'PRAGMA integrity_check' ok
answers 'PRAGMA user_version' 1
answers 'PRAGMA application_id' 1297379939

totals=$(json t.zst '[.totals.allocations, .totals.allocated_bytes,
	.totals.frees, .totals.temporary, .peak.bytes, .peak.blocks,
	.exit.bytes, .exit.blocks] | map(tostring) | join("|")')
for table in rows sites; do
	answers "SELECT sum(allocations), sum(allocated_bytes), sum(frees),
		sum(temporary), sum(peak_bytes), sum(peak_blocks),
		sum(exit_bytes), sum(exit_blocks) FROM $table" "$totals"
done
answers 'SELECT sum(peak_bytes), sum(peak_blocks), sum(exit_bytes),
	sum(exit_blocks) FROM live' "$(cut -d '|' -f 5- <<<"$totals")"
answers 'SELECT sum(allocations), sum(allocated_bytes), sum(peak_blocks),
	sum(exit_blocks) FROM histogram_sizes' \
	"$(cut -d '|' -f 1,2,6,8 <<<"$totals")"
answers 'SELECT sum(allocations), sum(allocated_bytes), sum(frees),
	max(max_bytes) FROM timeline' "$(cut -d '|' -f 1,2,3,5 <<<"$totals")"
answers 'SELECT sum(blocks), sum(bytes) FROM histogram_lifetimes' \
	"$(cut -d '|' -f 1,2 <<<"$totals")"
answers 'SELECT sum(blocks), sum(bytes) FROM histogram_lifetimes
	WHERE under_ns IS NULL' "$(cut -d '|' -f 8 <<<"$totals")|$(
	cut -d '|' -f 7 <<<"$totals")"
answers 'SELECT count(*) FROM stacks WHERE id NOT IN
	(SELECT stack_id FROM stack_frames)' 0

# The man page's queries, one file each.
sed -n '/^\.\\" queries {/,/^\.\\" }/p' "$MT_TOP/man/memtrace-report.1" |
	grep -v '^\.' | awk '/^-- [0-9]+:/ { n++ } { print >("query." n) }'
[ "$(echo query.*)" = "$(echo query.{1,10,2,3,4,5,6,7,8,9})" ] ||
	fail "not ten queries: $(echo query.*)"

# Check that a query of the man page answers what a jq expression does.
says()
{
	ask "$(cat "query.$1")" >"answer.$1"
	[ -s "answer.$1" ] || fail "query $1 has no answer"
	json t.zst "$2" >wanted
	diff "answer.$1" wanted >out || fail "query $1: $(cat out)"
}

says 1 '"allocated_bytes|\(.totals.allocated_bytes)",
	"allocations|\(.totals.allocations)", "exit_bytes|\(.exit.bytes)",
	"frees|\(.totals.frees)", "peak_bytes|\(.peak.bytes)"'
says 4 '[.sites[] | [.allocated_bytes, ."module"]] | group_by(.[1]) |
	map([(map(.[0]) | add), .[0][1]]) | sort_by([-.[0], .[1]])[] |
	map(. // "" | tostring) | join("|")'

# Check the sum of a query's column against a jq expression.
adds_up()
{
	local sum

	ask "$(cat "query.$1")" >"answer.$1"
	sum=$(awk -F '|' -v column="$2" '{ n += $column }
		END { printf "%d", n }' "answer.$1")
	[ "$sum" = "$(json t.zst "$3")" ] ||
		fail "query $1: $sum, not $(json t.zst "$3")"
}

adds_up 2 1 .peak.bytes
adds_up 2 2 .peak.blocks
adds_up 3 1 .exit.bytes
adds_up 5 1 .peak.bytes
adds_up 6 2 .totals.allocations
adds_up 6 3 .totals.allocated_bytes
adds_up 7 1 '[.sites[] | select(.temporary * 2 > .allocations) |
	.temporary] | add // 0'
adds_up 10 2 .totals.frees
"$REPORT" top --by function --cumulative --at total --csv t.zst >top.csv
[ "$(ask "$(cat query.8)")" = "$(grep '"main"' top.csv | cut -d , -f 1)" ] ||
	fail "query 8: $(ask "$(cat query.8)"); $(cat top.csv)"
ask "$(cat query.9)" >answer.9
[ "$(wc -l <answer.9)" -ge 2 ] || fail "query 9: $(cat answer.9)"

# What another tool wrote, and no place to write to.
"$REPORT" export -f sqlite -o base.db "$MT_TOP/tests/data/import/massif.out" ||
	fail "massif.out: status $?"
answers 'PRAGMA foreign_key_check' ''
answers 'SELECT sum(peak_bytes), sum(exit_bytes) FROM rows' '44096|35832'
answers "SELECT count(*) FROM meta WHERE key = 'allocations'" 0
"$REPORT" export -f sqlite t.zst >out 2>err && fail "wrote to stdout"
grep -q 'say -o FILE' err || fail "stdout: $(cat err)"
[ ! -s out ] || fail "stdout: wrote something"
(
	ulimit -f 8
	trap '' XFSZ
	"$REPORT" export -f sqlite -o small.db t.zst 2>err
) && fail "no error on a full disk"
grep -q 'cannot write small.db' err || fail "full disk: $(cat err)"
[ "$(echo small.db*)" = 'small.db*' ] || fail "left $(echo small.db*)"
