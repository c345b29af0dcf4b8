/* SPDX-License-Identifier: MIT */
/* Compressed output; see gzip.h. */
#include "gzip.h"

#include <stdlib.h>

#include <zlib.h>

#include "util.h"

/* Bytes handed on at a time. */
#define GZIP_STEP_BYTES 65536

struct gzip {
	z_stream z;
	FILE *out;
	unsigned char step[GZIP_STEP_BYTES];
};

/* Hand on what comes out of zlib until it wants more. */
static void pump(struct gzip *g, int flush)
{
	do {
		g->z.next_out = g->step;
		g->z.avail_out = GZIP_STEP_BYTES;
		deflate(&g->z, flush);
		fwrite(g->step, 1, GZIP_STEP_BYTES - g->z.avail_out, g->out);
	} while (!g->z.avail_out);
}

/* Compress bytes of the stream. */
static ssize_t gzip_write(void *cookie, const char *bytes, size_t n)
{
	struct gzip *g = cookie;
	size_t part = n < 1u << 30 ? n : 1u << 30;

	g->z.next_in = (Bytef *)bytes;
	g->z.avail_in = (uInt)part;
	pump(g, Z_NO_FLUSH);
	return ferror(g->out) ? 0 : (ssize_t)part;
}

/* Write the end. */
static int gzip_close(void *cookie)
{
	struct gzip *g = cookie;
	int status;

	g->z.avail_in = 0;
	pump(g, Z_FINISH);
	status = ferror(g->out) ? -1 : 0;
	deflateEnd(&g->z);
	free(g);
	return status;
}

FILE *gzip_open(FILE *out)
{
	struct gzip *g = util_alloc(1, sizeof(*g));
	cookie_io_functions_t calls = {
		.write = gzip_write,
		.close = gzip_close,
	};
	FILE *stream;

	g->out = out;
	if (deflateInit2(&g->z, Z_DEFAULT_COMPRESSION, Z_DEFLATED,
			 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY) != Z_OK)
		abort();
	stream = fopencookie(g, "w", calls);
	if (!stream)
		abort();
	return stream;
}
