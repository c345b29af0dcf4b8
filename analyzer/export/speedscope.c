/* SPDX-License-Identifier: MIT */
/*
 * speedscope's own JSON: a profile each for what was live at the peak and at
 * the end, the bytes that were allocated, and the calls. A frame is a
 * function.
 * Source: www.speedscope.app/file-format-schema.json.
 */
#include "export.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>

#include "json.h"
#include "number.h"

/* The profiles, as far as they are known. */
static const struct {
	const char *name, *unit;
	unsigned int has;
	size_t offset; /* in struct profile_totals */
} kinds[] = {
	{"live at the peak", "bytes", PROFILE_HAS_PEAK,
	 offsetof(struct profile_totals, peak_bytes)},
	{"live at the end", "bytes", PROFILE_HAS_EXIT,
	 offsetof(struct profile_totals, exit_bytes)},
	{"allocated bytes", "bytes", PROFILE_HAS_ALLOCATED,
	 offsetof(struct profile_totals, allocated_bytes)},
	{"allocations", "none", PROFILE_HAS_ALLOCATED,
	 offsetof(struct profile_totals, allocations)},
};

#define KINDS (sizeof(kinds) / sizeof(*kinds))

/* Return one of the sums by its place. */
static uint64_t value_of(const struct profile_totals *t, size_t offset)
{
	return *(const uint64_t *)((const char *)t + offset);
}

/* Write the functions, in the order of their numbers. */
static void put_frames(const struct number *n, FILE *out)
{
	for (size_t i = 0; i < n->count; i++) {
		fputs(i ? ",\n{\"name\": " : "\n{\"name\": ", out);
		json_put_text(out, n->frames[i]->name);
		if (n->frames[i]->file) {
			fputs(", \"file\": ", out);
			json_put_text(out, n->frames[i]->file);
		}
		putc('}', out);
	}
}

/* Write a row's stack, from the outermost frame inward. */
static void put_stack(struct profile *p, const struct profile_row *row,
		      struct number *n, struct stacks_list *list, FILE *out)
{
	stacks_expand(&p->stacks, row->node, list);
	putc('[', out);
	for (size_t i = list->count; i-- > 0;)
		fprintf(out, "%u%s", number_frame(n, list->at[i]),
			i ? "," : "");
	putc(']', out);
}

/* Write one of the profiles. */
static void put_profile(struct profile *p, size_t kind, struct number *n,
			FILE *out)
{
	size_t offset = kinds[kind].offset, count = 0;
	struct stacks_list list = {0};

	fprintf(out,
		"{\"type\": \"sampled\", \"name\": \"%s\", \"unit\": \"%s\", "
		"\"startValue\": 0, \"endValue\": %" PRIu64 ",\n\"samples\": [",
		kinds[kind].name, kinds[kind].unit,
		value_of(&p->totals, offset));
	for (size_t i = 0; i < p->row_count; i++) {
		if (!value_of(&p->rows[i].totals, offset))
			continue;
		fputs(count++ ? ",\n" : "\n", out);
		put_stack(p, &p->rows[i], n, &list, out);
	}
	fputs("],\n\"weights\": [", out);
	count = 0;
	for (size_t i = 0; i < p->row_count; i++) {
		uint64_t value = value_of(&p->rows[i].totals, offset);

		if (value)
			fprintf(out, "%s%" PRIu64, count++ ? "," : "", value);
	}
	fputs("]}", out);
	stacks_list_free(&list);
}

/* Write the profiles that are known; return which is to be shown first. */
static unsigned int put_profiles(struct profile *p, enum options_at at,
				 struct number *n, FILE *out)
{
	static const size_t shown[] = {
		[OPTIONS_AT_EXIT] = 1,
		[OPTIONS_AT_TOTAL] = 2,
		[OPTIONS_AT_CHURN] = 2,
		[OPTIONS_AT_TIME] = 1,
	};
	unsigned int count = 0, active = 0;

	for (size_t i = 0; i < KINDS; i++) {
		if (!(p->has & kinds[i].has))
			continue;
		if (i == shown[at])
			active = count;
		fputs(count++ ? ",\n" : "\n", out);
		put_profile(p, i, n, out);
	}
	return active;
}

int export_speedscope(struct export *x, struct error *e)
{
	struct profile *p = x->profile;
	struct number n = {0};
	unsigned int active;

	(void)e;
	fputs("{\"$schema\": "
	      "\"https://www.speedscope.app/file-format-schema.json\",\n"
	      "\"exporter\": \"memtrace " OPTIONS_VERSION "\",\n\"name\": ",
	      x->out);
	json_put_text(x->out, p->program);
	fputs(",\n\"profiles\": [", x->out);
	active = put_profiles(p, x->options->at, &n, x->out);
	fprintf(x->out,
		"],\n\"activeProfileIndex\": %u,\n\"shared\": ", active);
	fputs("{\"frames\": [", x->out);
	put_frames(&n, x->out);
	fputs("]}}\n", x->out);
	number_free(&n);
	return 0;
}
