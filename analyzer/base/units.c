/* SPDX-License-Identifier: MIT */
/* Quantities as people write them; see units.h. */
#include "units.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "util.h"

/* Read digits with perhaps a fraction; NULL: there are none. */
static const char *read_number(const char *p, double *value)
{
	double scale = 0.1;
	bool any = false;

	for (*value = 0; isdigit((unsigned char)*p); p++, any = true)
		*value = *value * 10 + (*p - '0');
	if (*p == '.')
		for (p++; isdigit((unsigned char)*p); p++, any = true) {
			*value += (*p - '0') * scale;
			scale /= 10;
		}
	return any ? p : NULL;
}

/* Round to an integer; false: it does not fit. */
static bool to_integer(double value, uint64_t *n)
{
	if (!(value < 18446744073709549568.0))
		return false;
	*n = (uint64_t)(value + 0.5);
	return true;
}

bool units_bytes(const char *text, uint64_t *bytes)
{
	static const char letters[] = "KMGTPE";
	const char *p, *letter;
	double value;

	p = read_number(text, &value);
	if (!p)
		return false;
	letter = *p ? strchr(letters, toupper((unsigned char)*p)) : NULL;
	if (letter) {
		value *= (double)(1ull << (10 * (letter - letters + 1)));
		p++;
		if (*p == 'i')
			p++;
	}
	if (*p == 'B')
		p++;
	return !*p && to_integer(value, bytes);
}

/* Return the ns of a unit at `*p`, and step over it; 0: there is none. */
static double read_time_unit(const char **p)
{
	static const struct {
		const char *name;
		double ns;
	} units[] = {
		{"ns", 1},  {"us", 1e3}, {"ms", 1e6},
		{"s", 1e9}, {"m", 60e9}, {"h", 3600e9},
	};

	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++) {
		if (!util_starts(*p, units[i].name))
			continue;
		*p += strlen(units[i].name);
		return units[i].ns;
	}
	return 0;
}

bool units_time(const char *text, uint64_t *ns)
{
	const char *p = text;
	double sum = 0, value, unit;

	do {
		bool first = p == text;

		p = read_number(p, &value);
		if (!p)
			return false;
		unit = read_time_unit(&p);
		if (!unit && (!first || *p))
			return false;
		sum += value * (unit ? unit : 1e9);
	} while (*p);
	return to_integer(sum, ns);
}

bool units_range(const char *text, bool (*read)(const char *, uint64_t *),
		 uint64_t *min, uint64_t *max)
{
	const char *colon = strchr(text, ':');
	char *low;
	bool good;

	*min = 0;
	*max = UINT64_MAX;
	if (!colon) {
		good = read(text, min);
		*max = *min;
		return good;
	}
	low = util_copy(text, (size_t)(colon - text));
	good = (!*low || read(low, min)) &&
	       (!colon[1] || read(colon + 1, max)) && *min <= *max &&
	       (*low || colon[1]);
	free(low);
	return good;
}
