/* SPDX-License-Identifier: MIT */
/*
 * speedscope's own JSON: a profile for each of the sums that are known. A frame
 * is a function.
 * Source: www.speedscope.app/file-format-schema.json.
 */
#include "export.h"

#include <inttypes.h>
#include <stdlib.h>

#include "json.h"
#include "number.h"

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
static void put_profile(struct profile *p, const struct export_sum *sum,
			struct number *n, FILE *out)
{
	size_t count = 0;
	uint64_t all = 0;
	struct stacks_list list = {0};

	for (size_t i = 0; i < p->row_count; i++)
		all += sum->of(&p->rows[i].totals);

	fprintf(out,
		"{\"type\": \"sampled\", \"name\": \"%s\", \"unit\": \"%s\", "
		"\"startValue\": 0, \"endValue\": %" PRIu64 ",\n\"samples\": [",
		sum->name, sum->unit, all);
	for (size_t i = 0; i < p->row_count; i++) {
		if (!sum->of(&p->rows[i].totals))
			continue;
		fputs(count++ ? ",\n" : "\n", out);
		put_stack(p, &p->rows[i], n, &list, out);
	}
	fputs("],\n\"weights\": [", out);
	count = 0;
	for (size_t i = 0; i < p->row_count; i++) {
		uint64_t value = sum->of(&p->rows[i].totals);

		if (value)
			fprintf(out, "%s%" PRIu64, count++ ? "," : "", value);
	}
	fputs("]}", out);
	stacks_list_free(&list);
}

/* Write the profiles that are known; return the place of one of them. */
static unsigned int put_profiles(struct profile *p,
				 const struct export_sum *asked,
				 struct number *n, FILE *out)
{
	unsigned int count = 0, active = 0;

	for (size_t i = 0; i < EXPORT_SUMS; i++) {
		const struct export_sum *sum = &export_sums[i];

		if (!export_sum_known(sum, p))
			continue;
		if (sum == asked)
			active = count;
		fputs(count++ ? ",\n" : "\n", out);
		put_profile(p, sum, n, out);
	}
	return active;
}

int export_speedscope(struct export *x, struct error *e)
{
	struct profile *p = x->profile;
	const struct export_sum *asked = export_sum_asked(x, e);
	struct number n = {0};
	unsigned int active;
	char *sampled, *name;

	if (!asked)
		return -1;
	sampled = export_estimates(p);
	name = util_format("%s%s", p->program, sampled);
	fputs("{\"$schema\": "
	      "\"https://www.speedscope.app/file-format-schema.json\",\n"
	      "\"exporter\": \"memtrace " OPTIONS_VERSION "\",\n\"name\": ",
	      x->out);
	json_put_text(x->out, name);
	free(name);
	free(sampled);
	fputs(",\n\"profiles\": [", x->out);
	active = put_profiles(p, asked, &n, x->out);
	fprintf(x->out,
		"],\n\"activeProfileIndex\": %u,\n\"shared\": ", active);
	fputs("{\"frames\": [", x->out);
	put_frames(&n, x->out);
	fputs("]}}\n", x->out);
	number_free(&n);
	return 0;
}
