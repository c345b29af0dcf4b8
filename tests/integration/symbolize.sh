#!/bin/bash
# SPDX-License-Identifier: MIT
# A trace that carries its names says the same where the program is not, is
# read by the second reader, and by a killed process' live file as well; the
# code of JIT compilers has names.
# shellcheck source=tests/integration/lib.sh
. "$MT_TOP/tests/integration/lib.sh"

cat >prog.c <<'END'
#include <signal.h>
#include <stdlib.h>
static void *volatile sink;
static inline __attribute__((always_inline)) void fills(size_t n)
{
	sink = malloc(n);
}
__attribute__((noinline)) void grows(size_t n)
{
	fills(n);
	free(sink);
	fills(n + 1);
}
int main(int argc, char **argv)
{
	for (int i = 0; i < 100; i++)
		grows((size_t)i + 1);
	if (argc > 1)
		raise(SIGKILL);
	return argv[0] == NULL;
}
END

# Record a build of the program: recorded ARGUMENTS...
recorded()
{
	rm -rf trace.* prog moved
	${CC:-cc} -g -O1 -Wl,--build-id -fno-builtin -o prog prog.c ||
		fail "prog does not build"
	record ./prog "$@" 2>/dev/null
	t=$(trace) || exit 1
}

# Print the sites of a trace with what they are called.
sites()
{
	"$REPORT" --json "$1" 2>/dev/null | jq -S '.sites, .modules' ||
		fail "$1: no report"
}

# The names are there without the program, as they were with it.
carries()
{
	sites "$t" >before
	grep -q fills before || fail "no names at all: $(cat before)"
	"$REPORT" symbolize -o named.zst "$t" >out 2>err ||
		fail "symbolize fails: $(cat err)"
	[ ! -s out ] || fail "symbolize says $(cat out)"
	rm prog
	sites "$t" | cmp -s - before && fail "names without a program"
	mkdir moved
	mv named.zst* moved/
	sites moved/named.zst | diff before - || fail "not the same names"
	zstd -tq moved/named.zst || fail "not a whole zstd stream"
}

recorded
carries
events moved/named.zst >printed
python3 "$MT_TOP/tests/oracle/reader.py" moved/named.zst printed >frames ||
	fail "the second reader: $(cat frames)"
for name in "fills fills $PWD/prog.c 6" "grows grows $PWD/prog.c 10" \
	"grows grows $PWD/prog.c 12"; do
	grep -q "^name [0-9]* $name\$" frames || fail "no $name in $(cat frames)"
done
# Once more, with nothing to look in: the same bytes.
"$REPORT" symbolize -o again.zst moved/named.zst || fail "not again"
cmp again.zst moved/named.zst || fail "names were doubled or lost"

recorded killed
[ -f "$t.live" ] || fail "no live file"
carries
[ -f moved/named.zst.live ] || fail "the live file stays behind"
events "$t" | cmp - <(events moved/named.zst) || fail "not the same events"

# What can't be done says so and leaves nothing.
rm -rf moved
for out in nowhere/x.zst "$t"; do
	before=$(ls)
	"$REPORT" symbolize -o "$out" "$t" 2>err && fail "$out is written"
	[ "$(wc -l <err)" = 1 ] || fail "says $(cat err)"
	[ "$(ls)" = "$before" ] || fail "$out: leaves $(ls)"
done
"$REPORT" symbolize "$t" 2>err && fail "symbolize without -o"

rm -f trace.*
record "$HOST/jit" "$PWD" || fail "jit fails"
t=$(trace)
is "$t" '[.sites[].function | select(. != null) |
	select(startswith("jit"))] | sort | join(",")' \
	'jit function 0,jit function 1'
"$REPORT" symbolize -o named.zst "$t" || fail "jit: symbolize fails"
rm perf-*.map
is named.zst '[.sites[].function | select(. != null) |
	select(startswith("jit"))] | sort | join(",")' \
	'jit function 0,jit function 1'
exit 0
