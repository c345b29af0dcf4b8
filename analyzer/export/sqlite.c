/* SPDX-License-Identifier: MIT */
/*
 * A database of SQLite, whose tables the man page lists.
 *
 * Each row of the profile goes to a temporary table; what sums it up - by
 * stack, by site, by size - is left to SQL. Ids are places in the trace, so
 * the same trace gives the same tables. It is written in one transaction and
 * without a journal: until it is whole, the file has another name.
 */
#include "export.h"

#include <sqlite3.h>
#include <stdlib.h>

#include "chosen.h"
#include "lifespan.h"
#include "series.h"

/* "MTrc": what file(1) can know it by. */
static const char schema[] =
	"PRAGMA application_id = 1297379939;"
	"PRAGMA user_version = 1;"
	"PRAGMA journal_mode = OFF;"
	"PRAGMA synchronous = OFF;"
	"BEGIN;"
	"CREATE TABLE meta(key TEXT PRIMARY KEY, value) WITHOUT ROWID;"
	"CREATE TABLE threads(id INTEGER PRIMARY KEY, tid INTEGER, name TEXT);"
	"CREATE TABLE modules(id INTEGER PRIMARY KEY, path TEXT,"
	" build_id TEXT);"
	"CREATE TABLE frames(id INTEGER PRIMARY KEY, name TEXT NOT NULL,"
	" function TEXT, linkage TEXT, file TEXT, line INTEGER,"
	" module_id INTEGER REFERENCES modules, offset INTEGER,"
	" inlined INTEGER NOT NULL);"
	"CREATE TABLE sites(id INTEGER PRIMARY KEY, name TEXT NOT NULL,"
	" function TEXT, file TEXT, line INTEGER, module TEXT,"
	" allocations INTEGER, allocated_bytes INTEGER, temporary INTEGER,"
	" frees INTEGER, peak_bytes INTEGER, peak_blocks INTEGER,"
	" exit_bytes INTEGER, exit_blocks INTEGER);"
	"CREATE TABLE stacks(id INTEGER PRIMARY KEY,"
	" site_id INTEGER NOT NULL REFERENCES sites);"
	"CREATE TABLE stack_frames(stack_id INTEGER NOT NULL"
	" REFERENCES stacks, depth INTEGER NOT NULL,"
	" frame_id INTEGER NOT NULL REFERENCES frames,"
	" PRIMARY KEY(stack_id, depth)) WITHOUT ROWID;"
	"CREATE TABLE rows(stack_id INTEGER PRIMARY KEY REFERENCES stacks,"
	" allocations INTEGER, allocated_bytes INTEGER, temporary INTEGER,"
	" frees INTEGER, lifetime_ns INTEGER, peak_bytes INTEGER,"
	" peak_blocks INTEGER, exit_bytes INTEGER, exit_blocks INTEGER);"
	"CREATE TABLE variances(stack_id INTEGER PRIMARY KEY REFERENCES"
	" stacks, allocations REAL, allocated_bytes REAL, peak_bytes REAL,"
	" peak_blocks REAL, exit_bytes REAL, exit_blocks REAL);"
	"CREATE TABLE live(stack_id INTEGER NOT NULL REFERENCES stacks,"
	" thread_id INTEGER REFERENCES threads, size INTEGER,"
	" peak_bytes INTEGER, peak_blocks INTEGER, exit_bytes INTEGER,"
	" exit_blocks INTEGER);"
	"CREATE TABLE histogram_sizes(size INTEGER PRIMARY KEY,"
	" allocations INTEGER, allocated_bytes INTEGER, peak_blocks INTEGER,"
	" exit_blocks INTEGER);"
	"CREATE TABLE histogram_lifetimes(under_ns INTEGER,"
	" blocks INTEGER, bytes INTEGER);"
	"CREATE TABLE timeline(time_ns INTEGER, max_bytes INTEGER,"
	" last_bytes INTEGER, max_blocks INTEGER, last_blocks INTEGER,"
	" allocations INTEGER, allocated_bytes INTEGER, frees INTEGER);"
	"CREATE TEMP TABLE parts(stack_id, thread_id, size, allocations,"
	" allocated_bytes, temporary, frees, lifetime_ns, peak_bytes,"
	" peak_blocks, exit_bytes, exit_blocks);";

/* What is made of the parts when all are there. */
static const char sums[] =
	"INSERT INTO rows SELECT stack_id, sum(allocations),"
	" sum(allocated_bytes), sum(temporary), sum(frees), sum(lifetime_ns),"
	" sum(peak_bytes), sum(peak_blocks), sum(exit_bytes),"
	" sum(exit_blocks) FROM parts GROUP BY stack_id ORDER BY stack_id;"
	"INSERT INTO live SELECT stack_id, thread_id, size, peak_bytes,"
	" peak_blocks, exit_bytes, exit_blocks FROM parts"
	" WHERE peak_bytes OR peak_blocks OR exit_bytes OR exit_blocks"
	" ORDER BY stack_id, thread_id, size;"
	"INSERT INTO histogram_sizes SELECT size, sum(allocations),"
	" sum(allocated_bytes), sum(peak_blocks), sum(exit_blocks)"
	" FROM parts WHERE size IS NOT NULL GROUP BY size ORDER BY size;"
	"DROP TABLE parts;"
	"CREATE INDEX stacks_site ON stacks(site_id);"
	"CREATE INDEX stack_frames_frame ON stack_frames(frame_id);"
	"CREATE INDEX frames_function ON frames(function);"
	"CREATE INDEX live_stack ON live(stack_id);"
	"COMMIT;";

/* The database being written. */
struct base {
	sqlite3 *db;
	struct profile *profile;
	int status; /* SQLite's, of the first thing that failed */
};

/* A row that goes in: a statement and how many of its values are bound. */
struct insert {
	struct base *base;
	sqlite3_stmt *statement;
	int bound;
};

/* Run statements that return nothing. */
static void run(struct base *b, const char *sql)
{
	if (!b->status)
		b->status = sqlite3_exec(b->db, sql, NULL, NULL, NULL);
}

/* Begin to insert rows by a statement. */
static struct insert insert_begin(struct base *b, const char *sql)
{
	struct insert i = {.base = b};

	if (!b->status)
		b->status =
			sqlite3_prepare_v2(b->db, sql, -1, &i.statement, NULL);
	return i;
}

/* Bind the next value: an integer. */
static void put_number(struct insert *i, uint64_t n)
{
	sqlite3_bind_int64(i->statement, ++i->bound, (sqlite3_int64)n);
}

/* Bind the next value: a real number. */
static void put_real(struct insert *i, double n)
{
	sqlite3_bind_double(i->statement, ++i->bound, n);
}

/* Bind the next value: nothing. */
static void put_null(struct insert *i)
{
	sqlite3_bind_null(i->statement, ++i->bound);
}

/* Bind the next value: a text as valid UTF-8, or nothing for NULL. */
static void put_text(struct insert *i, const char *text)
{
	char *copy;

	if (!text) {
		put_null(i);
		return;
	}
	copy = util_format("%s", text);
	for (char *p = copy; *p;) {
		unsigned int n = term_utf8(p);

		if (!n)
			*p = '?';
		p += n ? n : 1;
	}
	sqlite3_bind_text(i->statement, ++i->bound, copy, -1, free);
}

/* Insert the row whose values are bound. */
static void insert_row(struct insert *i)
{
	struct base *b = i->base;

	if (!b->status) {
		sqlite3_step(i->statement);
		b->status = sqlite3_reset(i->statement);
	}
	i->bound = 0;
}

/* Bind the sums of a site or a row, without those of time. */
static void put_live(struct insert *i, const struct profile_totals *t)
{
	put_number(i, t->peak_bytes);
	put_number(i, t->peak_blocks);
	put_number(i, t->exit_bytes);
	put_number(i, t->exit_blocks);
}

/* Insert a number about the whole. */
static void meta_number(struct insert *i, const char *key, uint64_t n)
{
	put_text(i, key);
	put_number(i, n);
	insert_row(i);
}

/* Insert a text about the whole, if it is known. */
static void meta_text(struct insert *i, const char *key, const char *text)
{
	if (!text)
		return;
	put_text(i, key);
	put_text(i, text);
	insert_row(i);
}

/* Insert the sums that the source knows. */
static void put_totals(struct insert *i, const struct profile *p)
{
	const struct profile_totals *t = &p->totals;
	const struct {
		const char *key;
		unsigned int has;
		uint64_t n;
	} sum[] = {
		{"allocations", PROFILE_HAS_ALLOCATED, t->allocations},
		{"allocated_bytes", PROFILE_HAS_ALLOCATED, t->allocated_bytes},
		{"temporary", PROFILE_HAS_TEMPORARY, t->temporary},
		{"frees", PROFILE_HAS_FREES, t->frees},
		{"peak_bytes", PROFILE_HAS_PEAK, t->peak_bytes},
		{"peak_blocks", PROFILE_HAS_PEAK | PROFILE_HAS_BLOCKS,
		 t->peak_blocks},
		{"exit_bytes", PROFILE_HAS_EXIT, t->exit_bytes},
		{"exit_blocks", PROFILE_HAS_EXIT | PROFILE_HAS_BLOCKS,
		 t->exit_blocks},
		{"duration_ns", PROFILE_HAS_TIME, p->duration_ns},
		{"peak_ns", PROFILE_HAS_TIME, p->peak_ns},
	};

	for (size_t n = 0; n < sizeof(sum) / sizeof(*sum); n++)
		if ((p->has & sum[n].has) == sum[n].has)
			meta_number(i, sum[n].key, sum[n].n);
}

/* Fill the table meta. */
static void put_meta(struct base *b)
{
	struct insert i = insert_begin(b, "INSERT INTO meta VALUES(?, ?)");
	const struct profile *p = b->profile;

	meta_text(&i, "version", OPTIONS_VERSION);
	meta_text(&i, "source", p->source);
	meta_text(&i, "program", p->program);
	meta_text(&i, "host", p->host);
	meta_number(&i, "pid", p->pid);
	meta_number(&i, "start_ns", p->real_ns);
	put_totals(&i, p);
	if (p->rate_bytes)
		meta_number(&i, "rate_bytes", p->rate_bytes);
	if (p->trace) {
		meta_text(&i, "allocator", p->trace->allocator);
		meta_number(&i, "failed", p->prof->failed);
		meta_number(&i, "lost_events", p->trace->lost.events);
	}
	sqlite3_finalize(i.statement);
}

/* Fill the table threads. */
static void put_threads(struct base *b)
{
	struct insert i =
		insert_begin(b, "INSERT INTO threads VALUES(?, ?, ?)");
	const struct profile *p = b->profile;

	for (size_t n = 0; n < p->thread_count; n++) {
		put_number(&i, n);
		put_number(&i, p->threads[n].tid);
		put_text(&i, p->threads[n].name);
		insert_row(&i);
	}
	sqlite3_finalize(i.statement);
}

/* Fill the table modules. */
static void put_modules(struct base *b)
{
	struct insert i =
		insert_begin(b, "INSERT INTO modules VALUES(?, ?, lower(hex(?)"
				"))");
	const struct stacks *s = &b->profile->stacks;

	for (size_t n = 0; n < s->module_count; n++) {
		const struct trace_module *m = &s->modules[n];

		put_number(&i, n);
		put_text(&i, m->path);
		sqlite3_bind_blob(i.statement, ++i.bound, m->build_id,
				  (int)m->build_id_bytes, SQLITE_STATIC);
		insert_row(&i);
	}
	sqlite3_finalize(i.statement);
}

/* Fill the table sites. */
static void put_sites(struct base *b, const struct groups *g)
{
	struct insert i = insert_begin(b, "INSERT INTO sites VALUES(?, ?, ?, "
					  "?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");

	for (size_t n = 0; n < g->count; n++) {
		const struct frame *f = g->at[n].frame;
		const struct profile_totals *t = &g->at[n].totals;

		put_number(&i, n);
		put_text(&i, f->name);
		put_text(&i, f->function);
		put_text(&i, f->file);
		f->file ? put_number(&i, f->line) : put_null(&i);
		put_text(&i, f->module);
		put_number(&i, t->allocations);
		put_number(&i, t->allocated_bytes);
		put_number(&i, t->temporary);
		put_number(&i, t->frees);
		put_live(&i, t);
		insert_row(&i);
	}
	sqlite3_finalize(i.statement);
}

/* The statements that stacks go in by, and what is in already. */
struct stack_tables {
	struct insert stack, place, frame;
	struct map frame_id; /* a frame's address -> id + 1 */
	struct map seen;     /* nodes */
	struct stacks_list list;
};

/* Return the id of a frame, inserted when it is new. */
static uint64_t put_frame(struct stack_tables *t, const struct frame *f)
{
	uint64_t *id = map_put(&t->frame_id, (uintptr_t)f, NULL);
	struct insert *i = &t->frame;

	if (*id)
		return *id - 1;
	*id = t->frame_id.count;
	put_number(i, *id - 1);
	put_text(i, f->name);
	put_text(i, f->function);
	put_text(i, f->linkage);
	put_text(i, f->file);
	f->file ? put_number(i, f->line) : put_null(i);
	if (f->module_id < i->base->profile->stacks.module_count)
		put_number(i, f->module_id);
	else
		put_null(i);
	put_number(i, f->offset);
	put_number(i, f->inlined);
	insert_row(i);
	return *id - 1;
}

/* Insert a stack and its frames, once. */
static void put_stack(struct stack_tables *t, uint32_t node, uint64_t site)
{
	bool fresh;

	map_put(&t->seen, node, &fresh);
	if (!fresh)
		return;
	put_number(&t->stack, node);
	put_number(&t->stack, site);
	insert_row(&t->stack);
	stacks_expand(&t->stack.base->profile->stacks, node, &t->list);
	for (size_t n = 0; n < t->list.count; n++) {
		put_number(&t->place, node);
		put_number(&t->place, n);
		put_number(&t->place, put_frame(t, t->list.at[n]));
		insert_row(&t->place);
	}
}

/* Fill the tables stacks, stack_frames and frames. */
static void put_stacks(struct base *b, struct groups *sites)
{
	struct profile *p = b->profile;
	struct stack_tables t = {
		.stack = insert_begin(b, "INSERT INTO stacks VALUES(?, ?)"),
		.place = insert_begin(b, "INSERT INTO stack_frames "
					 "VALUES(?, ?, ?)"),
		.frame = insert_begin(b, "INSERT INTO frames VALUES(?, ?, ?, "
					 "?, ?, ?, ?, ?, ?)"),
	};

	for (size_t i = 0; i < p->row_count; i++)
		put_stack(&t, p->rows[i].node,
			  groups_of(sites, p, &p->rows[i]));
	sqlite3_finalize(t.stack.statement);
	sqlite3_finalize(t.place.statement);
	sqlite3_finalize(t.frame.statement);
	stacks_list_free(&t.list);
	map_free(&t.frame_id);
	map_free(&t.seen);
}

/* Insert the rows of the profile. */
static void put_parts(struct base *b)
{
	struct insert i = insert_begin(b, "INSERT INTO parts VALUES(?, ?, ?, "
					  "?, ?, ?, ?, ?, ?, ?, ?, ?)");
	const struct profile *p = b->profile;

	for (size_t n = 0; n < p->row_count; n++) {
		const struct profile_row *row = &p->rows[n];
		const struct profile_totals *t = &row->totals;

		put_number(&i, row->node);
		if (p->keys & PROF_BY_THREAD && row->thread < p->thread_count)
			put_number(&i, row->thread);
		else
			put_null(&i);
		p->keys &PROF_BY_SIZE ? put_number(&i, row->size)
				      : put_null(&i);
		put_number(&i, t->allocations);
		put_number(&i, t->allocated_bytes);
		put_number(&i, t->temporary);
		put_number(&i, t->frees);
		put_number(&i, t->lifetime_ns);
		put_live(&i, t);
		insert_row(&i);
	}
	sqlite3_finalize(i.statement);
}

/* Add what a row has to the variances of its stack's sums. */
static void put_variances(struct base *b)
{
	struct insert i = insert_begin(
		b, "INSERT INTO variances VALUES(?, ?, ?, ?, ?, ?, ?) "
		   "ON CONFLICT(stack_id) DO UPDATE SET "
		   "allocations = allocations + excluded.allocations, "
		   "allocated_bytes = allocated_bytes + "
		   "excluded.allocated_bytes, "
		   "peak_bytes = peak_bytes + excluded.peak_bytes, "
		   "peak_blocks = peak_blocks + excluded.peak_blocks, "
		   "exit_bytes = exit_bytes + excluded.exit_bytes, "
		   "exit_blocks = exit_blocks + excluded.exit_blocks");
	const struct profile *p = b->profile;

	for (size_t n = 0; n < p->row_count && p->rate_bytes; n++) {
		const struct profile_totals *t = &p->rows[n].totals;

		put_number(&i, p->rows[n].node);
		put_real(&i, t->allocated.blocks.variance);
		put_real(&i, t->allocated.bytes.variance);
		put_real(&i, t->peak.bytes.variance);
		put_real(&i, t->peak.blocks.variance);
		put_real(&i, t->exit.bytes.variance);
		put_real(&i, t->exit.blocks.variance);
		insert_row(&i);
	}
	sqlite3_finalize(i.statement);
}

/* Buckets of the table timeline. */
#define TIMELINE_BUCKETS 1000

/* Fill the table timeline. */
static void put_timeline(struct base *b, struct trace *t)
{
	struct insert i = insert_begin(b, "INSERT INTO timeline "
					  "VALUES(?, ?, ?, ?, ?, ?, ?, ?)");
	const struct prof_options *o = &b->profile->prof->options;
	uint64_t from = o->from > t->process.clock ? o->from : t->process.clock;
	uint64_t to = o->until < t->end_clock ? o->until : t->end_clock;
	struct replay_listener l;
	struct series s;

	series_begin(&s, t, from, to, TIMELINE_BUCKETS);
	l = series_listener(&s);
	chosen_replay(t, o, &l, NULL);
	series_end(&s);
	for (size_t n = 0; n < s.count; n++) {
		unsigned __int128 at =
			(unsigned __int128)(s.to - s.from) * n / s.count;

		put_number(&i, trace_ns(t, s.from + (uint64_t)at));
		put_number(&i, s.at[n].max_bytes);
		put_number(&i, s.at[n].last_bytes);
		put_number(&i, s.at[n].max_blocks);
		put_number(&i, s.at[n].last_blocks);
		put_number(&i, s.at[n].allocations);
		put_number(&i, s.at[n].allocated_bytes);
		put_number(&i, s.at[n].frees);
		insert_row(&i);
	}
	sqlite3_finalize(i.statement);
	series_free(&s);
}

/* Fill the table histogram_lifetimes; no bound: never freed. */
static void put_lifetimes(struct base *b, struct trace *t)
{
	struct insert i = insert_begin(b, "INSERT INTO histogram_lifetimes "
					  "VALUES(?, ?, ?)");
	struct replay_listener l;
	struct lifespan s;

	lifespan_begin(&s, t, b->profile->prof->options.from);
	l = lifespan_listener(&s);
	chosen_replay(t, &b->profile->prof->options, &l, NULL);
	lifespan_end(&s);
	for (unsigned int n = 0; n <= LIFESPAN_TIMES; n++) {
		if (!s.time[n].blocks)
			continue;
		if (n < LIFESPAN_TIMES)
			put_number(&i, lifespan_bound_ns(n));
		else
			put_null(&i);
		put_number(&i, s.time[n].blocks);
		put_number(&i, s.time[n].bytes);
		insert_row(&i);
	}
	sqlite3_finalize(i.statement);
	lifespan_free(&s);
}

/* Fill all tables. */
static void put_all(struct base *b)
{
	struct groups sites;

	groups_build(&sites, b->profile, GROUP_SITE, false);
	run(b, schema);
	put_meta(b);
	put_threads(b);
	put_modules(b);
	put_sites(b, &sites);
	put_stacks(b, &sites);
	put_parts(b);
	put_variances(b);
	if (b->profile->trace) {
		put_timeline(b, b->profile->trace);
		put_lifetimes(b, b->profile->trace);
	}
	run(b, sums);
	groups_free(&sites);
}

int export_sqlite(struct export *x, struct error *e)
{
	struct base b = {.profile = x->profile};

	b.status = sqlite3_open_v2(x->path, &b.db, SQLITE_OPEN_READWRITE, NULL);
	put_all(&b);
	if (b.status)
		error_set(e, ERROR_NO_OFFSET, "cannot write %s: %s",
			  x->options->output, sqlite3_errstr(b.status));
	sqlite3_close(b.db);
	return b.status ? -1 : 0;
}
