#!/bin/bash
# SPDX-License-Identifier: MIT
# What leaks too slowly for the history of a bounded trace to show is told by
# what is left of the whole run; what only lives long is not. The unbounded
# trace of the same run names the same site.
# shellcheck source=tests/integration/lib.sh
. "$MT_TOP/tests/integration/lib.sh"

cat >slow.c <<'END'
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
struct node {
	struct node *next;
	char text[100];
};
static struct node *head, *slot[500], *first[500];
__attribute__((noinline)) static struct node *make(void)
{
	return calloc(1, sizeof(struct node));
}
/* One of 15,000 requests loses a block. */
__attribute__((noinline)) static void lose(void)
{
	struct node *n = make();

	n->next = head;
	head = n;
}
/* Lives for a sixth of the run. */
__attribute__((noinline)) static void cache(int i)
{
	void **p = (void **)&slot[i / 1000 % 500];

	free(*p);
	*p = malloc(200);
}
/* Lives as long as the run, but is all there from its start. */
__attribute__((noinline)) static void start_up(void)
{
	for (int i = 0; i < 500; i++)
		first[i] = malloc(300);
}
/* Replace one of 64 blocks: nothing that packs well. */
__attribute__((noinline)) static void serve(void)
{
	static char *block[64];
	static unsigned long seed = 1;
	char **p;

	seed = seed * 6364136223846793005u + 1442695040888963407u;
	p = &block[seed >> 58];
	free(*p);
	*p = malloc(100 + (seed >> 30) % 900);
}
int main(int argc, char **argv)
{
	start_up();
	for (int i = 0; i < 3000000; i++) {
		serve();
		if (argc > 1 && i % 15000 == 0)
			lose();
		if (i % 1000 == 0) {
			cache(i);
			usleep(400); /* or it is too short to say */
		}
	}
	return argc < 1 || !argv;
}
END
gcc -O1 -g -o slow slow.c || fail "slow.c"

# Record a run with a size: record_slow NAME SIZE [lose]
record_slow()
{
	MEMTRACE="out=$1.zst,leaks=off,size=$2" LD_PRELOAD=$LIB \
		./slow ${3:+"$3"} || fail "slow"
	"$REPORT" growth --json "$1.zst" >"$1.json" || fail "growth of $1"
}

# Print what a trace's candidates are.
candidates()
{
	jq -c '[.growth[] | [.verdict, .function, .judged_by]]' "$1.json"
}

record_slow all 0 lose
record_slow ring 1M lose
record_slow none 1M
[ "$(jq .history.folded_events ring.json)" -gt 4000000 ] ||
	fail "its history is too long: $(jq -c .history ring.json)"
[ "$(candidates all)" = '[["LIKELY","make","run"]]' ] ||
	fail "unbounded: $(cat all.json)"
[ "$(candidates ring)" = '[["SUSPECT","make","run"]]' ] ||
	fail "bounded: $(cat ring.json)"
[ "$(candidates none)" = '[]' ] || fail "none leaks: $(cat none.json)"

# How fast is as of the whole: 200 blocks of 108 bytes, but for the newest.
jq -e --slurpfile all all.json '.growth[0] |
	.live_blocks == $all[0].growth[0].live_blocks and
	.survivors == $all[0].growth[0].survivors and
	(.bytes_per_gib / $all[0].growth[0].bytes_per_gib - 1 | fabs) < 0.01' \
	ring.json >/dev/null || fail "rates: $(cat all.json ring.json)"
"$REPORT" growth ring.zst >out || fail "growth"
grep -q 'SUSPECT  *run  *make ' out || fail "text: $(cat out)"
