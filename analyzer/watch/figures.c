/* SPDX-License-Identifier: MIT */
/* What is shown of a program that is watched; see figures.h. */
#include "figures.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "stacks.h"
#include "term.h"

struct figures_item {
	uint32_t name;
	uint64_t live_bytes, live_blocks;
	/* Of sites: all so far; else since the last look. */
	uint64_t allocations, temporary;
	uint64_t last_allocations, last_temporary;
	uint64_t first_bytes;	     /* live when it was seen first, or 0 */
	uint64_t past[FIGURES_SPAN]; /* live bytes, by look */
	double rate, temporary_rate, growth;
};

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

/* Return the item of a key, entered when it is new. */
static struct figures_item *item_of(struct figures_set *s, uint64_t key,
				    bool *fresh)
{
	uint64_t *at = map_put(&s->place, key, fresh);

	if (*fresh) {
		*at = s->count;
		s->item = util_grow(s->item, s->count, &s->room,
				    sizeof(*s->item));
		s->item[s->count++] = (struct figures_item){0};
	}
	return &s->item[*at];
}

/* ---- Names. ---- */

/* Return the number of a site's name. */
static uint32_t name_site(struct figures *f, const struct frame *frame)
{
	char *text;
	uint32_t number;

	if (frame->file)
		text = util_format("%s  %s:%u", frame->name,
				   util_basename(frame->file), frame->line);
	else if (frame->function && frame->module)
		text = util_format("%s  %s", frame->name,
				   util_basename(frame->module));
	else
		text = util_format("%s", frame->name);
	number = strpool_add(&f->names, text);
	free(text);
	return number;
}

/* Have names for the nodes of all rows. */
static void name_nodes(struct figures *f, const struct follow *from,
		       const struct sym_options *sym)
{
	const struct trace *t = &from->trace;
	struct stacks s = {0};

	if (t->node_count > f->nodes) {
		f->name_of = util_resize(f->name_of, t->node_count,
					 sizeof(*f->name_of));
		memset(f->name_of + f->nodes, 0,
		       (t->node_count - f->nodes) * sizeof(*f->name_of));
		f->nodes = t->node_count;
	}
	for (uint32_t i = 0; i < from->prof.row_count; i++) {
		uint32_t node = from->prof.key[i].node;

		if (node >= f->nodes || f->name_of[node])
			continue;
		if (!s.nodes)
			stacks_of_trace(&s, t, sym);
		f->name_of[node] = name_site(f, stacks_site(&s, node));
	}
	if (s.nodes)
		stacks_free(&s);
}

/* ---- A look. ---- */

/* Begin a look: what is not there this time is not live. */
static void begin_look(struct figures_set *s)
{
	for (size_t i = 0; i < s->count; i++) {
		struct figures_item *it = &s->item[i];

		it->last_allocations = it->allocations;
		it->last_temporary = it->temporary;
		it->live_bytes = it->live_blocks = 0;
		it->allocations = it->temporary = 0;
	}
}

/* End it: rates. `sums`: the counts are those of the whole run. */
static void end_look(struct figures *f, struct figures_set *s, bool sums,
		     uint64_t now)
{
	double seconds = (double)(now - f->look_ns) / 1e9;
	unsigned int slot = f->looks % FIGURES_SPAN;
	unsigned int oldest = f->looks < FIGURES_SPAN ? 0 : slot;
	double span = (double)(now - f->past_ns[oldest]) / 1e9;

	for (size_t i = 0; i < s->count; i++) {
		struct figures_item *it = &s->item[i];
		uint64_t last = sums ? it->last_allocations : 0;
		uint64_t temporary = sums ? it->last_temporary : 0;

		if (f->looks) {
			it->rate = (double)(it->allocations - last) / seconds;
			it->temporary_rate =
				(double)(it->temporary - temporary) / seconds;
			it->growth = (double)(int64_t)(it->live_bytes -
						       it->past[oldest]) /
				     span;
		} else {
			it->first_bytes = it->live_bytes;
		}
		it->past[slot] = it->live_bytes;
	}
}

static void look_at_sites(struct figures *f, const struct follow *from)
{
	struct figures_set *s = &f->set[FIGURES_SITES];
	bool fresh;

	for (uint32_t i = 0; i < from->prof.row_count; i++) {
		const struct prof_row *row = prof_row(&from->prof, i);
		uint32_t node = from->prof.key[i].node;
		uint32_t name = node < f->nodes ? f->name_of[node] : 0;
		struct figures_item *it;

		if (!row->allocations && !row->live_blocks)
			continue;
		it = item_of(s, name, &fresh);
		it->name = name;
		it->live_bytes += row->live_bytes;
		it->live_blocks += row->live_blocks;
		it->allocations += row->allocations;
		it->temporary += row->temporary;
	}
}

/* Take a row of a tally over. */
static void look_at(struct figures *f, struct figures_set *s, uint64_t key,
		    char *name, const struct tally_row *row)
{
	bool fresh;
	struct figures_item *it = item_of(s, key, &fresh);

	if (fresh)
		it->name = strpool_add(&f->names, name);
	it->live_bytes = row->live_bytes;
	it->live_blocks = row->live_blocks;
	it->allocations = row->allocations;
	it->temporary = row->temporary;
	free(name);
}

/* Return what a thread is called; free it. */
static char *thread_name(const struct trace *t, uint32_t index)
{
	for (size_t i = 0; i < t->thread_count; i++)
		if (t->threads[i].index == index)
			return util_format("%s %u",
					   t->threads[i].name
						   ? t->threads[i].name
						   : "thread",
					   t->threads[i].tid);
	return util_format("thread #%u", index);
}

static void look_at_tally(struct figures *f, const struct follow *from)
{
	const struct tally *t = &from->tally;

	for (size_t i = 0; i < t->threads; i++)
		look_at(f, &f->set[FIGURES_THREADS], t->index[i],
			thread_name(&from->trace, t->index[i]), &t->thread[i]);
	for (unsigned int i = 0; i < TALLY_SIZES - 1; i++) {
		const struct tally_row *row = &t->size[i];
		char to[TERM_NUMBER];

		if (row->live_blocks || row->allocations ||
		    map_get(&f->set[FIGURES_SIZES].place, i))
			look_at(f, &f->set[FIGURES_SIZES], i,
				util_format("up to %s",
					    term_bytes(to, 1ull << i, false)),
				row);
	}
}

/* Return the resident memory of a process, 0 if it is gone. */
static uint64_t rss_of(uint32_t pid)
{
	char *name = util_format("/proc/%u/statm", pid);
	FILE *file = fopen(name, "re");
	unsigned long long pages = 0;

	free(name);
	if (!file)
		return 0;
	if (fscanf(file, "%*u %llu", &pages) != 1)
		pages = 0;
	fclose(file);
	return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

static void look_at_totals(struct figures *f, const struct follow *from,
			   uint64_t now)
{
	const struct prof *p = &from->prof;
	struct figures_totals *t = &f->totals, last = *t;
	double seconds = (double)(now - f->look_ns) / 1e9;
	uint64_t bytes;

	*t = (struct figures_totals){
		.live_bytes = p->live_bytes,
		.live_blocks = p->live_blocks,
		.peak_bytes = p->peak_bytes,
		.allocations = p->allocations,
		.temporary = p->temporary,
		.allocated_bytes = p->allocated_bytes,
		.before_bytes = f->looks ? last.live_bytes : p->live_bytes,
		.ns = from->ended ? trace_duration_ns(&from->trace)
				  : now - from->trace.process.clock_ns,
		.rss_bytes = from->ended ? 0 : rss_of(from->trace.process.pid),
		.threads = from->trace.thread_count,
	};
	if (!f->looks)
		return;
	bytes = t->allocated_bytes - last.allocated_bytes;
	t->alloc_rate = (double)(t->allocations - last.allocations) / seconds;
	t->temporary_rate = (double)(t->temporary - last.temporary) / seconds;
	t->alloc_bytes_rate = (double)bytes / seconds;
	t->free_bytes_rate =
		(double)(bytes - (t->live_bytes - last.live_bytes)) / seconds;
}

void figures_look(struct figures *f, const struct follow *from,
		  const struct sym_options *sym)
{
	uint64_t now = now_ns();

	if (sym)
		name_nodes(f, from, sym);
	look_at_totals(f, from, now);
	for (int i = 0; i < 3; i++)
		begin_look(&f->set[i]);
	if (sym) {
		look_at_sites(f, from);
		look_at_tally(f, from);
	}
	for (int i = 0; i < 3; i++)
		end_look(f, &f->set[i], i == FIGURES_SITES, now);
	f->past_ns[f->looks++ % FIGURES_SPAN] = now;
	f->look_ns = now;
}

/* ---- Rows. ---- */

static double key_of(const struct figures_row *r, enum figures_sort sort)
{
	switch (sort) {
	case FIGURES_BY_BLOCKS:
		return (double)r->live_blocks;
	case FIGURES_BY_GROWTH:
		return r->growth;
	case FIGURES_BY_RATE:
		return r->rate;
	case FIGURES_BY_TEMPORARY:
		return r->temporary;
	default:
		return (double)r->live_bytes;
	}
}

static int compare(const void *a, const void *b, void *sort)
{
	const struct figures_row *x = a, *y = b;
	double i = key_of(x, *(enum figures_sort *)sort);
	double j = key_of(y, *(enum figures_sort *)sort);

	if (i != j)
		return i > j ? -1 : 1;
	return strcmp(x->name, y->name);
}

struct figures_row *figures_rows(const struct figures *f,
				 enum figures_view view, enum figures_sort sort,
				 const char *filter, size_t *n)
{
	const struct figures_set *s =
		&f->set[view == FIGURES_GROWTH ? FIGURES_SITES : view];
	struct figures_row *rows = util_alloc(s->count + 1, sizeof(*rows));

	*n = 0;
	for (size_t i = 0; i < s->count; i++) {
		const struct figures_item *it = &s->item[i];
		struct figures_row r = {
			.name = strpool_text(&f->names, it->name),
			.live_bytes = it->live_bytes,
			.live_blocks = it->live_blocks,
			.growth = it->growth,
			.rate = it->rate,
			.temporary = it->temporary_rate,
			.grown = (int64_t)(it->live_bytes - it->first_bytes),
		};

		if (filter && !strcasestr(r.name, filter))
			continue;
		if (view == FIGURES_GROWTH && r.grown <= 0)
			continue;
		rows[(*n)++] = r;
	}
	qsort_r(rows, *n, sizeof(*rows), compare, &sort);
	return rows;
}

void figures_free(struct figures *f)
{
	for (int i = 0; i < 3; i++) {
		free(f->set[i].item);
		map_free(&f->set[i].place);
	}
	strpool_free(&f->names);
	free(f->name_of);
	*f = (struct figures){0};
}
