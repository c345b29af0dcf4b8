#!/bin/bash
# SPDX-License-Identifier: MIT
# Debug info comes from the servers in DEBUGINFOD_URLS, one on the loopback
# here; without the variable none is asked.
# shellcheck source=tests/integration/lib.sh
. "$MT_TOP/tests/integration/lib.sh"

look_up=$MT_BUILD/tests/unit/look_up
export HOME=$PWD DEBUGINFOD_CACHE_PATH=$PWD/client DEBUGINFOD_TIMEOUT=5

build prog -Wl,--build-id
id=$(id_of prog)
address=$(address_of prog hidden)
mkdir served
objcopy --only-keep-debug prog served/prog.debug
strip -o bare prog

# Print what is known, as the one line behind the state.
ask()
{
	"$look_up" -b "$id" "$1" "$address" 2>&1 | tail -n 1
}

# Start a server on some port that is free.
for _ in 1 2 3 4 5; do
	port=$((20000 + RANDOM % 10000))
	debuginfod -F -p $port -d db.sqlite -v served >server.log 2>&1 &
	server=$!
	trap 'kill $server 2>/dev/null; wait $server 2>/dev/null' EXIT
	for _ in {1..100}; do
		grep -q 'started http server' server.log && break 2
		kill -0 $server 2>/dev/null || break
		sleep 0.1
	done
done
kill -0 $server 2>/dev/null || fail "no server: $(cat server.log)"

expected="$address hidden hidden $PWD/prog.c:3"
[ "$(ask bare)" = "$address ?" ] || fail "found without a server: $(ask bare)"
[ ! -e client ] || fail "a server was asked without the variable"
grep -q "GET /buildid" server.log && fail "a server was asked: $(cat server.log)"

export DEBUGINFOD_URLS=http://127.0.0.1:$port
for _ in {1..50}; do
	[ "$(ask bare)" = "$expected" ] && break
	rm -rf client
	sleep 0.2
done
[ "$(ask bare)" = "$expected" ] || fail "not from the server: $(ask bare)"
grep -q "GET /buildid/$id/debuginfo" server.log ||
	fail "the server was not asked: $(cat server.log)"

# Also when the program is gone.
rm -r client
[ "$(ask gone)" = "$expected" ] || fail "gone, not found: $(ask gone)"

# What comes must be of the build that was asked for.
build again -Wl,--build-id -O0
cp again "client/$id/debuginfo" || fail "the client keeps nothing"
for name in bare gone; do
	[ "$(ask $name)" = "$address ?" ] ||
		fail "$name: names of another build: $(ask $name)"
done

# A server that is not there is no error, nor one that does not answer long.
kill $server
wait $server 2>/dev/null
rm -r client
[ "$(ask bare)" = "$address ?" ] || fail "no server: $(ask bare)"
