/* SPDX-License-Identifier: MIT */
/*
 * Compressed sections, expanded; see symexpand.h.
 *
 * The new file is the old one with the expanded sections behind it, to which
 * the section headers point.
 */
#include "symexpand.h"

#include <fcntl.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include <zlib.h>

#include "util.h"

/* How many bytes zlib can make of one. */
#define MAX_RATIO 1032

struct expansion {
	int in, out;
	uint64_t in_bytes, out_bytes;
	ElfW(Ehdr) head;
	ElfW(Shdr) * sections;
};

/* Read the headers; false: it is no native ELF file, or has no sections. */
static bool read_headers(struct expansion *x)
{
	struct stat st;

	if (fstat(x->in, &st) ||
	    !util_read_at(x->in, &x->head, sizeof(x->head), 0) ||
	    memcmp(x->head.e_ident, ELFMAG, SELFMAG) != 0 ||
	    x->head.e_shentsize != sizeof(*x->sections))
		return false;
	x->in_bytes = (uint64_t)st.st_size;
	x->sections = util_alloc(x->head.e_shnum, sizeof(*x->sections));
	return util_read_at(x->in, x->sections,
			    x->head.e_shnum * sizeof(*x->sections),
			    x->head.e_shoff);
}

static bool is_compressed(const ElfW(Shdr) * s)
{
	return s->sh_flags & SHF_COMPRESSED && s->sh_type != SHT_NOBITS;
}

static bool any_compressed(const struct expansion *x)
{
	for (size_t i = 0; i < x->head.e_shnum; i++)
		if (is_compressed(&x->sections[i]))
			return true;
	return false;
}

/* Make the new file, which has no name. */
static bool create(struct expansion *x)
{
	const char *directory = getenv("TMPDIR");
	char *path =
		util_format("%s/memtrace-XXXXXX",
			    directory && *directory ? directory : "/var/tmp");

	x->out = mkostemp(path, O_CLOEXEC);
	if (x->out >= 0)
		unlink(path);
	free(path);
	return x->out >= 0;
}

/* Copy the old file. */
static bool copy(struct expansion *x)
{
	off_t done = 0;

	while ((uint64_t)done < x->in_bytes)
		if (sendfile(x->out, x->in, &done,
			     x->in_bytes - (uint64_t)done) <= 0)
			return false;
	x->out_bytes = x->in_bytes;
	return true;
}

/* Append `bytes` of zlib's, at `off` of the old file; return what came out. */
static uint64_t inflate_to(struct expansion *x, uint64_t off, uint64_t bytes,
			   uint64_t limit)
{
	static uint8_t in[1 << 16], out[1 << 18];
	z_stream z = {0};
	int status = inflateInit(&z);
	uint64_t end = off + bytes;

	while (status == Z_OK && z.total_out <= limit) {
		size_t n = end - off < sizeof(in) ? end - off : sizeof(in);

		if (!z.avail_in) {
			if (!util_read_at(x->in, in, n, off))
				break;
			off += n;
			z.next_in = in;
			z.avail_in = (uInt)n;
		}
		z.next_out = out;
		z.avail_out = sizeof(out);
		status = inflate(&z, Z_NO_FLUSH);
		n = sizeof(out) - z.avail_out;
		if (write(x->out, out, n) != (ssize_t)n)
			break;
	}
	inflateEnd(&z);
	return status == Z_STREAM_END ? z.total_out : 0;
}

/* Append a section, expanded. */
static bool expand(struct expansion *x, ElfW(Shdr) * s)
{
	ElfW(Chdr) c;

	if (s->sh_size < sizeof(c) ||
	    !util_read_at(x->in, &c, sizeof(c), s->sh_offset) ||
	    c.ch_type != ELFCOMPRESS_ZLIB ||
	    c.ch_size > x->in_bytes * MAX_RATIO - x->out_bytes ||
	    inflate_to(x, s->sh_offset + sizeof(c), s->sh_size - sizeof(c),
		       c.ch_size) != c.ch_size)
		return false;
	s->sh_flags &= ~(uint64_t)SHF_COMPRESSED;
	s->sh_offset = x->out_bytes;
	s->sh_size = c.ch_size;
	s->sh_addralign = c.ch_addralign;
	x->out_bytes += c.ch_size;
	return true;
}

/* Append all sections that are compressed, and point the headers there. */
static bool expand_all(struct expansion *x)
{
	size_t bytes = x->head.e_shnum * sizeof(*x->sections);

	for (size_t i = 0; i < x->head.e_shnum; i++)
		if (is_compressed(&x->sections[i]) &&
		    !expand(x, &x->sections[i]))
			return false;
	return pwrite(x->out, x->sections, bytes, (off_t)x->head.e_shoff) ==
	       (ssize_t)bytes;
}

int symexpand(int fd)
{
	struct expansion x = {.in = fd, .out = -1};
	bool done = fd >= 0 && read_headers(&x) && any_compressed(&x) &&
		    create(&x) && copy(&x) && expand_all(&x);
	int other = done ? fd : x.out;

	free(x.sections);
	if (other >= 0)
		close(other);
	return done ? x.out : fd;
}
