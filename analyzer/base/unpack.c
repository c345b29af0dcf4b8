/* SPDX-License-Identifier: MIT */
/* A whole file in memory, decompressed; see unpack.h. */
#include "unpack.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>
#include <zstd.h>

/* Bytes that grow. */
struct bytes {
	char *at;
	size_t count, room;
};

/* Make room for `n` more bytes and a NUL; false: that is too much. */
static bool make_room(struct bytes *b, size_t n)
{
	if (b->count + n > UNPACK_MAX_BYTES)
		return false;
	if (b->count + n + 1 > b->room) {
		b->room = (b->count + n + 1) * 2;
		b->at = util_resize(b->at, b->room, 1);
	}
	return true;
}

/* Read all of a file. */
static int read_all(const char *path, struct bytes *b, struct error *e)
{
	FILE *f = fopen(path, "rbe");
	bool fits = true;
	size_t n = 1;

	if (!f)
		return error_set(e, ERROR_NO_OFFSET, "%s", strerror(errno));
	while (n && fits) {
		fits = make_room(b, BUFSIZ);
		n = fits ? fread(b->at + b->count, 1, BUFSIZ, f) : 0;
		b->count += n;
	}
	if (ferror(f))
		error_set(e, ERROR_NO_OFFSET, "%s", strerror(errno));
	else if (!fits)
		error_set(e, ERROR_NO_OFFSET, "the file is too large");
	fclose(f);
	return error_is_set(e) ? -1 : 0;
}

/* Decompress zstd frames. A cut stream gives what there is of it. */
static int unzstd(const struct bytes *from, struct bytes *to, struct error *e)
{
	ZSTD_DCtx *context = ZSTD_createDCtx();
	ZSTD_inBuffer in = {from->at, from->count, 0};
	size_t left = 1, step = ZSTD_DStreamOutSize();

	while (context && (in.pos < in.size || left == SIZE_MAX)) {
		ZSTD_outBuffer out;

		if (!make_room(to, step)) {
			error_set(e, in.pos, "it decompresses to too much");
			break;
		}
		out = (ZSTD_outBuffer){to->at + to->count, step, 0};
		left = ZSTD_decompressStream(context, &out, &in);
		if (ZSTD_isError(left)) {
			error_set(e, in.pos, "bad zstd frame (%s)",
				  ZSTD_getErrorName(left));
			break;
		}
		to->count += out.pos;
		/* A full buffer: more may come without further input. */
		left = out.pos == out.size ? SIZE_MAX : 0;
	}
	ZSTD_freeDCtx(context);
	return error_is_set(e) ? -1 : 0;
}

/* Decompress gzip members. A cut stream gives what there is of it. */
static int ungzip(const struct bytes *from, struct bytes *to, struct error *e)
{
	z_stream z = {0};
	size_t done = 0;
	int status = Z_OK;

	if (inflateInit2(&z, 16 + MAX_WBITS) != Z_OK)
		return error_set(e, ERROR_NO_OFFSET, "zlib does not start");
	while (status == Z_OK) {
		size_t part = from->count - done;

		if (!make_room(to, BUFSIZ)) {
			error_set(e, done, "it decompresses to too much");
			break;
		}
		z.next_in = (Bytef *)from->at + done;
		z.avail_in = part < 1u << 30 ? (uInt)part : 1u << 30;
		part = z.avail_in;
		z.next_out = (Bytef *)to->at + to->count;
		z.avail_out = BUFSIZ;
		status = inflate(&z, Z_NO_FLUSH);
		done += part - z.avail_in;
		to->count += BUFSIZ - z.avail_out;
		if (status == Z_STREAM_END && done < from->count)
			status = inflateReset(&z);
	}
	if (status != Z_STREAM_END && status != Z_BUF_ERROR && !error_is_set(e))
		error_set(e, done, "bad gzip data (%s)", z.msg ? z.msg : "?");
	inflateEnd(&z);
	return error_is_set(e) ? -1 : 0;
}

char *unpack_file(const char *path, size_t *bytes, struct error *e)
{
	struct bytes raw = {0}, text = {0};
	int status = read_all(path, &raw, e);

	if (status == 0 && raw.count >= 4 &&
	    memcmp(raw.at, "\x28\xb5\x2f\xfd", 4) == 0)
		status = unzstd(&raw, &text, e);
	else if (status == 0 && raw.count >= 2 &&
		 memcmp(raw.at, "\x1f\x8b", 2) == 0)
		status = ungzip(&raw, &text, e);
	else {
		text = raw;
		raw.at = NULL;
	}
	free(raw.at);
	if (status) {
		free(text.at);
		return NULL;
	}
	make_room(&text, 0);
	text.at[text.count] = '\0';
	*bytes = text.count;
	return text.at;
}
