#!/bin/bash
# SPDX-License-Identifier: MIT
# What leaks though it can be reached is told, how fast, and by which stacks;
# a full cache, a buffer that was given back at the end, and a short run are
# not taken for what they are not.
# shellcheck source=tests/integration/lib.sh
. "$MT_TOP/tests/integration/lib.sh"

cat >serve.c <<'END'
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
struct node {
	struct node *next;
	char text[100];
};
static struct node *head;
static struct node *slot[500];
static char *text;
__attribute__((noinline)) static struct node *make(void)
{
	return calloc(1, sizeof(struct node));
}
__attribute__((noinline)) static void keep(void)
{
	struct node *n = make();

	n->next = head;
	head = n;
}
__attribute__((noinline)) static void cache(int i)
{
	free(slot[i % 500]);
	slot[i % 500] = make();
}
__attribute__((noinline)) static void append(int i)
{
	text = realloc(text, 1000 + 10 * (size_t)i);
}
__attribute__((noinline)) static void serve(int i)
{
	char *volatile p = malloc(100 + i % 900);

	free(p);
}
static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}
int main(int argc, char **argv)
{
	const char *what = argv[1];
	double start = now(), pause = atof(argv[2]);

	for (int i = 0; i < 40000; i++) {
		serve(i);
		if (!strcmp(what, "leak") || !strcmp(what, "freed"))
			if (i % 20 == 0)
				keep();
		if (!strcmp(what, "cache"))
			cache(i);
		if (!strcmp(what, "text") && i % 20 == 0)
			append(i);
		while (now() - start < pause * i / 40000)
			;
	}
	if (!strcmp(what, "freed"))
		while (head) {
			struct node *n = head->next;

			free(head);
			head = n;
		}
	return argc != 3;
}
END
gcc -O1 -g -o serve serve.c || fail "serve.c"

# Record a way to serve, so many seconds of it.
record_serve()
{
	MEMTRACE="out=$1.zst" LD_PRELOAD=$LIB ./serve "$1" "$2" ||
		fail "serve $1"
	"$REPORT" growth --json "$1.zst" >"$1.json" || fail "growth of $1"
}

# Print what a trace's candidates are.
candidates()
{
	jq -c '[.growth[] | [.verdict, .function]]' "$1.json"
}

for what in leak freed cache text; do
	record_serve $what 0.8
done
[ "$(candidates leak)" = '[["LIKELY","make"]]' ] || fail "leak: $(cat leak.json)"
[ "$(candidates freed)" = '[["LIKELY","make"]]' ] ||
	fail "freed at exit: $(cat freed.json)"
[ "$(candidates cache)" = '[]' ] || fail "cache: $(cat cache.json)"
[ "$(candidates text)" = '[["LIKELY","append"]]' ] ||
	fail "text: $(cat text.json)"

# 2,000 blocks of 112 bytes in 0.8 s, nearly all that is live: by the hour
# 1,008 MB, by the GiB of these and 40,000 blocks of 549.5 bytes 10.3 MiB.
jq -e '.growth[0] | .live_blocks == 2000 and .live_bytes == 224000 and
	.live_percent > 99 and .survivors > 1600 and .survivors < 2000 and
	.freed_late == 0 and .survival_low_percent > 99 and .signs == "survives climbs goes_on" and
	.bytes_per_hour > 800e6 and .bytes_per_hour < 1100e6 and
	(.bytes_per_gib / 1048576 - 10.3 | fabs) < 0.5' leak.json >/dev/null ||
	fail "leak: $(cat leak.json)"
# The oldest began after the warm-up, in order, and their stacks are there.
jq -e '.oldest | length == 3 and all(.stack == "make;keep;main" or
		(.stack | startswith("make;keep;main;"))) and
	all(.bytes == 112) and .[0].age_ns >= .[1].age_ns and
	.[1].age_ns >= .[2].age_ns and .[0].age_ns > 300e6' leak.json \
	>/dev/null || fail "oldest: $(cat leak.json)"
jq -e '.growth[0].signs == "swells" and .oldest[0].bytes > 390000' text.json \
	>/dev/null || fail "text: $(cat text.json)"

# Text, CSV, and leaks have it, too.
"$REPORT" growth leak.zst >out || fail "growth"
grep -q '^32 epochs of ' out && grep -q ' LIKELY  *make  serve.c:' out &&
	grep -q ' make;keep;main' out || fail "text: $(cat out)"
"$REPORT" growth cache.zst | grep -qx 'nothing grows' || fail "cache: text"
"$REPORT" growth --csv leak.zst | grep -q ',"LIKELY","run","make",' || fail "--csv"
"$REPORT" leaks --json leak.zst | jq -c .growth >in_leaks
jq -c .growth leak.json | cmp - in_leaks || fail "leaks: $(cat in_leaks)"
"$REPORT" leaks leak.zst | grep 'Growth' && fail "leaks tells of a short run"

# By function and by stack; what was chosen; not by what has no sites.
for by in function module stack; do
	"$REPORT" growth --by $by --json leak.zst |
		jq -e '.growth | length == 1' >/dev/null || fail "--by $by"
done
"$REPORT" growth --json --size 113: leak.zst | jq -e '.growth == []' \
	>/dev/null || fail "growth --size"
"$REPORT" growth --json --from 0.2s leak.zst | jq -e '.growth[0] |
	.verdict == "LIKELY" and .live_blocks > 1000 and .live_blocks < 2000' \
	>/dev/null || fail "growth --from"
"$REPORT" growth --by size leak.zst 2>err && fail "growth --by size"
grep -q 'site, function, module or stack' err || fail "--by size: $(cat err)"
"$REPORT" growth "$MT_TOP/tests/data/import/heaptrack1.txt" 2>err &&
	fail "growth of an import"
grep -q 'heaptrack' err || fail "growth of an import: $(cat err)"

# Too short to say, by time.
record_serve leak 0
[ "$(jq .duration_ns leak.json)" -gt 450000000 ] ||
	[ "$(candidates leak)" = '[["too short to say","make"]]' ] ||
	fail "short: $(cat leak.json)"

# What is in the live file is seen: the program is killed half-way.
MEMTRACE=out=killed.zst LD_PRELOAD=$LIB ./serve leak 20 &
server=$!
sleep 1.5
kill -9 $server
wait $server 2>/dev/null
"$REPORT" growth --json killed.zst >killed.json || fail "growth of killed"
[ "$(candidates killed)" = '[["LIKELY","make"]]' ] ||
	fail "killed: $(cat killed.json)"
exit 0
