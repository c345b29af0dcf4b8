/* SPDX-License-Identifier: MIT */
/*
 * The report as one JSON object. Bytes and times are integers; fields are
 * added and never renamed.
 */
#include "view.h"

#include <inttypes.h>
#include <stdlib.h>

#include "json.h"

/* Print `"name": text,` of the top level. */
static void put_field(const char *name, const char *text)
{
	printf("  \"%s\": ", name);
	json_put_text(stdout, text);
	fputs(",\n", stdout);
}

/* Print who ran and how it ended. */
static void put_process(const struct trace *t)
{
	fputs("  \"command\": ", stdout);
	json_put_command(stdout, t->command, t->command_bytes);
	fputs(",\n", stdout);
	put_field("exe", t->exe);
	put_field("host", t->host);
	printf("  \"pid\": %u,\n  \"parent_pid\": %u,\n", t->process.pid,
	       t->process.parent_pid);
	put_field("parent_trace", t->parent);
	put_field("allocator", t->allocator);
	put_field("options", t->options);
	printf("  \"start_ns\": %" PRIu64 ",\n  \"duration_ns\": %" PRIu64
	       ",\n",
	       t->process.real_ns, trace_duration_ns(t));
	put_field("end", trace_end_name(t));
	printf("  \"signal\": %u,\n", t->signal);
}

/* Print the sums. */
static void put_totals(const struct view *v, const struct trace *t,
		       const struct prof *p)
{
	const struct profile_totals *n = &v->profile->totals;

	printf("  \"totals\": {\"allocations\": %" PRIu64
	       ", \"frees\": %" PRIu64 ", \"allocated_bytes\": %" PRIu64
	       ", \"temporary\": %" PRIu64 ", \"failed\": %" PRIu64
	       ", \"events\": %" PRIu64,
	       p->allocations, p->frees, p->allocated_bytes, p->temporary,
	       p->failed, p->events);
	view_put_json_interval(v, "allocations", view_allocations, n);
	view_put_json_interval(v, "allocated_bytes", view_allocated_bytes, n);
	printf("},\n  \"peak\": {\"bytes\": %" PRIu64 ", \"blocks\": %" PRIu64
	       ", \"at_ns\": %" PRIu64,
	       p->peak_bytes, p->peak_blocks, trace_ns(t, p->peak_clock));
	view_put_json_interval(v, "bytes", view_peak_bytes, n);
	view_put_json_interval(v, "blocks", view_peak_blocks, n);
	printf("},\n  \"exit\": {\"bytes\": %" PRIu64 ", \"blocks\": %" PRIu64,
	       p->exit_bytes, p->exit_blocks);
	view_put_json_interval(v, "bytes", view_exit_bytes, n);
	view_put_json_interval(v, "blocks", view_exit_blocks, n);
	fputs("},\n", stdout);
	printf("  \"mappings\": {\"calls\": %" PRIu64 ", \"bytes\": %" PRIu64
	       ", \"peak_bytes\": %" PRIu64 ", \"exit_bytes\": %" PRIu64 "},\n",
	       p->mmaps, p->mapped_bytes, p->mappings.peak_bytes,
	       p->mappings.bytes);
}

/* Print what is missing or does not fit. */
static void put_trust(const struct trace *t, const struct prof *p)
{
	const struct replay_anomalies *a = &p->anomalies;

	printf("  \"lost\": {\"events\": %" PRIu64 ", \"stacks\": %" PRIu64
	       ", \"cut_stacks\": %" PRIu64 ", \"unreadable_events\": %" PRIu64
	       "},\n",
	       t->lost.events, t->lost.stacks, t->lost.cut, t->missing);
	printf("  \"anomalies\": {\"lost_frees\": %" PRIu64
	       ", \"unknown_frees\": %" PRIu64 ", \"unknown_kinds\": %" PRIu64
	       ", \"unknown_stacks\": %" PRIu64 "},\n",
	       a->lost_frees, a->unknown_frees, a->unknown_kinds,
	       p->unknown_stacks);
	printf("  \"truncated\": %s,\n  \"live_missing\": %s,\n",
	       t->truncated ? "true" : "false",
	       t->live_missing ? "true" : "false");
	put_field("damage", error_is_set(&t->damage) ? t->damage.text : NULL);
	fputs("  \"problems\": [", stdout);
	for (size_t i = 0; i < t->problem_count; i++) {
		fputs(i ? ", " : "", stdout);
		json_put_text(stdout, t->problems[i].text);
	}
	fputs("],\n", stdout);
}

/* Print the threads. */
static void put_threads(const struct trace *t)
{
	fputs("  \"threads\": [", stdout);
	for (size_t i = 0; i < t->thread_count; i++) {
		const struct trace_thread *thread = &t->threads[i];

		printf("%s\n    {\"index\": %u, \"tid\": %u, \"name\": ",
		       i ? "," : "", thread->index, thread->tid);
		json_put_text(stdout, thread->name);
		putchar('}');
	}
	printf("%s],\n", t->thread_count ? "\n  " : "");
}

/* Print the modules, with how much is known of their names. */
static void put_modules(const struct view *v)
{
	const struct trace *t = v->trace;

	fputs("  \"modules\": [", stdout);
	for (size_t i = 0; i < t->module_count; i++) {
		const struct trace_module *m = &t->modules[i];

		printf("%s\n    {\"path\": ", i ? "," : "");
		json_put_text(stdout, m->path);
		fputs(", \"build_id\": \"", stdout);
		for (uint32_t j = 0; j < m->build_id_bytes; j++)
			printf("%02x", m->build_id[j]);
		printf("\", \"symbols\": \"%s\"}",
		       view_symbols(m->path ? stacks_module_state(
						      &v->profile->stacks,
						      (uint32_t)i)
					    : SYM_MISSING));
	}
	printf("%s],\n", t->module_count ? "\n  " : "");
}

/* Print one site. */
static void put_site(const struct view *v, const struct group *g)
{
	static const struct {
		const char *name;
		view_key *key;
	} figures[] = {
		{"allocations", view_allocations},
		{"allocated_bytes", view_allocated_bytes},
		{"peak_bytes", view_peak_bytes},
		{"peak_blocks", view_peak_blocks},
		{"exit_bytes", view_exit_bytes},
		{"exit_blocks", view_exit_blocks},
	};
	const struct profile_totals *n = &g->totals;

	fputs("    {", stdout);
	table_put_json_site(g->frame, stdout);
	printf(", \"allocations\": %" PRIu64 ", \"allocated_bytes\": %" PRIu64
	       ", \"peak_bytes\": %" PRIu64 ", \"peak_blocks\": %" PRIu64
	       ", \"exit_bytes\": %" PRIu64 ", \"exit_blocks\": %" PRIu64
	       ", \"temporary\": %" PRIu64,
	       n->allocations, n->allocated_bytes, n->peak_bytes,
	       n->peak_blocks, n->exit_bytes, n->exit_blocks, n->temporary);
	for (size_t i = 0; i < sizeof(figures) / sizeof(*figures); i++)
		view_put_json_interval(v, figures[i].name, figures[i].key, n);
	putchar('}');
}

/* Print all sites, in the order of the moment that was asked for. */
static void put_sites(const struct view *v)
{
	struct groups sites;
	const struct group **site;

	groups_build(&sites, v->profile, GROUP_SITE, false);
	site = view_sort(&sites, v->options->at == OPTIONS_AT_EXIT
					 ? view_exit_bytes
					 : view_peak_bytes);
	fputs("  \"sites\": [", stdout);
	for (size_t i = 0; i < sites.count; i++) {
		fputs(i ? ",\n" : "\n", stdout);
		put_site(v, site[i]);
	}
	printf("%s]\n", sites.count ? "\n  " : "");
	free(site);
	groups_free(&sites);
}

/* Print the sums of an import, as far as they are known. */
static void put_imported(const struct profile *p)
{
	const struct profile_totals *n = &p->totals;

	fputs("  \"command\": ", stdout);
	json_put_command(stdout, p->command, p->command_bytes);
	printf(",\n  \"pid\": %u,\n  \"duration_ns\": %" PRIu64 ",\n", p->pid,
	       p->duration_ns);
	printf("  \"totals\": {\"allocations\": %" PRIu64
	       ", \"frees\": %" PRIu64 ", \"allocated_bytes\": %" PRIu64
	       ", \"temporary\": %" PRIu64 "},\n",
	       n->allocations, n->frees, n->allocated_bytes, n->temporary);
	printf("  \"peak\": {\"bytes\": %" PRIu64 ", \"blocks\": %" PRIu64
	       ", \"at_ns\": %" PRIu64 "},\n",
	       n->peak_bytes, n->peak_blocks, p->peak_ns);
	printf("  \"exit\": {\"bytes\": %" PRIu64 ", \"blocks\": %" PRIu64
	       "},\n",
	       n->exit_bytes, n->exit_blocks);
	fputs("  \"notes\": [", stdout);
	for (size_t i = 0; i < p->note_count; i++) {
		fputs(i ? ", " : "", stdout);
		json_put_text(stdout, p->notes[i]);
	}
	fputs("],\n", stdout);
}

/* Print what is lost. */
static void put_leaks(struct view *v)
{
	struct leaks l;

	if (view_asks_leaks(v, &l)) {
		fputs("  \"leaks\": {\n", stdout);
		view_put_json_verdict(&l);
		fputs("\n  },\n", stdout);
	}
	leaks_free(&l);
}

int view_summary_json(struct view *v, struct error *e)
{
	(void)e;
	fputs("{\n  \"version\": 1,\n", stdout);
	put_field("trace", v->profile->path);
	put_field("source", v->profile->source);
	view_put_json_selection(v);
	view_put_json_history(v);
	fputs(",\n", stdout);
	if (v->trace) {
		put_process(v->trace);
		put_totals(v, v->trace, v->profile->prof);
		view_put_json_limits(v);
		put_trust(v->trace, v->profile->prof);
		put_leaks(v);
		put_threads(v->trace);
		put_modules(v);
	} else {
		put_imported(v->profile);
	}
	put_sites(v);
	fputs("}\n", stdout);
	return 0;
}
