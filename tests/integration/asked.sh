#!/bin/bash
# SPDX-License-Identifier: MIT
# A running program is scanned on request, by itself or from outside: what its
# threads hold is seen, or it is said what was not; the program notices
# nothing; whoever is killed meanwhile, the trace is whole.
# shellcheck source=tests/integration/lib.sh
. "$MT_TOP/tests/integration/lib.sh"

program=$HOST/asked
OPTIONS=leaks=off
pid=

# Print what of the last scan of a trace a jq filter says.
leaks()
{
	local filter=$1

	shift
	"$REPORT" leaks --json --kind all "$@" | jq -c "$filter"
}

# Start a case in the background, as $pid.
start()
{
	rm -f trace.*
	become_recorded "$program" "$@" >out 2>err &
	pid=$!
}

# Wait till the recorded program has a fork of its own, as $child.
await_child()
{
	for _ in $(seq 2000); do
		child=$(pgrep -P "$pid") && return
		sleep 0.005
	done
	fail "no fork: $(cat err)"
}

# What threads hold: in registers of both kinds, on stacks; and what is said
# of those that block all signals.
check_threads()
{
	local t=$1

	[ "$(leaks '[.definite, .indirect, .possible] | map(.blocks)' "$t")" \
		= '[1,0,0]' ] || fail "threads: $("$REPORT" leaks "$t")"
	[ "$(leaks '[.leaks[] | .bytes] | sort' "$t")" \
		= '[55,61,62,63,64,65]' ] || fail "$(leaks .leaks "$t")"
	[ "$(leaks '[.scan.unseen[].what] | sort' "$t")" \
		= '["registers","thread"]' ] || fail "$(leaks .scan "$t")"
	leaks .scan "$t" | jq -e '.on_request and .pause_ns >= .fork_ns and
		.fork_ns > 0' >/dev/null || fail "$(leaks .scan "$t")"
	"$REPORT" leaks "$t" >text
	grep -q '^scan 0 .* on request' text || fail "$(cat text)"
	[ "$(grep -c '^not seen .*of 1 thread (' text)" = 2 ] ||
		fail "$(cat text)"
}
start threads
wait "$pid" || fail "threads: status $?: $(cat out)"
check_threads "$(trace)"

# Under strace nobody else can attach; nobody needs to.
rm -f trace.*
strace -f -o strace.out -E LD_PRELOAD="$LIB" \
	-E MEMTRACE="out=$PWD/trace.%e.%p.zst,leaks=off" "$program" threads \
	>out 2>err || fail "strace: status $?: $(cat out err)"
grep -q ptrace strace.out && fail "ptrace is called"
check_threads "$(trace)"

# A hundred threads, each holding a block.
start hundred
wait "$pid" || fail "hundred: status $?: $(cat out)"
[ "$(leaks '[.definite.blocks, .reachable.blocks, (.scan.unseen | length)]' \
	"$(trace)")" = '[1,100,0]' ] || fail "$("$REPORT" leaks "$(trace)")"

# Nothing to be noticed: sleeps, signals, wait(), errno, what is printed.
start unnoticed
wait "$pid" || fail "unnoticed: status $?: $(cat out)"
[ ! -s out ] || fail "unnoticed: $(cat out)"
[ "$(leaks .scan.number "$(trace)")" = 2 ] || fail "unnoticed: not 3 scans"

# A child forked right after it has a trace and scans of its own.
start forks
wait "$pid" || fail "forks: status $?: $(cat out)"
n=0
for t in trace.*.zst; do
	[ "$(leaks '[.scan.number, .definite.blocks]' "$t")" = '[0,1]' ] ||
		fail "forks: $("$REPORT" leaks "$t")"
	((n++))
done
[ "$n" = 2 ] || fail "forks: $n traces"

# While two threads allocate as fast as they can: every scan is sound.
start heavy 10
wait "$pid" || fail "heavy: status $?: $(cat out)"
t=$(trace) || exit 1
sound "$t"
for n in 0 4 9; do
	[ "$(leaks '[.scan.number, .definite.blocks, .possible.blocks]' \
		--scan $n "$t")" = "[$n,1,0]" ] ||
		fail "heavy: scan $n: $("$REPORT" leaks --scan $n "$t")"
done
"$REPORT" leaks --scan 10 "$t" 2>err && fail "there is a scan 10"
grep -q 'no scan 10' err || fail "scan 10: $(cat err)"

# The fork is killed: the program goes on, and is scanned again at its end.
OPTIONS=
for _ in 1 2 3; do
	start many 200000
	await_child
	kill -9 "$child" 2>/dev/null
	for f in trace.*.zst; do
		zstd -tq "$f" || fail "fork killed: zstd -t"
	done
	wait "$pid" || fail "fork killed: status $?: $(cat out)"
	t=$(trace) || exit 1
	sound "$t"
	[ "$(leaks '[.scan.number, .scan.on_request, .definite.blocks]' "$t")" \
		= '[1,false,1]' ] || fail "fork killed: $(leaks .scan "$t")"
	is "$t" .lost.events 0
done

# The program is killed: the fork completes the trace all the same.
OPTIONS=leaks=off
start many 200000
await_child
kill -9 "$pid"
wait "$pid" 2>/dev/null
t=$(trace) || exit 1
zstd -tq "$t" || fail "program killed: zstd -t"
for _ in $(seq 500); do
	kill -0 "$child" 2>/dev/null || break
	sleep 0.02
done
kill -0 "$child" 2>/dev/null && fail "program killed: the fork stays"
zstd -tq "$t" || fail "program killed: zstd -t, afterwards"
[ "$(leaks '[.checked, .scan.number, .definite.blocks, .reachable.blocks]' \
	"$t")" = '[true,0,1,200000]' ] || fail "$("$REPORT" leaks "$t")"
# What it found counts; that it found nothing would not.
"$REPORT" check "$t" >text
status=$?
[ $status = 3 ] || fail "killed after a scan: check gives $status"
"$REPORT" check --max-leak-blocks 1 --json "$t" >text
status=$?
[ $status = 4 ] || fail "killed after a scan: check gives $status"
jq -e '.cases[0].found == "not checked: it was killed after its last scan"' \
	text >/dev/null || fail "killed after a scan: $(cat text)"

# From outside: a program that allocates.
start waits 1
sleep 0.3
"$REPORT" leaks --now "$pid" >text 2>err || fail "--now: $(cat err)"
grep -q '^scan 0 ' text || fail "--now: $(cat text)"
grep -q '^definite  *55 B in 1 block$' text || fail "--now: $(cat text)"
"$REPORT" ctl "$pid" leaks >text 2>err || fail "ctl leaks: $(cat err)"
[ "$(cat text)" = "scan 1 of $PWD/$(trace)" ] || fail "ctl: $(cat text)"
"$REPORT" ctl "$pid" mark 'over here' || fail "ctl mark"
"$REPORT" ctl "$pid" stop || fail "ctl stop"
sleep 0.1
"$REPORT" --json "$(trace)" | jq .totals.allocations >before
sleep 0.2
"$REPORT" --json "$(trace)" | jq .totals.allocations >after
cmp before after || fail "ctl stop: it goes on"
"$REPORT" ctl "$pid" start || fail "ctl start"
sleep 0.2
"$REPORT" --json "$(trace)" | jq .totals.allocations >after
[ "$(cat after)" -gt "$(cat before)" ] || fail "ctl start: it does not"
kill "$pid"
wait "$pid" 2>/dev/null
[ "$("$REPORT" timeline --json "$(trace)" | jq -r '.marks[].name')" \
	= 'over here' ] || fail "ctl mark: no mark"
"$REPORT" ctl "$pid" leaks 2>err && fail "ctl of nobody"
grep -q "process $pid: no such process" err || fail "nobody: $(cat err)"

# A program that sleeps is only reached by signal; else that is said.
start waits 0
sleep 0.3
"$REPORT" leaks --now "$pid" --timeout 300ms >text 2>err &&
	fail "asleep: an answer"
grep -q 'no answer in 0.3 s.*signal=N' err || fail "asleep: $(cat err)"
kill "$pid"
OPTIONS=leaks=off,signal=12
start waits 0
sleep 0.3
"$REPORT" leaks --now "$pid" >text 2>err || fail "by signal: $(cat err)"
grep -q '^definite  *55 B in 1 block$' text || fail "by signal: $(cat text)"
kill "$pid"
wait 2>/dev/null

# The signal goes to a thread whose sleep does not end by it.
start sleeps_beside
sleep 0.3
"$REPORT" leaks --now "$pid" >text 2>err || fail "beside: $(cat err)"
wait "$pid" || fail "beside: $(cat out)"

# What cannot be asked.
sleep 30 &
"$REPORT" ctl $! leaks 2>err && fail "an answer of who is not recorded"
grep -q 'not recorded' err || fail "not recorded: $(cat err)"
kill $!
for words in '' '1' '1 lekas' 'x leaks' '1 mark' '1 stop now'; do
	# shellcheck disable=SC2086
	"$REPORT" ctl $words 2>err
	[ $? = 2 ] || fail "ctl $words: $(cat err)"
done
"$REPORT" ctl 1 leak 2>&1 | grep -q "did you mean 'leaks'" || fail "nearest"
