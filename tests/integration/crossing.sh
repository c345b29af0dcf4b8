#!/bin/bash
# SPDX-License-Identifier: MIT
# limit=SIZE: each crossing is noted, within 64 events of it, once for each
# tenth of growth; so are allocations that fail, with their size and site, and
# what ctl asks for; and the composition at each is exact.
# shellcheck source=tests/integration/lib.sh
. "$MT_TOP/tests/integration/lib.sh"

# Print what of the snapshots a jq filter says.
snapshots()
{
	"$REPORT" snapshots --json trace.crossing.*.zst | jq -c "$1"
}

OPTIONS=limit=40M both "$HOST/crossing" 80
sound trace.crossing.*.zst

# From 40 to 80 MiB in steps of 10 % and 64 blocks: 7 crossings, each found before 64 events more.
[ "$(snapshots '[.snapshots[].moment]')" = \
	'["limit:1","limit:2","limit:3","limit:4","limit:5","limit:6","limit:7","failure:1","failure:2","failure:3"]' ] ||
	fail "moments: $(snapshots .)"
snapshots '.snapshots[0].crossed_bytes' | grep -qx 41943040 || fail "not 40M"
snapshots '.snapshots | map(select(.crossed_bytes > 0)) |
	all(.live_bytes >= .crossed_bytes and
		.live_bytes < .crossed_bytes + 65 * 20016) and
	([.[1:], .[:-1]] | transpose |
		all(.[0].crossed_bytes >= .[1].live_bytes * 1.1 - 1 and
			.[0].crossed_bytes <= .[1].live_bytes * 1.1 + 1))' |
	grep -qx true || fail "when: $(snapshots .)"

# Who asked for how much; the bytes that were live then.
[ "$(snapshots '[.snapshots[7:][] | [.asked_bytes, .site]]')" = \
	'[[1125899906842624,"crossing_fails"],[2251799813685248,"crossing_fails"],[1125899906842625,"crossing_fails"]]' ] ||
	fail "failures: $(snapshots .)"
snapshots '.snapshots[7].stack' | grep -q 'crossing_fails < main' ||
	fail "no stack"

# What was live then, by the replay to that instant: a quarter is small's.
for n in 1 4 7; do
	"$REPORT" top --json --at "limit:$n" trace.crossing.*.zst >top ||
		fail "top --at limit:$n"
	jq -e --argjson live "$(snapshots ".snapshots[$n - 1].live_bytes")" '
		(.rows[0].blocks / .rows[1].blocks | . > 2.99 and . < 3.01) and
		.rows[0].function == "crossing_large" and
		([.rows[].bytes] | add) as $sum |
		$sum <= $live and $live - $sum < $live / 500 + 65 * 20016' \
		top >/dev/null || fail "composition at limit:$n: $(cat top)"
done
"$REPORT" top --at limit trace.crossing.*.zst >text || fail "top --at limit"
grep -q 'Live at limit' text || fail "title: $(cat text)"
cmp <("$REPORT" top --json --at limit trace.crossing.*.zst | jq .rows) \
	<(jq .rows top) || fail "limit is not the last one"
"$REPORT" top --json --at failure:3 trace.crossing.*.zst |
	jq -e '[.rows[].blocks] | add == 2' >/dev/null || fail "at failure:3"
"$REPORT" snapshots trace.crossing.*.zst >text 2>next || fail "no text"
grep -q 'failure:3 .* [0-9.]* [A-Z]iB  crossing_fails$' text || fail "$(cat text)"
grep -q 'top --at failure' next || fail "no next command: $(cat next)"
"$REPORT" snapshots --csv trace.crossing.*.zst | grep -q 'limit:7' || fail "CSV"

# A moment that is not there, and none at all.
for at in limit:9 mark:x snapshot; do
	"$REPORT" top --at $at trace.crossing.*.zst 2>err && fail "--at $at"
	grep -q "no moment '$at'" err || fail "--at $at: $(cat err)"
done
"$REPORT" top --at limit:0 trace.crossing.*.zst 2>err
[ $? = 2 ] || fail "--at limit:0"

# Without a limit no crossing is noted; a mark has a composition, too.
rm -f trace.*
record "$HOST/crossing" 2 || fail "status $?"
[ "$(snapshots '[.snapshots[].moment]')" \
	= '["failure:1","failure:2","failure:3"]' ] || fail "without a limit"
rm -f trace.*
record "$HOST/marks" 2 >/dev/null || fail "marks: status $?"
for t in trace.*.zst; do
	"$REPORT" top --json --at mark:begin "$t" >top 2>/dev/null || continue
	jq -e '[.rows[].bytes] | add < 1048576' top >/dev/null ||
		fail "at mark:begin: $(cat top)"
	"$REPORT" memory --json "$t" | jq -e '.moments[0].why == "mark"' \
		>/dev/null || fail "no look at a mark"
	break
done
[ -s top ] || fail "no mark"

# The limit is crossed before the end of who is killed; threads are summed.
rm -f trace.*
OPTIONS=limit=10M
(become_recorded "$HOST/crossing" 12 kill) 2>/dev/null
[ "$(snapshots '[.snapshots[].moment]')" = '["limit:1"]' ] ||
	fail "killed: $(snapshots .)"
"$REPORT" memory trace.*.zst | grep -q 'live blocks, as asked for' ||
	fail "killed: no look at memory"

# In a ring, an instant before the history is said to be that.
rm -f trace.*
OPTIONS=limit=200K,size=1M
record "$HOST/ring" 1 1000000 >/dev/null || fail "ring: status $?"
"$REPORT" top --at limit:1 trace.ring.*.zst 2>err && fail "before the history"
grep -q 'history begins' err || fail "ring: $(cat err)"
"$REPORT" snapshots trace.ring.*.zst | grep -q 'before the history' ||
	fail "ring: snapshots"
"$REPORT" memory trace.ring.*.zst | grep -q 'earlier: before the history' ||
	fail "ring: memory"

# On request.
rm -f trace.*
OPTIONS=
become_recorded "$HOST/asked" waits 1 >out 2>&1 &
pid=$!
sleep 0.2
for _ in 1 2; do
	"$REPORT" ctl $pid snapshot || fail "ctl snapshot"
done
"$REPORT" snapshots --json trace.asked.*.zst |
	jq -e '[.snapshots[].moment] == ["snapshot:1", "snapshot:2"] and
		.snapshots[0].live_bytes > 0' >/dev/null || fail "none on request"
"$REPORT" memory trace.asked.*.zst | grep -q '(snapshot)$' ||
	fail "no look on request"
kill -9 $pid
exit 0
