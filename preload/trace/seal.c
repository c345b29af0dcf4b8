/* SPDX-License-Identifier: MIT */
/* From the live file into the trace: segments of definitions; see seal.h. */
#include "seal.h"

#include <string.h>

#include <memtrace/varint.h>

#include "clock.h"
#include "journal.h"
#include "live.h"
#include "meta.h"
#include "stacktab.h"
#include "sys.h"

#define SEAL_NODES 16384
#define SEAL_META_BYTES (32 * 1024)

/* What of the definitions is sealed. */
static struct {
	struct sys_lock lock;
	uint64_t meta, pcs, nodes;
} sealed;

static uint32_t problems; /* of this trace: a bit a problem */

void mt_lost_events(uint64_t n)
{
	__atomic_fetch_add(&mt_live->lost.events, n, __ATOMIC_RELAXED);
}

void mt_problem(enum mt_problem problem, int error, const char *text)
{
	static bool said; /* once in a process and its forks */
	struct mt_meta_problem m = {
		.problem = problem,
		.error = (uint32_t)error,
		.clock = mt_clock(),
	};
	char line[256] = "memtrace: ";
	uint32_t bit = 1u << problem;

	if (__atomic_fetch_or(&problems, bit, __ATOMIC_RELAXED) & bit)
		return;
	mt_meta_add(MT_META_PROBLEM, &m, sizeof(m), text, strlen(text));
	if (__atomic_exchange_n(&said, true, __ATOMIC_RELAXED))
		return;
	sys_append(line, sizeof(line), text);
	if (error) {
		sys_append(line, sizeof(line), ": error ");
		sys_append_number(line, sizeof(line), (uint64_t)error);
	}
	sys_append(line, sizeof(line), "; the program goes on\n");
	sys_say(line);
}

int mt_seal_segment(struct mt_segment *head, const struct mt_bytes *extra,
		    const struct mt_bytes *columns, unsigned int n)
{
	head->clock = mt_clock();
	head->clock_ns = sys_monotonic_ns();
	return mt_journal_append(head, extra, columns, n);
}

/* Seal meta records in pieces that fit a column. */
static void seal_meta(void)
{
	uint64_t have = __atomic_load_n(&mt_live->meta_bytes, __ATOMIC_ACQUIRE);

	while (sealed.meta < have) {
		uint64_t n = have - sealed.meta;
		struct mt_segment head = {.stream = MT_STREAM_META,
					  .first = sealed.meta};

		if (n > MT_JOURNAL_COLUMN_BYTES)
			n = MT_JOURNAL_COLUMN_BYTES;
		head.count = (uint32_t)n;
		struct mt_bytes column = {mt_meta_log() + sealed.meta, n};

		if (mt_seal_segment(&head, NULL, &column, 1))
			return;
		sealed.meta += n;
	}
}

static void seal_pcs(void)
{
	uint64_t have = __atomic_load_n(&mt_live->pcs, __ATOMIC_ACQUIRE);

	while (sealed.pcs < have) {
		uint64_t n = have - sealed.pcs;
		struct mt_segment head = {.stream = MT_STREAM_PCS,
					  .first = sealed.pcs};

		if (n > MT_PCS_TOGETHER - sealed.pcs % MT_PCS_TOGETHER)
			n = MT_PCS_TOGETHER - sealed.pcs % MT_PCS_TOGETHER;
		head.count = (uint32_t)n;
		struct mt_bytes column = {mt_pc((uint32_t)sealed.pcs),
					  n * sizeof(struct mt_pc)};

		if (mt_seal_segment(&head, NULL, &column, 1))
			return;
		sealed.pcs += n;
	}
}

/* Seal one segment of nodes: as many as fit the scratch; false: failed. */
static bool seal_some_nodes(uint64_t have, uint8_t *scratch)
{
	struct mt_segment head = {.stream = MT_STREAM_NODES,
				  .first = sealed.nodes};
	uint8_t *parent = scratch, *pc = scratch + MT_JOURNAL_COLUMN_BYTES;
	const uint8_t *parents = parent, *pcs = pc;
	const uint8_t *end = pc - MT_VARINT_MAX;
	uint64_t i = sealed.nodes;

	for (; i < have && parent < end && pc < end + MT_JOURNAL_COLUMN_BYTES;
	     i++) {
		const struct mt_node *node = mt_node((uint32_t)i);

		parent = mt_varint_put(parent, i - node->parent);
		pc = mt_varint_put(pc, node->pc);
	}
	head.count = (uint32_t)(i - sealed.nodes);
	struct mt_bytes columns[2] = {
		{parents, (size_t)(parent - parents)},
		{pcs, (size_t)(pc - pcs)},
	};

	if (mt_seal_segment(&head, NULL, columns, 2))
		return false;
	sealed.nodes = i;
	return true;
}

static void seal_nodes(void)
{
	uint64_t have = __atomic_load_n(&mt_live->nodes, __ATOMIC_ACQUIRE);
	static uint8_t scratch[2 * MT_JOURNAL_COLUMN_BYTES];

	while (sealed.nodes < have && seal_some_nodes(have, scratch))
		;
}

bool mt_seal_definitions(bool all)
{
	struct sys_signals old = sys_lock(&sealed.lock);
	bool done;

	/* Each names records of the one before. */
	if (all || mt_live->meta_bytes - sealed.meta >= SEAL_META_BYTES)
		seal_meta();
	if (all || mt_live->pcs - sealed.pcs >= MT_PCS_TOGETHER)
		seal_pcs();
	if (all || mt_live->nodes - sealed.nodes >= SEAL_NODES)
		seal_nodes();
	done = sealed.meta == mt_live->meta_bytes &&
	       sealed.pcs == mt_live->pcs && sealed.nodes == mt_live->nodes;
	sys_unlock(&sealed.lock, old);
	return done;
}

void mt_seal_reset(void)
{
	memset(&sealed, 0, sizeof(sealed));
	problems = 0;
}
