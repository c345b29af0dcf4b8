/* SPDX-License-Identifier: MIT */
/* $MEMTRACE: what the user asked for; see config.h. */
#include "config.h"

#include <string.h>

#include <memtrace/nearest.h>
#include <memtrace/options.h>
#include <memtrace/sample.h>

#include "sys.h"

enum kind { TEXT, SWITCH, NUMBER };

static const struct key {
	const char *name;
	enum kind kind;
	const char *initial;
	const char *values;
	size_t at;
} keys[] = {
#define KEY(name, kind, initial, values, help) \
	{#name, kind, initial, values, offsetof(struct mt_config, name)},
	MT_OPTIONS(KEY)
#undef KEY
};

#define KEYS (sizeof(keys) / sizeof(keys[0]))

/* Whether the n bytes at `text` are `word`. */
static bool is(const char *word, const char *text, size_t n)
{
	return strlen(word) == n && memcmp(word, text, n) == 0;
}

/* The key whose name is nearest to what was written. */
static const struct key *nearest(const char *text, size_t n)
{
	const struct key *best = &keys[0];

	for (size_t i = 1; i < KEYS; i++)
		if (mt_edit_distance(keys[i].name, text, n) <
		    mt_edit_distance(best->name, text, n))
			best = &keys[i];
	return best;
}

/* Append n bytes of text to an error line. */
static void append_bytes(char *buf, size_t size, const char *text, size_t n)
{
	char word[64];

	if (n > sizeof(word) - 1)
		n = sizeof(word) - 1;
	memcpy(word, text, n);
	word[n] = '\0';
	sys_append(buf, size, word);
}

static bool parse_switch(const char *text, size_t n, bool *value)
{
	*value = is("on", text, n) || is("1", text, n) || is("yes", text, n);
	return *value || is("off", text, n) || is("0", text, n) ||
	       is("no", text, n);
}

static bool parse_number(const char *text, size_t n, int64_t *value)
{
	bool minus = n && *text == '-';
	const char *end = text + n, *p = text + minus;
	unsigned int shift = 0;
	uint64_t v = 0;

	if (p == end)
		return false;
	for (; p < end && *p >= '0' && *p <= '9'; p++)
		if (__builtin_mul_overflow(v, 10u, &v) ||
		    __builtin_add_overflow(v, (unsigned int)(*p - '0'), &v))
			return false;
	if (p == text + minus)
		return false;
	if (p < end && (*p == 'K' || *p == 'k'))
		shift = 10;
	else if (p < end && (*p == 'M' || *p == 'm'))
		shift = 20;
	else if (p < end && (*p == 'G' || *p == 'g'))
		shift = 30;
	p += shift != 0;
	if (p != end || v > (uint64_t)INT64_MAX >> shift)
		return false;
	*value = (int64_t)(v << shift);
	if (minus)
		*value = -*value;
	return true;
}

/* Store a key's value; false when it does not fit the key. */
static bool set(struct mt_config *config, const struct key *key,
		const char *text, size_t n)
{
	char *at = (char *)config + key->at;

	switch (key->kind) {
	case TEXT:
		if (n >= MT_PATH_BYTES)
			return false;
		memcpy(at, text, n);
		at[n] = '\0';
		return true;
	case SWITCH:
		return parse_switch(text, n, (bool *)at);
	default:
		return parse_number(text, n, (int64_t *)at);
	}
}

/* Parse one "key=value" of n bytes. */
static bool parse_item(struct mt_config *config, const char *item, size_t n,
		       char *error, size_t size)
{
	const char *equals = memchr(item, '=', n);
	size_t name = equals ? (size_t)(equals - item) : n;

	error[0] = '\0';
	sys_append(error, size, "memtrace: MEMTRACE: ");
	for (size_t i = 0; i < KEYS; i++) {
		const struct key *key = &keys[i];

		if (!is(key->name, item, name))
			continue;
		if (equals && set(config, key, equals + 1, n - name - 1))
			return true;
		sys_append(error, size, "'");
		append_bytes(error, size, item, n);
		sys_append(error, size, "': it is ");
		sys_append(error, size, key->name);
		sys_append(error, size, "=");
		sys_append(error, size, key->values);
		return false;
	}
	sys_append(error, size, "no key '");
	append_bytes(error, size, item, name);
	sys_append(error, size, "': did you mean ");
	sys_append(error, size, nearest(item, name)->name);
	sys_append(error, size, "=?");
	return false;
}

/* Append a number that may be negative. */
static void append_signed(char *buf, size_t size, int64_t n)
{
	if (n < 0)
		sys_append(buf, size, "-");
	sys_append_number(buf, size, (uint64_t)(n < 0 ? -n : n));
}

/* Say that a number is outside of its range; false. */
static bool outside(const char *key, int64_t value, const char *range,
		    char *error, size_t size)
{
	error[0] = '\0';
	sys_append(error, size, "memtrace: MEMTRACE: '");
	sys_append(error, size, key);
	sys_append(error, size, "=");
	append_signed(error, size, value);
	sys_append(error, size, "': it is ");
	sys_append(error, size, range);
	return false;
}

bool mt_config_parse(struct mt_config *config, const char *text, char *error,
		     size_t error_size)
{
	for (size_t i = 0; i < KEYS; i++)
		set(config, &keys[i], keys[i].initial, strlen(keys[i].initial));
	while (text && *text) {
		const char *comma = strchr(text, ',');
		size_t n = comma ? (size_t)(comma - text) : strlen(text);

		if (n && !parse_item(config, text, n, error, error_size))
			return false;
		text += n + (comma != NULL);
	}
	if (config->level < -7 || config->level > 19)
		return outside("level", config->level, "-7 to 19", error,
			       error_size);
	if (config->signal < 0 || config->signal > 64)
		return outside("signal", config->signal, "0 to 64", error,
			       error_size);
	if (config->limit < 0)
		return outside("limit", config->limit, "a size, or 0", error,
			       error_size);
	if (config->size && config->size < MT_MIN_SIZE)
		return outside("size", config->size, "1M or more, or 0", error,
			       error_size);
	if (config->sample &&
	    (config->sample < MT_MIN_RATE || config->sample > MT_MAX_RATE))
		return outside("sample", config->sample, "4K to 1G, or 0",
			       error, error_size);
	return true;
}
