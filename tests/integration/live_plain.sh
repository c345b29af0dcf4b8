#!/bin/bash
# SPDX-License-Identifier: MIT
# live --plain: its last line is what the report says of the same trace, with a
# ring that is full and without one; the lines before it grow towards that.
# shellcheck source=tests/integration/lib.sh
. "$MT_TOP/tests/integration/lib.sh"

# Print "peak live allocations temporary" of a --exact line.
figures()
{
	sed -n 's/.* [0-9]*->\([0-9]*\)->\([0-9]*\) B,.* \([0-9]*\) allocs, \([0-9]*\) temp, .*/\1 \2 \3 \4/p' <<<"$1"
}

# Watch a program to its end: watch NAME COMMAND...
watched()
{
	local name=$1 pid last said n

	shift
	rm -f trace.*
	: >lines
	become_recorded "$@" <pipe >/dev/null 2>&1 &
	pid=$!
	exec 9>pipe
	until [ -s "trace.$name.$pid.zst" ]; do sleep 0.05; done
	sleep 0.3
	"$REPORT" live --plain --exact --interval 200ms "$pid" >lines 2>err 9>&- &
	until [ "$(wc -l <lines)" -ge 4 ]; do
		kill -0 $! || fail "$name: live ended: $(cat lines err)"
		sleep 0.05
	done
	[ -n "${KILL:-}" ] && kill -9 "$pid" && disown "$pid"
	exec 9>&-
	wait $! || fail "$name: live fails: $(cat err)"
	[ -n "${KILL:-}" ] || wait "$pid" || fail "$name fails"
	[ ! -s err ] || fail "$name: live says $(cat err)"
	last=$(tail -n 1 lines)
	[[ $last == *", ended: ${KILL:-exit}" ]] || fail "$name: ends with $last"
	said=$("$REPORT" --json "trace.$name.$pid.zst" | jq -r \
		'"\(.peak.bytes) \(.exit.bytes) \(.totals.allocations) \(.totals.temporary)"')
	[ "$(figures "$last")" = "$said" ] ||
		fail "$name: $last, the report: $said"
	grep -vqE '^heap [0-9]+ @[0-9.]+s: \+[0-9]+ B/s alloc, --?[0-9]+ B/s free, [0-9]+->[0-9]+->[0-9]+ B, ([0-9]+ B rss, )?[0-9]+ allocs, [0-9]+ temp, [0-9]+ thr(, lags: a look in [0-9.]+ s)?(, ended: .*)?$' lines &&
		fail "$name: lines: $(cat lines)"
	n=$(while read -r line; do figures "$line" | cut -d ' ' -f 3
		done <lines | sort -nc 2>&1)
	[ -z "$n" ] || fail "$name: allocations do not grow: $(cat lines)"
	[ "$(figures "$(head -n 1 lines)" | cut -d ' ' -f 3)" -lt \
		"$(cut -d ' ' -f 3 <<<"$said")" ] || fail "$name: at once there"
}

mkfifo pipe
watched grows "$HOST/grows"
# 1000 bytes and a hundred times 64 each 10 ms or a little more.
awk '/rss/ && NR > 2 { gsub(/[^0-9]/, "", $4); n++
	if ($4 + 0 < 70000 || $4 + 0 > 1000000) { print; exit 1 } }
	END { exit n < 2 }' lines || fail "rates: $(cat lines)"
KILL=killed watched grows "$HOST/grows"
OPTIONS=size=1M,leaks=off KILL=killed watched ring "$HOST/ring" 3 100000000
history=$("$REPORT" info --json trace.ring.*.zst | jq .history.folded_events)
[ "$history" -gt 0 ] || fail "the ring was not full: $history"

# What is added up look by look is what a report finds at once.
followed()
{
	local pid live n last said

	rm -f trace.*
	: >lines
	become_recorded "$HOST/ring" 3 100000000 >/dev/null 2>&1 &
	pid=$!
	disown $pid
	until [ -s "trace.ring.$pid.zst" ]; do sleep 0.05; done
	"$REPORT" live --plain --exact --interval 50ms "$pid" >lines 2>err &
	live=$!
	until [ "$(wc -l <lines)" -ge 4 ]; do sleep 0.05; done
	kill -STOP "$pid"
	n=$(wc -l <lines)
	until [ "$(wc -l <lines)" -ge $((n + 2)) ]; do sleep 0.05; done
	last=$(tail -n 1 lines)
	said=$("$REPORT" --json "trace.ring.$pid.zst" | jq -r \
		'"\(.peak.bytes) \(.exit.bytes) \(.totals.allocations) \(.totals.temporary)"')
	kill -9 "$pid"
	wait $live || fail "$1: live fails: $(cat err)"
	[ "$(figures "$last")" = "$said" ] ||
		fail "$1: $last, the report: $said"
}

OPTIONS=size=0 followed unbounded
OPTIONS=size=64M followed "not full"
OPTIONS=size=1M followed full

# Errors that help.
"$REPORT" live --plain 999999999 2>err && fail "no such process"
grep -q 'no such process' err || fail "no process: $(cat err)"
"$REPORT" live --plain --interval 0s x 2>err && fail "no interval"
grep -q 'interval takes' err || fail "interval: $(cat err)"
"$REPORT" live x </dev/null >out 2>err
[ $? = 2 ] || fail "no terminal: $(cat err)"
grep -q -- --plain err || fail "no terminal: $(cat err)"
rm -f trace.*
"$REPORT" live --plain 2>err && fail "nothing is recorded here"
grep -q 'name a process' err || fail "nothing here: $(cat err)"
exit 0
