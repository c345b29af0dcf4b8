#!/bin/bash
# SPDX-License-Identifier: MIT
# What the gate passes over: suppressions, with what hangs off what they match;
# and a baseline, which says what is new, grown, and gone. Both are written by
# one run and read by the next.
# shellcheck source=tests/integration/gate/lib.sh
. "$MT_TOP/tests/integration/gate/lib.sh"

# Write a file of rules from stdin, and expect a status of chain.zst.
under()
{
	cat >rules
	gives "$1" --suppressions rules chain.zst
}

for name in chain tree ring interior kept; do
	make $name
done

# By function, file and module; by frames; and not.
for rule in 'leak:chain' 'leak:leaks.cc' 'leak:^make$' 'leak:*/leaks'; do
	under 0 <<<"$rule"
	says 'not counted: 320 B in 10 blocks suppressed'
done
under 3 <<<'leak:ring'
says 'suppression unused: rules, line 1: leak:ring'
under 0 <<'END'
{
   known
   Memcheck:Leak
   match-leak-kinds: definite
   fun:calloc
   ...
   fun:*chain*
}
END
# The head of the list is definite: what hangs off it goes with it.
under 0 <<'END'
{
   the head
   Memcheck:Leak
   match-leak-kinds: definite
   ...
   fun:main
}
END
says 'not counted: 320 B in 10 blocks suppressed'
# What hangs off it alone: the head stays, and only that.
under 3 <<'END'
{
   the rest
   Memcheck:Leak
   match-leak-kinds: indirect
   ...
   fun:main
}
END
says '32 B in 1 block leaked'

# Ours end: by number, which is that of the blocks matched, and by day.
under 0 <<<'leak:chain max=10'
under 3 <<<'leak:chain max=9'
says 'suppression beyond its max: rules, line 1: leak:chain max=9 (10 blocks)'
export SOURCE_DATE_EPOCH=1772323200 # 2026-03-01
under 0 <<<'leak:chain expires=2026-03-01'
under 3 <<<'leak:chain expires=2026-02-28'
says 'suppression expired: rules, line 1: leak:chain expires=2026-02-28'
under 1 <<<'laek:chain'
grep -q "rules: line 1: leak:PATTERN or { is wanted" err ||
	fail "wrong rule: $(cat err)"
gives 1 --suppressions missing chain.zst
unset SOURCE_DATE_EPOCH

# Several files, of the first rule that matches.
echo leak:ring >other
under 0 <<<'leak:chain'
gives 3 --suppressions rules chain.zst ring.zst
gives 0 --suppressions rules --suppressions other chain.zst ring.zst
gives 0 --json --suppressions rules --suppressions other chain.zst ring.zst
[ "$(jq -c '[.suppressions[] | [.rule, .blocks, .bytes, .state]]' out)" = \
	'[["leak:chain",10,320,"used"],["leak:ring",3,96,"used"]]' ] ||
	fail "json: $(cat out)"

# Those that it writes suppress what they were written from, and no more.
gives 3 --gen-suppressions written --leaks all chain.zst tree.zst interior.zst
gives 0 --suppressions written --leaks all chain.zst tree.zst interior.zst
grep -q unused out && fail "a rule is not used: $(cat out)"
gives 3 --suppressions written --leaks all chain.zst ring.zst
says '96 B in 3 blocks leaked'

# A baseline: what it was written from passes, what is new does not.
gives 0 --update-baseline base chain.zst ring.zst kept.zst
[ "$(sed 's/^[0-9a-f]\{16\} //' base | sort)" = '# memtrace baseline 1
definite 10 320 leaks!make < leaks!chain < leaks!main
definite 3 96 leaks!make < leaks!ring < leaks!main' ] || fail "$(cat base)"
sort -c <(tail -n +2 base) || fail "not sorted: $(cat base)"
gives 0 --baseline base --strict-baseline chain.zst ring.zst
says 'not counted: 416 B in 13 blocks in the baseline'
gives 3 --baseline base chain.zst ring.zst tree.zst
says '480 B in 15 blocks leaked'
# The same bytes, and the same of the same.
cp base first
gives 0 --update-baseline base ring.zst chain.zst
cmp base first || fail "not the same baseline"
# Of any one process: twice the same program is no more.
gives 0 --baseline base chain.zst chain.zst ring.zst

# A ratchet: grown fails, gone is said and fails where it is asked for.
sed 's/ 10 320 / 9 320 /' base >less
gives 3 --baseline less chain.zst
grep -q ' grown ' out || fail "not grown: $(cat out)"
sed 's/ 10 320 / 11 352 /' base >other
gives 0 --baseline other --strict-baseline chain.zst ring.zst
says '0 are of leaks that are gone, 1 of leaks that shrank'
gives 0 --baseline base chain.zst
says 'of 2 lines 1 are of leaks that are gone'
gives 3 --baseline base --strict-baseline chain.zst
says '1 of 2 lines are of leaks that are gone'
gives 2 --strict-baseline chain.zst
gives 2 --baseline base --update-baseline base chain.zst
gives 1 --baseline missing chain.zst
gives 1 --update-baseline missing/base chain.zst
echo '<<<<<<< ours' >>other
gives 1 --baseline other chain.zst
grep -q 'other: line 4: ' err || fail "conflict: $(cat err)"

# Not renewed by a run of which not all was judged.
MEMTRACE=out=off.zst,leaks=off LD_PRELOAD=$LIB "$HOST/leaks" chain >/dev/null
gives 4 --update-baseline base off.zst ring.zst
cmp base first || fail "renewed: $(cat base)"

# A rebuild, with other lines and addresses and from another directory, is the
# same; so is a deeper recursion.
cat >lose.c <<'END'
#include <stdlib.h>
#include <string.h>
static void *volatile sink;
static __attribute__((noinline)) void lose(int depth)
{
	if (depth)
		lose(depth - 1);
	else
		sink = malloc(100);
	__asm__ volatile("" : : : "memory");
}
int main(int argc, char **argv)
{
	char zeros[4096];

	(void)argv;
	lose(argc);
	sink = NULL;
	memset(zeros, 0, sizeof(zeros));
	__asm__ volatile("" : : "r"(zeros) : "memory");
	return 0;
}
END
mkdir a b
${CC:-cc} -g -O1 -fno-builtin -o a/lose lose.c || fail "does not build"
sed 's/^static __/\n\n&/' lose.c >b/lose.c
(cd b && ${CC:-cc} -g -O1 -fno-builtin -no-pie -o lose lose.c) ||
	fail "does not build"
MEMTRACE=out=a.zst LD_PRELOAD=$LIB a/lose
MEMTRACE=out=b.zst LD_PRELOAD=$LIB b/lose 1 2 3
gives 0 --update-baseline rebuilt a.zst
grep -q ' 1 100 lose!lose < lose!main$' rebuilt || fail "$(cat rebuilt)"
gives 0 --baseline rebuilt --strict-baseline b.zst

# A child answers for what it allocated after the fork; what it hung into
# what it inherited is not lost.
mkdir fork
MEMTRACE="out=$PWD/fork/%p.zst" LD_PRELOAD=$LIB "$HOST/inherits"
gives 3 --expect-processes 2 fork
says '(4 passed)'
says '77 B in 1 block leaked'
rm fork/*
MEMTRACE="out=$PWD/fork/%p.zst" LD_PRELOAD=$LIB "$HOST/inherits" loses
gives 3 --expect-processes 2 --json fork
[ "$(jq -c '[.leaks[] | [.bytes, .function]] | sort' out)" = \
	'[[48,"make"],[77,"parent_loses"]]' ] || fail "fork: $(cat out)"
exit 0
