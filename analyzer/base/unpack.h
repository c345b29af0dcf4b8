/* SPDX-License-Identifier: MIT */
/*
 * A whole file in memory, decompressed: zstd and gzip by their first bytes,
 * anything else as it is.
 */
#ifndef ANALYZER_UNPACK_H
#define ANALYZER_UNPACK_H

#include "util.h"

/* What a file may decompress to; more is refused. */
#define UNPACK_MAX_BYTES (4ull << 30)

/*
 * Read the file at `path`. Returns its bytes, a NUL behind the last, to be
 * freed; or NULL with `e` filled.
 */
char *unpack_file(const char *path, size_t *bytes, struct error *e);

#endif
