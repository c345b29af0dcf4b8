#!/bin/bash
# SPDX-License-Identifier: MIT
# The gate: its exit statuses, each rule's limit on both sides, and that what
# could not be judged never passes.
# shellcheck source=tests/integration/gate/lib.sh
. "$MT_TOP/tests/integration/gate/lib.sh"

for name in chain ring kept interior abort; do
	make $name 2>/dev/null
done

# Passed, breached, vacuous; unreadable and misused.
gives 0 kept.zst
says 'passed: 1 process, 2 cases'
gives 3 chain.zst
says 'breached  leaks    leaks  320 B in 10 blocks leaked'
grep -q "^next: .* leaks chain.zst$" err || fail "chain: $(cat err)"
gives 4 abort.zst
says 'not checked: it was killed'
gives 1 missing.zst
gives 1 err
gives 2
gives 2 --leaks some kept.zst
gives 2 --max-leak-blocks -1 kept.zst
gives 2 --max-peak much kept.zst
gives 2 --thread 1 kept.zst
gives 2 --at peak kept.zst
grep -q "does not take '--at'" err || fail "--at: $(cat err)"

# One verdict over several: breached before vacuous before passed.
gives 3 kept.zst abort.zst chain.zst
says '(4 passed)'
gives 4 kept.zst abort.zst
gives 0 --allow-unchecked 'le*' kept.zst abort.zst
gives 4 --allow-unchecked other kept.zst abort.zst

# Each limit, kept and passed by one.
gives 0 --max-leak-blocks 10 chain.zst
gives 3 --max-leak-blocks 9 chain.zst
gives 0 --max-leak-bytes 320 chain.zst
gives 3 --max-leak-bytes 319 chain.zst
gives 3 --max-leak-bytes 1M --max-leak-blocks 9 chain.zst
gives 0 --max-leak-blocks 13 chain.zst ring.zst
gives 3 --max-leak-blocks 12 chain.zst ring.zst
peak=$(json kept.zst .peak.bytes)
gives 0 --max-peak "$peak" kept.zst
gives 3 --max-peak $((peak - 1)) kept.zst
grep -q '^next: .* top --at peak kept.zst$' err || fail "peak: $(cat err)"
calls=$(($(json kept.zst .totals.allocations) + $(json ring.zst .totals.allocations)))
gives 0 --leaks none --max-allocs $calls kept.zst ring.zst
gives 3 --leaks none --max-allocs $((calls - 1)) kept.zst ring.zst
gives 0 --leaks none --max-temporary 0 kept.zst
gives 0 --expect-processes 2 kept.zst kept.zst
gives 4 --expect-processes 3 kept.zst kept.zst

# Which leaks count.
gives 0 interior.zst
says 'not counted: 100 B in 1 block possibly lost'
gives 3 --leaks possible interior.zst
gives 3 --leaks all interior.zst
gives 0 --leaks none --max-peak 1G chain.zst
gives 0 --leaks none chain.zst
gives 0 --only-from '*/other.cc' chain.zst
says 'not counted: 320 B in 10 blocks from elsewhere'
gives 3 --only-from '*/other.cc' --only-from '*/leaks.cc' chain.zst
gives 3 --only-from '*/leaks' chain.zst

# Bad frees, also of a process that was killed over one; each time counts.
cat >twice.c <<'END'
#include <stdlib.h>
static __attribute__((noinline)) void again(char *volatile p)
{
	free(p);
}
int main(int argc, char **argv)
{
	char *volatile p = malloc(10);
	char *volatile q = malloc(20);

	(void)argv;
	free(p);
	if (argc == 1)
		free(q);
	again(argc > 1 ? p : malloc(30));
	return 0;
}
END
${CC:-cc} -g -w -O1 -fno-builtin -o twice twice.c || fail "does not build"
MEMTRACE=out=once.zst LD_PRELOAD=$LIB ./twice
MEMTRACE=out=twice.zst LD_PRELOAD=$LIB ./twice x 2>/dev/null
gives 0 once.zst
gives 3 twice.zst
says 'breached  twice    bad-frees  1 bad free'
grep -qE '^ +1 +1 +double +[0-9a-f]{16} +main +main +again +twice.c:4$' out ||
	fail "bad free: $(cat out)"
gives 3 once.zst twice.zst
gives 4 --max-bad-frees 1 twice.zst
gives 3 --max-bad-frees 1 twice.zst twice.zst
gives 4 --max-bad-frees 2 twice.zst twice.zst
gives 0 --leaks none --max-bad-frees 1 twice.zst
gives 3 --json twice.zst twice.zst
[ "$(jq -c '.bad_frees | map([.kind, .times, .processes, .function,
	.alloc_function, .first_function])' out)" = \
	'[["double",2,2,"again","main","main"]]' ] || fail "json: $(cat out)"

# What was not looked at does not pass; a damaged trace neither.
MEMTRACE=out=off.zst,leaks=off LD_PRELOAD=$LIB "$HOST/leaks" chain >/dev/null
gives 4 off.zst
says 'leaks=0'
gives 0 --leaks none --max-peak 1G off.zst
head -c $(($(stat -c %s chain.zst) - 100)) chain.zst >cut.zst
gives 4 cut.zst
mkdir none
gives 4 none
says 'vacuous: 0 processes'

# By exec it becomes another program, whose trace has to be there.
mkdir tree
OPTIONS='' MEMTRACE="out=$PWD/tree/%e.%p.zst" LD_PRELOAD=$LIB bash -c \
	"'$HOST/leaks' kept; exec '$HOST/leaks' kept" >/dev/null
[ "$(find tree -name 'bash.*' | wc -l)" = 2 ] || fail "bash: $(ls tree)"
gives 0 --expect-processes 4 tree
rm tree/leaks.*
gives 4 tree
says 'became another program'

# The same every time; and it reads as JSON.
gives 3 kept.zst abort.zst chain.zst
cp out first
gives 3 kept.zst abort.zst chain.zst
cmp out first || fail "not the same text"
gives 3 --json kept.zst abort.zst chain.zst
[ "$(jq -c '[.verdict, .exit_status, .leak_bytes, .leak_blocks,
	(.processes | length), [.cases[].outcome], .leaks[0].kind,
	.leaks[0].blocks, .leaks[0].frames]' out)" = \
	'["breached",3,320,10,3,["passed","passed","vacuous","passed","breached","passed"],"definite",10,"leaks!make < leaks!chain < leaks!main"]' ] ||
	fail "json: $(cat out)"
exit 0
