#!/bin/bash
# SPDX-License-Identifier: MIT
# The verdict on what a program leaves at its end: lost, hanging off what is
# lost, reached by an interior pointer only, reached; from data, stacks, TLS and
# mappings. The program itself does not notice.
# shellcheck source=tests/integration/lib.sh
. "$MT_TOP/tests/integration/lib.sh"

program=$HOST/leaks

# Record a case, and print its blocks by kind.
verdict()
{
	"$program" "$1" >plain.out 2>plain.err
	local plain=$?

	rm -f "$1.zst"
	MEMTRACE="out=$1.zst" LD_PRELOAD=$LIB "$program" "$1" >with.out \
		2>with.err
	[ $? = $plain ] || fail "$1: not the same exit status"
	cmp plain.out with.out || fail "$1: not the same output"
	cmp plain.err with.err || fail "$1: not the same stderr"
	zstd -tq "$1.zst" || fail "$1: zstd -t"
	"$REPORT" leaks --json "$1.zst" >"$1.json" ||
		fail "$1: leaks fails"
	jq -r '[.checked, .definite.blocks, .indirect.blocks, .possible.blocks,
		.held_at_exit.blocks] | map(tostring) | join(" ")' "$1.json"
}

# CASE CHECKED DEFINITE INDIRECT POSSIBLE HELD
while read -r name want; do
	got=$(verdict "$name") || fail "$got"
	[ "$got" = "$want" ] || fail "$name: $got, not $want:
$("$REPORT" leaks --kind all "$name.zst")"
done <<'END'
chain true 1 9 0 0
tree true 1 14 0 0
ring true 1 2 0 0
kept true 0 0 0 0
interior true 0 0 1 0
tls true 0 0 0 0
mapped true 0 0 0 0
cookie true 0 0 0 0
freed true 0 0 0 0
in_thread true 0 0 0 0
hidden true 1 0 0 0
exit true 1 9 0 0
_exit true 1 9 0 0
quick_exit true 1 9 0 0
END

# exit() deep down: nothing can be said of what the callers held.
read -r checked definite _ < <(verdict deep)
[ "$checked $definite" = 'true 0' ] || fail "deep: $(cat deep.json)"

# A ring has all of its blocks behind its oldest one.
[ "$(jq -c '.leaks[0] | [.retained_blocks, .retained_bytes, .kind]' \
	ring.json)" = '[3,96,"definite"]' ] || fail "ring: $(cat ring.json)"

# Whoever was not looked at is not clean.
got=$(verdict abort) || fail "$got"
[[ $got != true* ]] || fail "abort: $got"
MEMTRACE=out=off.zst,leaks=off LD_PRELOAD=$LIB "$program" chain >/dev/null
"$REPORT" leaks off.zst | grep -q 'not checked: .*leaks=0' ||
	fail "leaks=off: $("$REPORT" leaks off.zst)"
"$REPORT" leaks --thread 1 chain.zst 2>err && fail "leaks --thread"
grep -q 'all blocks' err || fail "leaks --thread: $(cat err)"
"$REPORT" leaks "$MT_TOP/tests/data/import/heaptrack1.txt" 2>err &&
	fail "leaks of an import"
grep -q 'heaptrack' err || fail "leaks of an import: $(cat err)"

# Programs that leak nothing: nothing is lost.
for command in 'ls -l /' 'bash -c :' 'git --version' 'sqlite3 :memory: .help' \
	'python3 -c pass' 'jq -n 1'; do
	rm -f clean.*.zst
	# shellcheck disable=SC2086
	MEMTRACE=out=clean.%p.zst LD_PRELOAD=$LIB $command >/dev/null 2>&1
	for trace in clean.*.zst; do
		[ "$("$REPORT" leaks --json "$trace" |
			jq '.definite.blocks + .indirect.blocks')" = 0 ] ||
			fail "$command: $("$REPORT" leaks "$trace")"
	done
done
