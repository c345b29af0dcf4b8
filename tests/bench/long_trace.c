/* SPDX-License-Identifier: MIT */
/*
 * Write a long synthetic trace, to measure how the analyzer grows with it:
 *
 *   bench/long_trace FILE EVENTS
 *
 * One period of a program that ends with nothing live is written again and
 * again, later each time: so a trace of any length is made as fast as the disk
 * takes it, and every event of it is as good as the first.
 *
 * Build: -lzstd
 */
#include "../unit/gen.h"

#define PERIOD_EVENTS 1000000u
#define LIVE 100000u
#define STACKS 1000u

static struct gen gen;
static uint64_t live[LIVE]; /* addresses, in the order of allocation */

/* A repeatable random number. */
static uint32_t next_random(void)
{
	static uint64_t state = 1;

	state = state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(state >> 33);
}

/* Add an event one step later than the last. */
static void add(uint8_t kind, uint64_t address, uint64_t size)
{
	struct mt_event e = {
		.time = gen.clock + 200,
		.address = address,
		.size = size,
		.kind = kind,
		.stack = MT_NODE_FIRST + next_random() % STACKS,
	};

	gen_event(&gen, 0, &e);
}

/* Write what a program does in which half of the blocks are short-lived. */
static void add_period(void)
{
	uint32_t count = 0, done = 0;

	for (; done < PERIOD_EVENTS - count; done++) {
		if (count == LIVE || (count && next_random() % 2)) {
			add(MT_FREE, live[--count], 0);
		} else {
			live[count] = 0x10000000 + count * 128ull;
			add(MT_MALLOC, live[count++], 16 + next_random() % 100);
		}
	}
	while (count)
		add(MT_FREE, live[--count], 0);
	gen_seal_thread(&gen, 0);
}

/* Write what stacks there are. */
static void begin(void)
{
	gen_begin(&gen, 4096, 4);
	gen.clock = 1000;
	gen_module(&gen, 0, 0x400000, 0x500000, "/nonexistent/example");
	for (uint32_t i = 0; i < MT_NODE_FIRST; i++)
		gen_node(&gen, 0, 0);
	for (uint32_t i = 0; i < STACKS; i++)
		gen_node(&gen, i % 10 ? MT_NODE_FIRST + i - 1 : 0,
			 gen_pc(&gen, 0x401000 + i * 16, 0));
	gen_seal_streams(&gen);
}

/* Move the event segments in memory to the time and number of a period. */
static void shift(uint64_t events, uint64_t clock)
{
	struct mt_segment head;

	for (size_t at = 0; at < gen.file.n; at += 8) {
		memcpy(&head, gen.file.at + at, sizeof(head));
		if (head.skip_magic != MT_SKIP_SEGMENT ||
		    memcmp(head.magic, MT_SEGMENT_MAGIC, 4) != 0)
			continue;
		head.first += events;
		head.base_time += clock;
		head.last_time += clock;
		head.check = 0;
		head.check = mt_check(MT_CHECK_INIT, &head, sizeof(head));
		memcpy(gen.file.at + at, &head, sizeof(head));
		at += sizeof(head) - 8;
	}
}

/* Write what is in memory to the file. */
static void put(FILE *f)
{
	if (fwrite(gen.file.at, 1, gen.file.n, f) != gen.file.n) {
		perror("long_trace");
		exit(1);
	}
}

int main(int argc, char **argv)
{
	uint64_t events, period, start, span;
	FILE *f = argc == 3 ? fopen(argv[1], "w") : NULL;

	if (!f)
		return 2;
	events = strtoull(argv[2], NULL, 0);
	begin();
	put(f);
	gen.file.n = 0;
	start = gen.clock;
	add_period();
	span = gen.clock - start;
	period = gen.thread[0].first;
	for (uint64_t done = 0; done < events; done += period) {
		put(f);
		shift(period, span);
		gen.clock += span;
	}
	gen.file.n = 0;
	gen_end(&gen, MT_END_EXIT, gen.clock);
	put(f);
	return fclose(f) != 0;
}
