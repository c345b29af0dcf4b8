/* SPDX-License-Identifier: MIT */
/*
 * Shows that what is chosen is what was asked for: for expressions and options
 * of every kind, over a random program, the sums, the peak and the end equal
 * those of a reference that knows each block's whole life; so do windows of
 * time, to the very event at their bounds. And that an import without events
 * is chosen from by what it has.
 */
#include <string.h>

#include "gen.h"
#include "open.h"
#include "select.h"
#include "suite.h"

#define MAX_EVENTS 20000
#define NEVER UINT64_MAX

static const struct sim_options program = {
	.seed = 11,
	.threads = 4,
	.events = MAX_EVENTS - 8,
	.segment_events = 777,
	.max_live = 300,
	.step = 400,
	.unended = true,
};

/* ---- The reference. ---- */

/* A block, and the places in `events` where it began and ended. */
struct life {
	const struct mt_event *event;
	uint32_t thread;
	size_t begins, ends;
	bool freed, temporary;
	uint64_t born_ns, lifetime_ns;
};

/* A realloc that failed: the life goes on, with a gap. */
struct gap {
	size_t life, ends, resumes;
};

static struct {
	struct mt_event event;
	uint32_t thread;
} events[MAX_EVENTS];
static size_t event_count;
static struct life lives[MAX_EVENTS];
static size_t life_count;
static struct gap gaps[MAX_EVENTS];
static size_t gap_count;

/* What a test works on. */
static struct gen gen;
static struct sim_expected expected;
static struct trace trace;
static struct profile profile;
static struct select *selection;

static void log_event(void *arg, uint32_t thread, const struct mt_event *e)
{
	(void)arg;
	ck_assert_uint_lt(event_count, MAX_EVENTS);
	events[event_count].event = *e;
	events[event_count++].thread = thread;
}

/* The clock starts at 1000 and ticks twice a ns, as it ends even. */
static uint64_t ns_of(uint64_t clock)
{
	return (clock - 1000) / 2;
}

/* Return the life at an address that has not ended. */
static size_t find_life(uint64_t address)
{
	for (size_t i = life_count; i-- > 0;)
		if (lives[i].event->address == address &&
		    lives[i].ends == SIZE_MAX)
			return i;
	ck_abort_msg("no block at an address that is freed");
}

static void end_life(size_t i, size_t at, bool temporary)
{
	struct life *l = &lives[i];

	l->ends = at;
	l->freed = true;
	l->temporary = temporary;
	l->lifetime_ns = (events[at].event.time - l->event->time) / 2;
}

/* Work out the lives of all blocks. */
static void live_through(void)
{
	size_t last[GEN_MAX_THREADS] = {0}, moving[GEN_MAX_THREADS] = {0};

	for (size_t i = 0; i < event_count; i++) {
		const struct mt_event *e = &events[i].event;
		uint32_t thread = events[i].thread;

		if (e->kind == MT_REALLOC_CANCEL) {
			struct life *l = &lives[moving[thread]];

			gaps[gap_count++] =
				(struct gap){moving[thread], l->ends, i};
			l->ends = SIZE_MAX;
			l->freed = false;
			l->lifetime_ns = NEVER;
		} else if (mt_kind_is_free(e->kind)) {
			size_t l = find_life(e->address);

			end_life(l, i,
				 e->kind != MT_REALLOC_FREE &&
					 lives[l].thread == thread &&
					 last[thread] == l + 1);
			moving[thread] = l;
		} else if (e->address) {
			lives[life_count++] = (struct life){
				.event = e,
				.thread = thread,
				.begins = i,
				.ends = SIZE_MAX,
				.born_ns = ns_of(e->time),
				.lifetime_ns = NEVER,
			};
			last[thread] = life_count;
		}
	}
}

struct sums {
	uint64_t allocations, bytes, frees, temporary;
	uint64_t peak_bytes, peak_blocks, exit_bytes, exit_blocks;
};

typedef bool wanted(const struct life *l);

/* Add up what is wanted, event by event, in a window of ns. */
static struct sums sum_up(wanted *want, uint64_t from_ns, uint64_t to_ns)
{
	static int64_t bytes[MAX_EVENTS + 1], blocks[MAX_EVENTS + 1];
	struct sums s = {0};
	uint64_t live = 0, count = 0;
	bool began = false;

	memset(bytes, 0, sizeof(bytes));
	memset(blocks, 0, sizeof(blocks));
	for (size_t i = 0; i < life_count; i++) {
		const struct life *l = &lives[i];
		uint64_t born = l->born_ns;
		uint64_t died =
			l->freed ? ns_of(events[l->ends].event.time) : NEVER;
		size_t end = l->freed ? l->ends : MAX_EVENTS;

		if (!want(l))
			continue;
		bytes[l->begins] += (int64_t)l->event->size;
		blocks[l->begins]++;
		bytes[end] -= (int64_t)l->event->size;
		blocks[end]--;
		s.allocations += born >= from_ns && born < to_ns;
		s.bytes += born >= from_ns && born < to_ns ? l->event->size : 0;
		s.frees += l->freed && died >= from_ns && died < to_ns;
		s.temporary += l->temporary && died >= from_ns && died < to_ns;
	}
	for (size_t i = 0; i < gap_count; i++) {
		const struct life *l = &lives[gaps[i].life];

		if (!want(l))
			continue;
		bytes[gaps[i].ends] -= (int64_t)l->event->size;
		blocks[gaps[i].ends]--;
		bytes[gaps[i].resumes] += (int64_t)l->event->size;
		blocks[gaps[i].resumes]++;
	}
	for (size_t i = 0; i < event_count; i++) {
		uint64_t ns = ns_of(events[i].event.time);

		if (ns >= to_ns)
			break;
		if (ns >= from_ns && !began) {
			began = true;
			s.peak_bytes = live;
			s.peak_blocks = count;
		}
		live += (uint64_t)bytes[i];
		count += (uint64_t)blocks[i];
		if (ns >= from_ns && live > s.peak_bytes) {
			s.peak_bytes = live;
			s.peak_blocks = count;
		}
	}
	if (!began) {
		s.peak_bytes = live;
		s.peak_blocks = count;
	}
	s.exit_bytes = live;
	s.exit_blocks = count;
	return s;
}

/* ---- Stacks, as they are in the trace. ---- */

/* Return the offset in its module of a block's frame, 0 being innermost; 0:
 * the stack is not that deep. */
static uint64_t frame_of(const struct life *l, unsigned int n)
{
	uint32_t node = l->event->stack;

	for (; n && node >= MT_NODE_FIRST; n--)
		node = trace.nodes[node].parent;
	return node < MT_NODE_FIRST
		       ? 0
		       : trace.pcs[trace.nodes[node].pc].pc - 0x400000;
}

static unsigned int frames_of(const struct life *l)
{
	unsigned int n = 0;

	while (frame_of(l, n))
		n++;
	return n;
}

static bool has_frame(const struct life *l, uint64_t from, uint64_t to)
{
	for (unsigned int i = 0; frame_of(l, i); i++)
		if (frame_of(l, i) >= from && frame_of(l, i) <= to)
			return true;
	return false;
}

/* ---- What is asked for. ---- */

#define WANT(name, condition)                  \
	static bool name(const struct life *l) \
	{                                      \
		(void)l;                       \
		return condition;              \
	}

WANT(all, true)
WANT(none, false)
WANT(large, l->event->size > 1024)
WANT(middling, l->event->size >= 100 && l->event->size <= 200)
WANT(empty, l->event->size == 0)
WANT(aligned, l->event->align_log2 == 5)
WANT(by_new, l->event->kind == MT_NEW || l->event->kind == MT_NEW_ARRAY)
WANT(by_realloc, l->event->kind == MT_REALLOC)
WANT(early, l->born_ns < 1000000)
WANT(brief, l->freed && l->lifetime_ns < 5000)
WANT(brief_or_large, l->lifetime_ns<5000 || l->event->size> 1024)
WANT(lasting, l->lifetime_ns > 20000)
WANT(some_time, l->lifetime_ns >= 3000 && l->lifetime_ns <= 9000)
WANT(unfreed, !l->freed)
WANT(freed_soon, l->temporary)
WANT(of_worker, l->thread == 1)
WANT(not_of_worker, l->thread != 1)
WANT(of_pool, l->thread >= 2)
WANT(through_3, has_frame(l, 0x1030, 0x1030))
WANT(around_3_or_9,
     has_frame(l, 0x1030, 0x1060) && !has_frame(l, 0x1090, 0x1090))
WANT(at_5, frame_of(l, 0) == 0x1050)
WANT(deep, frames_of(l) >= 7)
WANT(much_at_once, (l->event->size > 1024 && l->thread == 1 &&
		    l->lifetime_ns < 1000000 && has_frame(l, 0x1000, 0x1000)) ||
			   (l->temporary && !has_frame(l, 0x1030, 0x1030)))

static const struct {
	struct options options;
	wanted *want;
} asked[] = {
	{{.where = "size >= 0"}, all},
	{{.hide = "0x1030"}, all},
	{{.where = "size < 0"}, none},
	{{.where = "size > 1K"}, large},
	{{.where = "size >= 100 && size <= 200B"}, middling},
	{{.size = "100:200"}, middling},
	{{.size = "0"}, empty},
	{{.size = ":"}, all},
	{{.where = "align == 32"}, aligned},
	{{.where = "align != 0 && align < 1K"}, aligned},
	{{.where = "kind ~ '^new'"}, by_new},
	{{.where = "kind == 'new' || kind == 'new[]'"}, by_new},
	{{.where = "kind == 'realloc'"}, by_realloc},
	{{.where = "time < 1ms"}, early},
	{{.where = "!(time >= 1ms)"}, early},
	{{.where = "lifetime < 5us"}, brief},
	{{.where = "freed && !(lifetime >= 5us)"}, brief},
	{{.where = "lifetime < 5us || size > 1K"}, brief_or_large},
	{{.where = "lifetime > 20us"}, lasting},
	{{.lifetime = "20.001us:"}, lasting},
	{{.lifetime = "3us:9us"}, some_time},
	{{.where = "!freed"}, unfreed},
	{{.where = "lifetime > 1000h"}, unfreed},
	{{.where = "temporary"}, freed_soon},
	{{.where = "temporary && freed"}, freed_soon},
	{{.where = "temporary && !freed"}, none},
	{{.where = "thread == 'worker'"}, of_worker},
	{{.where = "thread == 101"}, of_worker},
	{{.thread = "worker"}, of_worker},
	{{.thread = "101"}, of_worker},
	{{.thread = "nobody"}, none},
	{{.where = "thread != 'worker'"}, not_of_worker},
	{{.where = "thread ~ '^pool-[0-9]$'"}, of_pool},
	{{.where = "stack ~ '0x1030$'"}, through_3},
	{{.where = "function == 'example+0x1030'"}, through_3},
	{{.where = "!(function != 'example+0x1030')"}, through_3},
	{{.focus = "0x1030"}, through_3},
	{{.focus = "0x1030", .hide = "0x1030"}, through_3},
	{{.focus = "0x10[3-6]0", .ignore = "0x1090"}, around_3_or_9},
	{{.where = "site == 'example+0x1050'"}, at_5},
	{{.where = "module == 'example'"}, all},
	{{.where = "module ~ '^/nonexistent/example$'"}, all},
	{{.where = "module == 'libc.so.6'"}, none},
	{{.where = "file ~ ''"}, none},
	{{.where = "depth > 6"}, deep},
	{{.where = "size > 1K && thread == 'worker' && lifetime < 1ms && "
		   "stack ~ 'x1000' || temporary && stack !~ '0x1030'"},
	 much_at_once},
};

/* ---- The tests. ---- */

/* Record the program, open its trace and name its threads. */
static void begin(void)
{
	static const char *const names[] = {"example", "worker", "pool-1",
					    "pool-2"};

	sim_run(&program, &gen, &expected, log_event, NULL);
	gen_end(&gen, MT_END_EXIT, (gen.clock | 1) + 1);
	open_generated(&trace, &gen.file);
	gen_free(&gen);
	live_through();
	ck_assert_uint_eq(trace.thread_count, 4);
	for (size_t i = 0; i < 4; i++) {
		struct trace_thread *t = &trace.threads[i];

		free(t->name);
		t->name = util_copy(names[t->index], strlen(names[t->index]));
		t->tid = 100 + t->index;
	}
}

static void finish(void)
{
	select_free(selection);
	profile_free(&profile);
	trace_close(&trace);
}

/* Profile the trace as options ask for it. */
static void profile_by(const struct options *o)
{
	struct prof_options p = {0};
	struct error e = {0};

	ck_assert_msg(!select_new(&selection, o, &e), "%s", e.text);
	select_window(o, &trace, &p.from, &p.until);
	profile_open_trace(&profile, &trace, NULL);
	select_trace(selection, &trace, &profile.stacks, NULL);
	select_set_options(selection, &p);
	profile_replay(&profile, &p, NULL);
}

static void check_sums(const struct sums *s)
{
	const struct prof *p = profile.prof;
	const struct profile_totals *t = &profile.totals;

	ck_assert_uint_eq(p->allocations, s->allocations);
	ck_assert_uint_eq(p->allocated_bytes, s->bytes);
	ck_assert_uint_eq(p->frees, s->frees);
	ck_assert_uint_eq(p->temporary, s->temporary);
	ck_assert_uint_eq(p->peak_bytes, s->peak_bytes);
	ck_assert_uint_eq(p->peak_blocks, s->peak_blocks);
	ck_assert_uint_eq(p->exit_bytes, s->exit_bytes);
	ck_assert_uint_eq(p->exit_blocks, s->exit_blocks);
	/* The rows add up to the same. */
	ck_assert_uint_eq(t->allocations, s->allocations);
	ck_assert_uint_eq(t->allocated_bytes, s->bytes);
	ck_assert_uint_eq(t->frees, s->frees);
	ck_assert_uint_eq(t->temporary, s->temporary);
	ck_assert_uint_eq(t->peak_bytes, s->peak_bytes);
	ck_assert_uint_eq(t->peak_blocks, s->peak_blocks);
	ck_assert_uint_eq(t->exit_bytes, s->exit_bytes);
	ck_assert_uint_eq(t->exit_blocks, s->exit_blocks);
}

START_TEST(chooses_what_is_asked_for)
{
	struct options o = asked[_i].options;
	struct sums s;

	o.to_ns = UINT64_MAX;
	begin();
	profile_by(&o);
	s = sum_up(asked[_i].want, 0, NEVER);
	ck_assert((s.allocations == 0) == (asked[_i].want == none));
	ck_assert((s.allocations == expected.total.allocations) ==
		  (asked[_i].want == all));
	check_sums(&s);
	finish();
}
END_TEST

/* Windows whose bounds are events, or one ns beside them; by place. */
static const struct {
	size_t from, to;
	int from_by, to_by;
} windows[] = {
	{0, 10000, 0, 0},
	{10000, MAX_EVENTS, 0, 0},
	{10000, MAX_EVENTS, 1, 0},
	{10000, MAX_EVENTS, -1, 0},
	{5000, 5100, 0, 0},
	{5000, 5100, -1, 1},
	{5000, 5100, 1, -1},
	{7000, 7001, 0, 0},
	{7000, 7000, 0, 0},
	{7000, 7000, 0, 1},
	{MAX_EVENTS, MAX_EVENTS, 1000, 1000},
};

/* Return the time of an event, or one after all of them. */
static uint64_t time_of(size_t i, int by)
{
	if (i >= event_count)
		return ns_of(events[event_count - 1].event.time) + 2000;
	return ns_of(events[i].event.time) + (uint64_t)(int64_t)by;
}

START_TEST(windows_end_at_the_event)
{
	static wanted *const wants[] = {all, some_time};
	struct options o = {.lifetime = _i % 2 ? "3us:9us" : NULL};
	struct sums s;

	begin();
	o.from_ns = windows[_i / 2].from ? time_of(windows[_i / 2].from,
						   windows[_i / 2].from_by)
					 : 0;
	o.to_ns = time_of(windows[_i / 2].to, windows[_i / 2].to_by);
	profile_by(&o);
	s = sum_up(wants[_i % 2], o.from_ns, o.to_ns);
	check_sums(&s);
	finish();
}
END_TEST

/* --at the peak's own time shows the peak; --at is the end of its instant. */
START_TEST(at_includes_its_instant)
{
	struct options o = {.to_ns = UINT64_MAX, .at = OPTIONS_AT_TIME};
	struct sums s;

	begin();
	o.at_ns = ns_of(expected.peak_clock);
	profile_by(&o);
	s = sum_up(all, 0, o.at_ns + 1);
	check_sums(&s);
	ck_assert_uint_eq(profile.totals.exit_bytes, expected.peak_bytes);
	finish();
}
END_TEST

/* The block whose times are asked for, to the ns. */
static const struct life *model;

WANT(as_model, l->lifetime_ns == model->lifetime_ns)
WANT(born_as_model, l->born_ns == model->born_ns)
WANT(longer_than_model, l->lifetime_ns > model->lifetime_ns)
WANT(born_by_model, l->born_ns <= model->born_ns)

/* An expression, with the model's lifetime or birth for the number. */
static const struct {
	const char *format;
	wanted *want;
	bool birth;
} exact[] = {
	{"lifetime == %lluns", as_model, false},
	{"time == %lluns", born_as_model, true},
	{"lifetime > %lluns", longer_than_model, false},
	{"!(lifetime <= %lluns)", longer_than_model, false},
	{"time <= %lluns", born_by_model, true},
	{"!(time > %lluns)", born_by_model, true},
};

START_TEST(compares_times_exactly)
{
	begin();
	for (size_t i = 100; i < life_count; i += 1500) {
		struct options o = {.to_ns = UINT64_MAX};
		char where[64];
		struct sums s;

		for (model = &lives[i]; !model->freed; model++)
			;
		snprintf(where, sizeof(where), exact[_i].format,
			 (unsigned long long)(exact[_i].birth
						      ? model->born_ns
						      : model->lifetime_ns));
		o.where = where;
		profile_by(&o);
		s = sum_up(exact[_i].want, 0, NEVER);
		check_sums(&s);
		select_free(selection);
		profile_free(&profile);
	}
	trace_close(&trace);
}
END_TEST

/* A frame that is hidden is on no stack, and no site; what has none left is
 * still there. */
START_TEST(hides_frames)
{
	struct options o = {.to_ns = UINT64_MAX,
			    .hide = _i ? "." : "0x1[01][0-9a-f]0$"};
	struct stacks_list list = {0};

	begin();
	profile_by(&o);
	ck_assert_uint_eq(profile.totals.peak_bytes, expected.peak_bytes);
	for (size_t i = 0; i < profile.row_count; i++) {
		uint32_t node = profile.rows[i].node;
		const char *site = stacks_site(&profile.stacks, node)->name;

		stacks_expand(&profile.stacks, node, &list);
		ck_assert_uint_ge(list.count, 1);
		for (size_t j = 0; j < list.count; j++)
			ck_assert_uint_ne(strlen(list.at[j]->name),
					  strlen("example+0x1000"));
		ck_assert_str_eq(list.at[0]->name, site);
		ck_assert(strcmp(site, "(hidden)") == 0 || !_i);
	}
	stacks_list_free(&list);
	finish();
}
END_TEST

/* ---- Imports. ---- */

/* Make an import of three stacks, with what `keys` say. */
static void import(unsigned int keys)
{
	static const struct sym_frame frames[] = {
		{.function = "main", .file = "src/main.c", .line = 1},
		{.function = "parse", .file = "src/parse.c", .line = 2},
		{.function = "draw", .file = "src/draw.c", .line = 3},
	};
	struct stacks *s = &profile.stacks;
	uint32_t node[3];

	profile_begin(&profile, "x.heap", "jemalloc", PROFILE_HAS_EXIT);
	profile.keys = keys;
	profile_add_thread(&profile, &(struct profile_thread){0, 7, "main"});
	profile_add_thread(&profile, &(struct profile_thread){1, 8, NULL});
	for (uint32_t i = 0; i < 3; i++) {
		uint32_t pc = stacks_add_pc(s, 100 + i, MT_NO_MODULE, 0);

		stacks_set_frames(s, pc, &frames[i], 1);
		node[i] = stacks_add_node(s, i ? node[0] : 0, pc);
		profile_add_row(&profile,
				&(struct profile_row){
					.node = node[i],
					.size = 10u << i,
					.thread = i / 2,
					.totals = {.exit_bytes = 1u << i,
						   .exit_blocks = 1},
				});
	}
}

/* An option, and the bytes that are left; ~0u: it cannot be answered. */
static const struct {
	struct options options;
	unsigned int keys, bytes;
	const char *why;
} imports[] = {
	{{.focus = "main"}, 0, 7, NULL},
	{{.focus = "parse|draw"}, 0, 6, NULL},
	{{.ignore = "draw\\.c"}, 0, 3, NULL},
	{{.where = "file == 'draw.c' || site == 'main'"}, 0, 5, NULL},
	{{.where = "depth == 1"}, 0, 1, NULL},
	{{.hide = "^main", .where = "depth == 1"}, 0, 7, NULL},
	{{.where = "size == 20"}, PROF_BY_SIZE, 2, NULL},
	{{.thread = "main"}, PROF_BY_THREAD, 3, NULL},
	{{.thread = "8"}, PROF_BY_THREAD, 4, NULL},
	{{.size = "20"}, PROF_BY_THREAD, ~0u, "size"},
	{{.thread = "main"}, PROF_BY_SIZE, ~0u, "thread"},
	{{.where = "stack ~ 'main' || lifetime < 1s"}, 3, ~0u, "lifetime"},
	{{.where = "kind == 'malloc'"}, 3, ~0u, "kind"},
	{{.where = "time > 1s"}, 3, ~0u, "time"},
	{{.where = "freed"}, 3, ~0u, "freed"},
};

START_TEST(chooses_rows)
{
	struct error e = {0};

	ck_assert_int_eq(select_new(&selection, &imports[_i].options, &e), 0);
	import(imports[_i].keys);
	if (imports[_i].bytes == ~0u) {
		char *text = util_format("chosen by %s: a jemalloc profile",
					 imports[_i].why);

		ck_assert_int_eq(select_rows(selection, &profile, &e), -1);
		ck_assert_msg(strstr(e.text, text) != NULL, "%s", e.text);
		free(text);
	} else {
		uint64_t sum = 0;

		ck_assert_int_eq(select_rows(selection, &profile, &e), 0);
		for (size_t i = 0; i < profile.row_count; i++)
			sum += profile.rows[i].totals.exit_bytes;
		ck_assert_uint_eq(sum, imports[_i].bytes);
		ck_assert_uint_eq(profile.totals.exit_bytes, sum);
	}
	select_free(selection);
	profile_free(&profile);
}
END_TEST

/* What is wrong is said of the option that it is in. */
static const struct {
	struct options options;
	const char *text;
	uint64_t offset;
} wrong[] = {
	{{.where = "freed && sizee > 1"},
	 "--where: unknown field 'sizee', did you mean 'size'?",
	 9},
	{{.focus = "("}, "--focus: '(': Unmatched", ERROR_NO_OFFSET},
	{{.ignore = "("}, "--ignore: '(': Unmatched", ERROR_NO_OFFSET},
	{{.hide = "("}, "--hide: '(': Unmatched", ERROR_NO_OFFSET},
};

START_TEST(names_the_option)
{
	struct error e = {0};

	ck_assert_int_eq(select_new(&selection, &wrong[_i].options, &e), -1);
	ck_assert_msg(util_starts(e.text, wrong[_i].text), "%s", e.text);
	ck_assert_uint_eq(e.offset, wrong[_i].offset);
	ck_assert_ptr_null(selection);
	ck_assert_int_eq(select_new(&selection, &(struct options){0}, NULL), 0);
	ck_assert_ptr_null(selection);
}
END_TEST

static void add(TCase *c)
{
	tcase_add_loop_test(c, chooses_what_is_asked_for, 0, COUNT(asked));
	tcase_add_loop_test(c, windows_end_at_the_event, 0, 2 * COUNT(windows));
	tcase_add_test(c, at_includes_its_instant);
	tcase_add_loop_test(c, compares_times_exactly, 0, COUNT(exact));
	tcase_add_loop_test(c, hides_frames, 0, 2);
	tcase_add_loop_test(c, chooses_rows, 0, COUNT(imports));
	tcase_add_loop_test(c, names_the_option, 0, COUNT(wrong));
}

int main(void)
{
	return suite_main("select", add);
}
