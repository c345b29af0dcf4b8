/* SPDX-License-Identifier: MIT */
/*
 * The language in which blocks are chosen; see expr.h. Read by recursive
 * descent, a function for each rule of the grammar; all return the number of
 * the node that they made, or -1.
 */
#include "expr.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "units.h"

/* Parentheses and negations inside each other. */
#define MAX_DEPTH 64

/* Room for a word in a message. */
#define MAX_FOUND 40

enum type { BYTES, NANOSECONDS, COUNT, FLAG, TEXT, THREAD };

static const struct {
	const char *name;
	enum type type;
} fields[EXPR_FIELDS] = {
	[EXPR_SIZE] = {"size", BYTES},
	[EXPR_ALIGN] = {"align", BYTES},
	[EXPR_KIND] = {"kind", TEXT},
	[EXPR_TIME] = {"time", NANOSECONDS},
	[EXPR_LIFETIME] = {"lifetime", NANOSECONDS},
	[EXPR_FREED] = {"freed", FLAG},
	[EXPR_TEMPORARY] = {"temporary", FLAG},
	[EXPR_THREAD] = {"thread", THREAD},
	[EXPR_FUNCTION] = {"function", TEXT},
	[EXPR_FILE] = {"file", TEXT},
	[EXPR_MODULE] = {"module", TEXT},
	[EXPR_SITE] = {"site", TEXT},
	[EXPR_STACK] = {"stack", TEXT},
	[EXPR_DEPTH] = {"depth", COUNT},
};

/* What a type is compared by, and with what; for messages. */
static const struct {
	const char *operators, *example;
} types[] = {
	[BYTES] = {"== != < <= > >=", "a size like 1.5M"},
	[NANOSECONDS] = {"== != < <= > >=", "a time like 12.3s or 200ms"},
	[COUNT] = {"== != < <= > >=", "a number"},
	[TEXT] = {"== != ~ !~", "a text in quotes"},
	[THREAD] = {"== != ~ !~", "a name in quotes or a number"},
};

enum comparison { IS, IS_NOT, LESS, AT_MOST, MORE, AT_LEAST, MATCHES, DIFFERS };

/* Those that others begin with come after them. */
static const struct {
	const char *text;
	enum comparison is;
} operators[] = {
	{"==", IS},	 {"!=", IS_NOT}, {"<=", AT_MOST}, {">=", AT_LEAST},
	{"!~", DIFFERS}, {"<", LESS},	 {">", MORE},	  {"~", MATCHES},
};

#define OPERATORS (sizeof(operators) / sizeof(*operators))

struct parser {
	struct expr *expr;
	const char *text, *at;
	unsigned int depth;
	struct error *error;
};

/* Say what is wrong at a character. */
#define FAIL(p, where, ...) \
	error_set((p)->error, (uint64_t)((where) - (p)->text), __VA_ARGS__)

/* ---- Nodes. ---- */

/* Add a node; returns its number. */
static int add_node(struct expr *x, enum expr_join join, int left, int right)
{
	x->node = util_grow(x->node, x->count, &x->room, sizeof(*x->node));
	x->node[x->count] = (struct expr_node){
		.join = join,
		.left = (uint32_t)left,
		.right = (uint32_t)right,
	};
	return (int)x->count++;
}

/* Add a test, whose memory is the expression's from now on. */
static int add_test(struct expr *x, const struct expr_test *t, bool negated)
{
	int node;

	x->test = util_grow(x->test, x->test_count, &x->test_room,
			    sizeof(*x->test));
	x->test[x->test_count] = *t;
	node = add_node(x, EXPR_TEST, (int)x->test_count++, 0);
	return negated ? add_node(x, EXPR_NOT, node, 0) : node;
}

/* Make a test of a text; -1: the regular expression is wrong, `why` says. */
static int make_text_test(struct expr_test *t, enum expr_field field,
			  enum expr_how how, const char *text, char *why,
			  size_t why_bytes)
{
	int code;

	*t = (struct expr_test){.field = field, .how = how};
	t->text = util_copy(text, strlen(text));
	if (how != EXPR_MATCHES)
		return 0;
	t->regex = util_alloc(1, sizeof(*t->regex));
	code = regcomp(t->regex, text, REG_EXTENDED | REG_NOSUB);
	if (!code)
		return 0;
	regerror(code, t->regex, why, why_bytes);
	free(t->regex);
	free(t->text);
	return -1;
}

/* Join what was there before with the node that was added last. */
static void join_last(struct expr *x, size_t before)
{
	if (before)
		add_node(x, EXPR_AND, (int)before - 1, (int)x->count - 1);
}

/* ---- Words. ---- */

static void skip_blanks(struct parser *p)
{
	p->at += strspn(p->at, " \t\r\n");
}

/* Step over a symbol if it is next. */
static bool accept(struct parser *p, const char *symbol)
{
	skip_blanks(p);
	if (!util_starts(p->at, symbol))
		return false;
	p->at += strlen(symbol);
	return true;
}

/* Quote what stands at a place, for a message. */
static const char *found(const char *at, char to[MAX_FOUND])
{
	size_t n = 0;

	if (!*at)
		return "the end";
	while (isalnum((unsigned char)at[n]) || at[n] == '_' || at[n] == '.')
		n++;
	if (!n)
		n = strcspn(at, " \t\r\n()\"'");
	if (!n)
		n = 1;
	snprintf(to, MAX_FOUND, "'%.*s'", n > 30 ? 30 : (int)n, at);
	return to;
}

/* Read a word of letters; free it. NULL: there is none. */
static char *read_word(struct parser *p)
{
	size_t n = 0;

	while (isalnum((unsigned char)p->at[n]) || p->at[n] == '_')
		n++;
	p->at += n;
	return n ? util_copy(p->at - n, n) : NULL;
}

/* Read a text in quotes, of which a backslash takes its own out; free it. */
static char *read_quoted(struct parser *p)
{
	const char *from = p->at;
	char quote = *p->at++;
	char *text = util_copy(p->at, strlen(p->at));
	size_t n = 0;

	for (; *p->at && *p->at != quote; p->at++) {
		if (*p->at == '\\' && p->at[1] && *++p->at != quote)
			text[n++] = '\\';
		text[n++] = *p->at;
	}
	text[n] = '\0';
	if (*p->at++ == quote)
		return text;
	free(text);
	FAIL(p, from, "the text that begins here has no end");
	return NULL;
}

/* ---- Tests. ---- */

/* Read a field's name. */
static int read_field(struct parser *p)
{
	const char *names[EXPR_FIELDS + 1] = {0}, *from, *nearest;
	char buffer[MAX_FOUND], *word;

	skip_blanks(p);
	from = p->at;
	word = read_word(p);
	if (!word)
		return FAIL(p, from,
			    "a field is missing here, as size or "
			    "stack; there is %s",
			    found(from, buffer));
	for (int i = 0; i < EXPR_FIELDS; i++) {
		names[i] = fields[i].name;
		if (strcmp(word, names[i]) == 0) {
			free(word);
			return i;
		}
	}
	nearest = util_nearest(word, names);
	free(word);
	return FAIL(p, from, "unknown field %s%s%s%s", found(from, buffer),
		    nearest ? ", did you mean '" : "", nearest ? nearest : "",
		    nearest ? "'?" : "");
}

/* Read the operator of a field; -1: none, or not one of its. */
static int read_operator(struct parser *p, enum expr_field field)
{
	const char *may = types[fields[field].type].operators;
	char buffer[MAX_FOUND];

	skip_blanks(p);
	for (size_t i = 0; i < OPERATORS; i++) {
		const char *text = operators[i].text;

		if (!util_starts(p->at, text))
			continue;
		if (operators[i].is != IS && operators[i].is != IS_NOT &&
		    !strstr(may, text))
			break;
		p->at += strlen(text);
		return operators[i].is;
	}
	return FAIL(p, p->at, "'%s' is compared by one of %s; there is %s",
		    fields[field].name, may, found(p->at, buffer));
}

/* Read a count. */
static bool read_count(const char *text, uint64_t *n)
{
	char *end;

	errno = 0;
	*n = strtoull(text, &end, 10);
	return isdigit((unsigned char)*text) && !*end && !errno;
}

/* Return the test that a number is in an operator's relation to `n`. */
static struct expr_test range_of(enum expr_field field, enum comparison is,
				 uint64_t n)
{
	struct expr_test t = {
		.field = field,
		.how = EXPR_RANGE,
		.max = UINT64_MAX,
	};
	bool none = (is == LESS && n == 0) || (is == MORE && n == UINT64_MAX);

	if (none) {
		t.min = 1;
		t.max = 0;
		return t;
	}
	if (is == IS || is == IS_NOT || is == AT_LEAST)
		t.min = n;
	else if (is == MORE)
		t.min = n + 1;
	if (is == IS || is == IS_NOT || is == AT_MOST)
		t.max = n;
	else if (is == LESS)
		t.max = n - 1;
	return t;
}

/* Read the number that a field is compared with. */
static int parse_number(struct parser *p, enum expr_field field,
			enum comparison is)
{
	static bool (*const readers[])(const char *, uint64_t *) = {
		[BYTES] = units_bytes,
		[NANOSECONDS] = units_time,
		[COUNT] = read_count,
		[THREAD] = read_count,
	};
	const char *from = p->at;
	char buffer[MAX_FOUND], *word;
	struct expr_test t;
	uint64_t n;
	bool good;

	p->at += strspn(from, "0123456789.abcdefghijklmnopqrstuvwxyz"
			      "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
	word = util_copy(from, (size_t)(p->at - from));
	good = readers[fields[field].type](word, &n);
	free(word);
	if (!good)
		return FAIL(p, from, "'%s' is compared with %s; there is %s",
			    fields[field].name,
			    types[fields[field].type].example,
			    found(from, buffer));
	t = range_of(field, is, n);
	return add_test(p->expr, &t, is == IS_NOT);
}

/* Read the text that a field is compared with. */
static int parse_text(struct parser *p, enum expr_field field,
		      enum comparison is)
{
	bool regex = is == MATCHES || is == DIFFERS;
	const char *from = p->at;
	char why[128], *text;
	struct expr_test t;
	int bad;

	text = read_quoted(p);
	if (!text)
		return -1;
	bad = make_text_test(&t, field, regex ? EXPR_MATCHES : EXPR_IS, text,
			     why, sizeof(why));
	if (bad)
		FAIL(p, from, "'%.60s': %s", text, why);
	free(text);
	return bad ? bad : add_test(p->expr, &t, is == IS_NOT || is == DIFFERS);
}

/* Read a field, and what it is compared with. */
static int parse_test(struct parser *p)
{
	int field = read_field(p), is;
	enum type type;
	char buffer[MAX_FOUND];
	bool quoted, pattern;

	if (field < 0)
		return -1;
	type = fields[field].type;
	if (p->expr->test_count == EXPR_MAX_TESTS)
		return FAIL(p, p->at, "more than %d tests", EXPR_MAX_TESTS);
	if (type == FLAG)
		return add_test(
			p->expr,
			&(struct expr_test){.field = (enum expr_field)field},
			false);
	is = read_operator(p, (enum expr_field)field);
	if (is < 0)
		return -1;
	skip_blanks(p);
	quoted = *p->at == '"' || *p->at == '\'';
	pattern = is == MATCHES || is == DIFFERS;
	if (quoted && (type == TEXT || type == THREAD))
		return parse_text(p, (enum expr_field)field,
				  (enum comparison)is);
	if (type == TEXT || pattern)
		return FAIL(p, p->at, "'%s' is compared with %s; there is %s",
			    fields[field].name, types[TEXT].example,
			    found(p->at, buffer));
	return parse_number(p, (enum expr_field)field, (enum comparison)is);
}

/* ---- Joints. ---- */

static int parse_any(struct parser *p);

/* Read what stands in parentheses, the opening one being read. */
static int parse_inner(struct parser *p)
{
	const char *from = p->at - 1;
	int node = parse_any(p);

	/* What else stands there, the caller finds. */
	if (node < 0 || accept(p, ")") || *p->at)
		return node;
	return FAIL(p, from, "this '(' is never closed");
}

/* Read one condition. */
static int parse_one(struct parser *p)
{
	bool negated, inner;
	int node;

	negated = accept(p, "!");
	inner = !negated && accept(p, "(");
	if (!negated && !inner)
		return parse_test(p);
	if (p->depth == MAX_DEPTH)
		return FAIL(p, p->at - 1, "nested more than %d times",
			    MAX_DEPTH);
	p->depth++;
	node = negated ? parse_one(p) : parse_inner(p);
	p->depth--;
	return node >= 0 && negated ? add_node(p->expr, EXPR_NOT, node, 0)
				    : node;
}

/* Read what a symbol joins, each by a function. */
static int parse_joined(struct parser *p, const char *symbol,
			enum expr_join join, int (*parse)(struct parser *))
{
	int node = parse(p);

	while (node >= 0 && accept(p, symbol)) {
		int right = parse(p);

		node = right < 0 ? right : add_node(p->expr, join, node, right);
	}
	return node;
}

/* Read conditions that all have to hold. */
static int parse_all(struct parser *p)
{
	return parse_joined(p, "&&", EXPR_AND, parse_one);
}

/* Read conditions of which any has to hold. */
static int parse_any(struct parser *p)
{
	return parse_joined(p, "||", EXPR_OR, parse_all);
}

/* ---- The module's functions. ---- */

int expr_add(struct expr *x, const char *text, struct error *e)
{
	struct parser p = {x, text, text, 0, e};
	size_t before = x->count;
	char buffer[MAX_FOUND];

	if (parse_any(&p) < 0)
		return -1;
	skip_blanks(&p);
	if (*p.at == ')')
		return FAIL(&p, p.at, "this ')' closes nothing");
	if (*p.at)
		return FAIL(&p, p.at,
			    "'&&' or '||' is missing here; there is "
			    "%s",
			    found(p.at, buffer));
	join_last(x, before);
	return 0;
}

/* Refuse one test too many. */
static int check_room(const struct expr *x, struct error *e)
{
	return x->test_count < EXPR_MAX_TESTS
		       ? 0
		       : error_set(e, ERROR_NO_OFFSET, "more than %d tests",
				   EXPR_MAX_TESTS);
}

int expr_add_text(struct expr *x, enum expr_field field, enum expr_how how,
		  const char *text, bool negated, struct error *e)
{
	size_t before = x->count;
	struct expr_test t;
	char why[128];

	if (check_room(x, e))
		return -1;
	if (make_text_test(&t, field, how, text, why, sizeof(why)))
		return error_set(e, ERROR_NO_OFFSET, "'%.60s': %s", text, why);
	add_test(x, &t, negated);
	join_last(x, before);
	return 0;
}

int expr_add_range(struct expr *x, enum expr_field field, uint64_t min,
		   uint64_t max, struct error *e)
{
	size_t before = x->count;

	if (check_room(x, e))
		return -1;
	add_test(x,
		 &(struct expr_test){.field = field,
				     .how = EXPR_RANGE,
				     .min = min,
				     .max = max},
		 false);
	join_last(x, before);
	return 0;
}

void expr_free(struct expr *x)
{
	for (size_t i = 0; i < x->test_count; i++) {
		if (x->test[i].regex)
			regfree(x->test[i].regex);
		free(x->test[i].regex);
		free(x->test[i].text);
	}
	free(x->test);
	free(x->node);
	*x = (struct expr){0};
}

const char *expr_field_name(enum expr_field field)
{
	return fields[field].name;
}

bool expr_uses(const struct expr *x, enum expr_field field)
{
	for (size_t i = 0; i < x->test_count; i++)
		if (x->test[i].field == field)
			return true;
	return false;
}

/* Decide a node: of AND the least is the answer, of OR the most. */
static enum expr_truth decide(const struct expr *x, uint32_t i,
			      expr_answer *answer, void *context)
{
	const struct expr_node *n = &x->node[i];
	enum expr_truth left, right, settles;

	if (n->join == EXPR_TEST)
		return answer(context, n->left);
	left = decide(x, n->left, answer, context);
	if (n->join == EXPR_NOT)
		return (enum expr_truth)(EXPR_YES - left);
	settles = n->join == EXPR_AND ? EXPR_NO : EXPR_YES;
	if (left == settles)
		return left;
	right = decide(x, n->right, answer, context);
	if (n->join == EXPR_AND)
		return left < right ? left : right;
	return left > right ? left : right;
}

enum expr_truth expr_decide(const struct expr *x, expr_answer *answer,
			    void *context)
{
	return x->count ? decide(x, (uint32_t)x->count - 1, answer, context)
			: EXPR_YES;
}

bool expr_test_text(const struct expr_test *t, const char *text)
{
	if (t->how == EXPR_MATCHES)
		return regexec(t->regex, text, 0, NULL, 0) == 0;
	return strcmp(t->text, text) == 0;
}
