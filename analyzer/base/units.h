/* SPDX-License-Identifier: MIT */
/*
 * Quantities as people write them: "512K", "1.5M" (powers of 1024), "12.3s",
 * "10ms", "1m30s".
 */
#ifndef ANALYZER_UNITS_H
#define ANALYZER_UNITS_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Read a number of bytes from the whole of `text`: digits, perhaps a fraction,
 * perhaps K, M, G, T, perhaps followed by B or iB. False: it is none.
 */
bool units_bytes(const char *text, uint64_t *bytes);

/*
 * Read a time from the whole of `text` in ns: numbers with ns, us, ms, s, m or
 * h each; one alone may go without, in seconds. False: it is none.
 */
bool units_time(const char *text, uint64_t *ns);

/* Read "MIN:MAX", of which one may be missing, by one of the above; the range
 * is [min, max]. A single value is both. False: it is none. */
bool units_range(const char *text, bool (*read)(const char *, uint64_t *),
		 uint64_t *min, uint64_t *max);

#endif
