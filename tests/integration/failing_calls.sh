#!/bin/bash
# SPDX-License-Identifier: MIT
# Each system call of the recorder fails in turn: the program's run is the same.
# shellcheck source=tests/integration/lib.sh
. "$MT_TOP/tests/integration/lib.sh"

steps=("$HOST/steps" "$HOST/libplugin_a.so")
# Run with calls FIRST to LAST of a number failing; log what was called.
inject()
{
	rm -f trace.*
	MEMTRACE=out=$PWD/trace.zst "$HOST/inject" "$LIB" log "$@" \
		"${steps[@]}" >out 2>err
	status=$?
}

# Check the run and what it left.
check()
{
	local what="call $1, $2 to $3, errno $4" calls lost

	[ $status = 3 ] || fail "$what: status $status, $(cat out err)"
	[ "$(cat out)" = 'done' ] || fail "$what: $(cat out)"
	[ "$(wc -l <err)" -le 1 ] || fail "$what: more than a line: $(cat err)"
	if [ ! -s trace.zst ]; then
		[ -s err ] || fail "$what: no trace, and not a word"
		return
	fi
	zstd -tq trace.zst || fail "$what: zstd -t fails"
	"$REPORT" --json trace.zst >trace.json 2>report.err ||
		fail "$what: $(cat report.err)"
	read -r calls lost < <(jq -r '[.totals.allocations, .lost.events]
		| @tsv' trace.json)
	((calls <= allocations && calls + lost >= allocations)) ||
		fail "$what: $calls allocations, $lost events lost"
}

inject 0 0 0 0
allocations=$(json trace.zst .totals.allocations)
check 0 0 0 0
calls trace.zst step_alloc 100000
[ ! -s err ] || fail "not even a plain run is quiet: $(cat err)"
lossless trace.zst
cp log calls
[ "$(wc -l <calls)" -ge 5 ] || fail "hardly any calls: $(cat calls)"
while read -r call count; do
	case $call in
	# exit_group; sigprocmask and futex fail for nobody; gettid and the like
	231 | 60 | 14 | 202 | 186 | 39 | 110) continue ;;
	1 | 18 | 77 | 285 | 296) error=28 ;; # ENOSPC
	9 | 25 | 28) error=12 ;; # ENOMEM
	2 | 257) error=24 ;; # EMFILE
	*) error=5 ;; # EIO
	esac
	((most = count < 4 ? count : 4))
	for n in $(seq $most) "$count"; do
		inject "$call" "$n" "$n" "$error"
		check "$call" "$n" "$n" "$error"
	done
	for n in 1 3; do
		((n <= count)) || continue
		inject "$call" "$n" 1000000 "$error"
		check "$call" "$n" 1000000 "$error"
	done
done <calls
