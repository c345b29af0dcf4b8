/* SPDX-License-Identifier: MIT */
/* Segments, written; see segment.h and memtrace-format(5). */
#include "segment.h"

#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "util.h"

#define LEVEL 9

static const uint8_t zeros[16];

/* Bring the end of a file to where a segment may begin. */
static void align(FILE *f)
{
	uint64_t at = (uint64_t)ftello(f);
	uint32_t head[2] = {MT_SKIP_SPACE, 8 - (uint32_t)(at % 8)};

	if (at % 8) {
		fwrite(head, sizeof(head), 1, f);
		fwrite(zeros, head[1], 1, f);
	}
}

/* Write a segment of one column, `data`. */
static void write_segment(FILE *f, struct mt_segment *head, const void *data)
{
	uint32_t bytes = sizeof(*head) + head->data_bytes;
	uint32_t padding = (8 - bytes % 8) % 8;

	head->skip_magic = MT_SKIP_SEGMENT;
	head->skip_bytes = sizeof(*head) - 8 + padding;
	memcpy(head->magic, MT_SEGMENT_MAGIC, sizeof(head->magic));
	head->columns = 1;
	head->check = 0;
	head->check = mt_check(MT_CHECK_INIT, head, sizeof(*head));
	align(f);
	fwrite(head, sizeof(*head), 1, f);
	fwrite(zeros, 1, padding, f);
	fwrite(data, 1, head->data_bytes, f);
}

void segment_write_bytes(FILE *f, enum mt_stream stream, const uint8_t *bytes,
			 uint64_t n, uint64_t clock, uint64_t clock_ns)
{
	size_t room = ZSTD_compressBound(MT_MAX_COLUMN_BYTES);
	void *data = util_resize(NULL, room, 1);
	ZSTD_CCtx *zip = ZSTD_createCCtx();

	ZSTD_CCtx_setParameter(zip, ZSTD_c_compressionLevel, LEVEL);
	ZSTD_CCtx_setParameter(zip, ZSTD_c_checksumFlag, 1);
	for (uint64_t first = 0; first < n; first += MT_MAX_COLUMN_BYTES) {
		struct mt_segment head = {
			.stream = (uint16_t)stream,
			.first = first,
			.clock = clock,
			.clock_ns = clock_ns,
		};
		size_t written;

		head.count = n - first < MT_MAX_COLUMN_BYTES
				     ? (uint32_t)(n - first)
				     : MT_MAX_COLUMN_BYTES;
		written = ZSTD_compress2(zip, data, room, bytes + first,
					 head.count);
		head.data_bytes = (uint32_t)written;
		write_segment(f, &head, data);
	}
	ZSTD_freeCCtx(zip);
	free(data);
}
