#!/bin/bash
# SPDX-License-Identifier: MIT
# memtrace --check: the verdict is in the exit status, and nowhere else while
# there is nothing to say; the program's own status is never masked.
# shellcheck source=tests/integration/lib.sh
. "$MT_TOP/tests/integration/lib.sh"

export TMPDIR=$PWD/tmp
mkdir "$TMPDIR"
unset LSAN_OPTIONS
leaks=$HOST/leaks

# Check "$2..." : gives STATUS COMMAND... Its output is as without us, but for
# lines behind it on stderr when the status is not the program's.
gives()
{
	local want=$1 got

	shift
	rm -rf "${TMPDIR:?}"/*
	echo input | "$@" >plain.out 2>plain.err
	echo input | "$LAUNCH" "${check[@]:---check}" -- "$@" >out 2>err
	got=$?
	[ $got = "$want" ] || fail "$*: status $got, not $want: $(cat err)"
	cmp plain.out out || fail "$*: not the same stdout"
	head -n "$(wc -l <plain.err)" err | cmp plain.err ||
		fail "$*: not the same stderr"
}

# What it gave was without a word, and nothing stayed.
silent()
{
	cmp plain.err err || fail "says $(cat err)"
	[ -z "$(ls -A "$TMPDIR")" ] || fail "left $(ls -R "$TMPDIR")"
}

# It said something: said TEXT, and the traces are where it says.
said()
{
	grep -q -- "$1" err || fail "not '$1': $(cat err)"
}

# Print where it says that the traces are.
kept()
{
	sed -n 's/^memtrace: the traces are in //p' err
}

gives 0 "$leaks" kept
silent
gives 0 bash -c 'cat; echo to stderr >&2; exit 0'
silent
gives 3 "$leaks" chain
said '10 blocks leaked'
[ "$(ls "$(kept)")" ] || fail "no traces in '$(kept)'"
"$REPORT" check "$(kept)" >report
[ $? = 3 ] || fail "another verdict: $(cat report)"

# A child's leak is the tree's; a clean tree has many traces and no word.
gives 3 bash -c "'$leaks' chain; exit 0"
said '10 blocks leaked'
gives 0 bash -c "'$leaks' kept; '$leaks' tls; :"
silent

# The program's own status: kept, with the leaks said that it had.
gives 7 bash -c "'$leaks' chain; exit 7"
said '10 blocks leaked'
gives 7 bash -c 'exit 7'
silent
# shellcheck disable=SC2016
gives 143 bash -c 'kill -TERM $$'
silent
gives 134 "$leaks" abort
silent

# What could not be judged is no pass: status 4, and why.
printf 'int main(int n, char **v) { return n - 1 ? **++v - 48 : 0; }\n' >s.c
gcc -static -o static s.c || fail "no static program"
gives 4 ./static
said 'not judged: ./static: .*static'
gives 5 ./static 5
silent
MEMTRACE=leaks=0 gives 4 "$leaks" kept
said 'leaks=0'
MEMTRACE=wrong=1 gives 4 "$leaks" kept
said 'left no trace'
# shellcheck disable=SC2016
gives 4 bash -c 'exec 2>/dev/null; sleep 60 & sleep 0.3; kill -KILL $!; wait; :'
said 'killed'

# Options of check, and of the recorder; an -o keeps the traces.
check=('--check=max-leak-blocks=10')
gives 0 "$leaks" chain
silent
check=('--check=max-leak-blocks=9,json')
gives 3 "$leaks" chain
said '"verdict": "breached"'
check=('--check=nonsense')
gives 125 "$leaks" kept
said nonsense
check=(--check -o "$PWD/kept.%p.zst" --level=3)
gives 0 "$leaks" kept
silent
ls kept.*.zst >/dev/null || fail "-o: not kept"
check=(--check)
MEMTRACE=out=$PWD/by_env.zst gives 0 "$leaks" kept
silent
[ -f by_env.zst ] || fail "out=: not kept"

# One in the other, as when a suite runs suites.
if ! sanitized; then
	gives 0 "$LAUNCH" --check "$leaks" kept
	silent
	"$LAUNCH" --check -- "$LAUNCH" --check "$leaks" chain >out 2>err
	[ $? = 3 ] || fail "nested: $(cat err)"
fi

# Without a directory for the traces nothing runs.
TMPDIR=/nowhere "$LAUNCH" --check "$leaks" kept >out 2>err
[ $? = 125 ] || fail "TMPDIR: $(cat err)"
[ ! -s out ] || fail "TMPDIR: ran"

# As LeakSanitizer's options have it.
export LSAN_OPTIONS="log_path='$PWD/log':exitcode=23"
gives 23 "$leaks" chain
said '10 blocks leaked'
grep -qx 'Direct leak of [0-9]* byte(s) in 10 object(s) allocated from:' \
	log.* || fail "log: $(cat log.*)"
grep -qE '^    #[0-9]+ 0x[0-9a-f]+ in .*leaks\.cc:[0-9]+$' log.* ||
	fail "log: no stack: $(cat log.*)"
rm log.*
gives 0 "$leaks" kept
silent
ls log.* 2>/dev/null && fail "a log of nothing"
LSAN_OPTIONS=exitcode=0 gives 0 "$leaks" chain
said '10 blocks leaked'
exit 0
