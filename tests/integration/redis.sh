#!/bin/bash
# SPDX-License-Identifier: MIT
# redis-server answers a client and a benchmark the same; its trace is whole.
# shellcheck source=tests/integration/lib.sh
. "$MT_TOP/tests/integration/lib.sh"

socket=$PWD/redis.sock
server=
trap '[ -z "$server" ] || kill "$server"' EXIT

# Start a server with a wrapper, use it, shut it down; answers go to $1.
session()
{
	local out=$1 tries=0 status

	shift
	"$@" redis-server --port 0 --unixsocket "$socket" --save '' \
		--appendonly no --loglevel warning --daemonize no \
		>"$out.log" 2>"$out.err" &
	server=$!
	until redis-cli -s "$socket" ping >/dev/null 2>&1; do
		((tries++ < 100)) || fail "no server: $(cat "$out.log")"
		sleep 0.05
	done
	{
		for i in $(seq 300); do
			echo "SET key:$i $(printf %0100d "$i")"
			echo "RPUSH list $i"
			echo "HSET hash f$i v$i"
		done
		echo 'LRANGE list 0 20'
		echo 'HLEN hash'
		echo 'EVAL "return redis.call(\"get\", KEYS[1])" 1 key:7'
		echo 'WRONG command'
		echo 'DBSIZE'
	} | redis-cli -s "$socket" >"$out"
	redis-benchmark -s "$socket" -q -n 2000 -c 20 -t set,get,lpush,lrange_100 \
		>/dev/null || fail "the benchmark fails"
	redis-cli -s "$socket" dbsize >>"$out"
	redis-cli -s "$socket" shutdown nosave >>"$out" 2>&1
	wait "$server"
	status=$?
	server=
	echo "status $status" >>"$out"
	sed -E 's/[0-9]+:[MCX] [^*#]*[*#]/PID TIME/; s/pid=[0-9]+/pid=PID/' "$out.log" >"$out.words"
}

session plain.out plain
session with.out record
for what in out out.words out.err; do
	cmp plain.$what with.$what || fail "$(diff plain.$what with.$what)"
done
t=$(trace) || exit 1
sound "$t"
lossless "$t"
is "$t" .end exit
(($(json "$t" .totals.allocations) > 5000)) || fail "too few allocations"
