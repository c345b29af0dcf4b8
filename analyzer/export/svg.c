/* SPDX-License-Identifier: MIT */
/*
 * A flame graph as an SVG that stands alone: the outermost frames at the
 * bottom, as wide as what went through them, the widest of siblings first.
 * Tooltips are titles and need no script; the script zooms and searches.
 */
#include "export.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "stacktree.h"
#include "table.h"

/* Pixels. */
#define WIDTH 1200
#define MARGIN 10
#define HEAD 56
#define ROW 18
#define CHARACTER 6.7
#define NARROWEST 0.3 /* what is narrower is left out */

#define COLOURS 6

static const char style[] =
	"<style>\n"
	"svg { background: #ffffff; font: 11px monospace; }\n"
	"text { fill: #1a1a1a; pointer-events: none; }\n"
	".title { font-size: 16px; } .button { pointer-events: auto;"
	" cursor: pointer; text-decoration: underline; }\n"
	".f { cursor: pointer; } .f rect { stroke: #ffffff;"
	" stroke-width: .5; } .f:hover rect { stroke: #000000; }\n"
	".c0 { fill: #f6b26b; } .c1 { fill: #f4c27c; } .c2 { fill: #ef9f76; }\n"
	".c3 { fill: #f2d16b; } .c4 { fill: #e8b48a; } .c5 { fill: #f0a860; }\n"
	".r { fill: #b9c6d6; } .f.m rect { fill: #d287e6; }\n"
	"@media (prefers-color-scheme: dark) {\n"
	"svg { background: #16181d; } text { fill: #ececec; }\n"
	".f rect { stroke: #16181d; } .f:hover rect { stroke: #ffffff; }\n"
	".c0 { fill: #8a4b12; } .c1 { fill: #7d5316; } .c2 { fill: #8c3f1e; }\n"
	".c3 { fill: #6f5a10; } .c4 { fill: #744a2b; } .c5 { fill: #824a10; }\n"
	".r { fill: #3d4b5c; } .f.m rect { fill: #7a2f92; }\n"
	"}\n</style>\n";

static const char script[] =
	"<script><![CDATA[\n"
	"(function () {\n"
	"var margin = 10, width = 1200, character = 6.7;\n"
	"var frames = Array.from(document.querySelectorAll('g.f'), g => {\n"
	"  var r = g.querySelector('rect'), n = k => +r.getAttribute(k);\n"
	"  return {g: g, r: r, t: g.querySelector('text'), x: n('x'),\n"
	"    y: n('y'), w: n('width'),\n"
	"    name: g.querySelector('title').textContent.split('\\n')[0]};\n"
	"});\n"
	"function label(f, w) {\n"
	"  var n = Math.floor((w - 6) / character), s = f.name;\n"
	"  return n < 3 ? '' : s.length > n ? s.slice(0, n - 2) + '..' : s;\n"
	"}\n"
	"function zoom(to) {\n"
	"  var scale = (width - 2 * margin) / to.w;\n"
	"  for (var f of frames) {\n"
	"    var around = f.y >= to.y && f.x <= to.x + .05 &&\n"
	"      f.x + f.w >= to.x + to.w - .05;\n"
	"    var within = f.y < to.y && f.x >= to.x - .05 &&\n"
	"      f.x + f.w <= to.x + to.w + .05;\n"
	"    var x = around ? margin : margin + (f.x - to.x) * scale;\n"
	"    var w = around ? width - 2 * margin : f.w * scale;\n"
	"    f.g.style.display = around || within ? '' : 'none';\n"
	"    f.r.setAttribute('x', x); f.r.setAttribute('width', w);\n"
	"    f.t.setAttribute('x', x + 3); f.t.textContent = label(f, w);\n"
	"  }\n"
	"}\n"
	"function search(text) {\n"
	"  var found = 0, end = 0, what;\n"
	"  try { what = new RegExp(text || '$^'); } catch (wrong) {\n"
	"    document.getElementById('found').textContent = wrong.message;\n"
	"    return;\n"
	"  }\n"
	"  for (var f of frames) {\n"
	"    var is = what.test(f.name);\n"
	"    f.g.classList.toggle('m', is);\n"
	"    if (is && f.x >= end - .05) { found += f.w; end = f.x + f.w; }\n"
	"  }\n"
	"  var share = 100 * found / (width - 2 * margin);\n"
	"  document.getElementById('found').textContent =\n"
	"    text && text + ': ' + share.toFixed(1) + ' %';\n"
	"}\n"
	"var button = document.getElementById('search');\n"
	"button.style.display = '';\n"
	"button.onclick = () => {\n"
	"  var text = prompt('Search for (a regular expression):', '');\n"
	"  if (text !== null) search(text);\n"
	"};\n"
	"for (let f of frames) f.g.onclick = () => zoom(f);\n"
	"if (location.hash.length > 1)\n"
	"  search(decodeURIComponent(location.hash.slice(1)));\n"
	"}());\n"
	"]]></script>\n";

struct svg {
	struct stacktree tree;
	uint64_t *left; /* by node: what is to the left of it */
	uint32_t depth; /* of the deepest that is drawn */
	bool bytes;	/* the unit */
	FILE *out;
};

/* Write at most `n` characters of text; XML has no control characters. */
static void put_text(FILE *out, const char *text, size_t n)
{
	while (*text && n--) {
		unsigned int size = term_utf8(text);

		if (!size || (unsigned char)*text < 0x20 ||
		    !strncmp(text, "\xef\xbf\xbe", 3) ||
		    !strncmp(text, "\xef\xbf\xbf", 3))
			putc('?', out);
		else if (*text == '<' || *text == '>' || *text == '&')
			fprintf(out, "&#%d;", *text);
		else
			fwrite(text, 1, size, out);
		text += size ? size : 1;
	}
}

/* Return how many characters a text has. */
static size_t count_characters(const char *text)
{
	size_t n = 0;

	for (; *text; n++) {
		unsigned int size = term_utf8(text);

		text += size ? size : 1;
	}
	return n;
}

/* Write as much of a name as fits in a width. */
static void put_label(FILE *out, const char *name, double width)
{
	double room = (width - 6) / CHARACTER;
	size_t n = room < 3 ? 0 : (size_t)room;

	if (n && count_characters(name) > n) {
		put_text(out, name, n - 2);
		fputs("..", out);
	} else if (n) {
		put_text(out, name, n);
	}
}

/* Return the class that a frame's colour is by: its name, or a runtime's. */
static unsigned int colour_of(const struct frame *f)
{
	return mt_check(MT_CHECK_INIT, f->name, strlen(f->name)) % COLOURS;
}

/* Return a number of the sum as pixels. */
static double pixels(const struct svg *s, uint64_t value)
{
	uint64_t all = s->tree.at[0].value;

	return all ? (double)value * (WIDTH - 2 * MARGIN) / (double)all : 0;
}

/* Write a frame's tooltip. */
static void put_title(const struct svg *s, const struct stacktree_node *n)
{
	const struct frame *f = n->frame;
	char number[TERM_NUMBER];

	fputs("<title>", s->out);
	put_text(s->out, f ? f->name : "all", SIZE_MAX);
	if (f && f->file) {
		putc('\n', s->out);
		put_text(s->out, f->file, SIZE_MAX);
		fprintf(s->out, ":%u", f->line);
	} else if (f && f->module) {
		putc('\n', s->out);
		put_text(s->out, f->module, SIZE_MAX);
	}
	fprintf(s->out, "\n%s%s, %.1f %%</title>",
		s->bytes ? term_bytes(number, n->value, false)
			 : term_count(number, n->value),
		s->bytes ? "" : " calls",
		table_percent(n->value, s->tree.at[0].value));
}

/* Write a node, then its children, in which those too narrow are left out. */
static void put_node(struct svg *s, uint32_t node)
{
	const struct stacktree_node *n = &s->tree.at[node];
	double width = pixels(s, n->value);
	double x = MARGIN + pixels(s, s->left[node]);
	uint32_t y = HEAD + (s->depth - n->depth) * ROW;
	uint64_t left = s->left[node];

	fputs("<g class=\"f\">", s->out);
	put_title(s, n);
	fprintf(s->out,
		"<rect x=\"%.2f\" y=\"%u\" width=\"%.2f\" height=\"%u\" "
		"rx=\"1\" class=\"",
		x, y, width, ROW - 1);
	if (!n->frame || n->frame->kind == JUDGE_RUNTIME)
		putc('r', s->out);
	else
		fprintf(s->out, "c%u", colour_of(n->frame));
	fprintf(s->out, "\"/><text x=\"%.2f\" y=\"%u\">", x + 3, y + 13);
	put_label(s->out, n->frame ? n->frame->name : "all", width);
	fputs("</text></g>\n", s->out);
	for (uint32_t i = n->child; i; i = s->tree.at[i].next) {
		s->left[i] = left;
		left += s->tree.at[i].value;
		if (pixels(s, s->tree.at[i].value) >= NARROWEST)
			put_node(s, i);
	}
}

/* Find out how deep what is drawn goes. */
static void measure(struct svg *s)
{
	for (size_t i = 0; i < s->tree.count; i++)
		if (pixels(s, s->tree.at[i].value) >= NARROWEST &&
		    s->tree.at[i].depth > s->depth)
			s->depth = s->tree.at[i].depth;
}

/* Write what stands above the frames. */
static void put_head(const struct svg *s, const struct profile *p,
		     const struct export_sum *sum)
{
	uint32_t height = HEAD + (s->depth + 1) * ROW + MARGIN;
	char number[TERM_NUMBER], *sampled = export_estimates(p);

	fprintf(s->out,
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%u\" "
		"height=\"%u\" viewBox=\"0 0 %u %u\">\n",
		WIDTH, height, WIDTH, height);
	fputs("<title>", s->out);
	put_text(s->out, p->program, SIZE_MAX);
	fprintf(s->out, ": %s</title>\n%s", sum->name, style);
	fprintf(s->out, "<text class=\"title\" x=\"%u\" y=\"26\">", MARGIN);
	put_text(s->out, p->program, 80);
	fprintf(s->out, ": %s, %s%s</text>\n", sum->name,
		s->bytes ? term_bytes(number, s->tree.at[0].value, false)
			 : term_count(number, s->tree.at[0].value),
		sampled);
	free(sampled);
	fprintf(s->out,
		"<text x=\"%u\" y=\"46\" id=\"found\"></text>\n"
		"<text class=\"button\" x=\"%u\" y=\"26\" text-anchor=\"end\" "
		"id=\"search\" style=\"display: none\">Search</text>\n",
		MARGIN, WIDTH - MARGIN);
}

/* Make the tree of one of the profile's sums. */
static void build_tree(struct svg *s, struct profile *p,
		       const struct export_sum *sum)
{
	struct stacks_list list = {0};

	stacktree_begin(&s->tree);
	for (size_t i = 0; i < p->row_count; i++) {
		uint64_t n = sum->of(&p->rows[i].totals);

		if (!n)
			continue;
		stacks_expand(&p->stacks, p->rows[i].node, &list);
		stacktree_add(&s->tree, &list, true, n);
	}
	stacktree_sort(&s->tree);
	stacks_list_free(&list);
}

int export_svg(struct export *x, struct error *e)
{
	const struct export_sum *sum = export_sum_asked(x, e);
	struct svg s = {.out = x->out};

	if (!sum)
		return -1;
	s.bytes = strcmp(sum->unit, "bytes") == 0;
	build_tree(&s, x->profile, sum);
	s.left = util_alloc(s.tree.count, sizeof(*s.left));
	measure(&s);
	put_head(&s, x->profile, sum);
	put_node(&s, 0);
	fputs(script, s.out);
	fputs("</svg>\n", s.out);
	free(s.left);
	stacktree_free(&s.tree);
	return 0;
}
