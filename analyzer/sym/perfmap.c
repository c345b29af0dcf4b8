/* SPDX-License-Identifier: MIT */
/*
 * JIT maps; see perfmap.h.
 *
 * The names stay in the text as it was read. Entries that overlap, as code
 * is compiled again where other code was, are made into pieces that do not:
 * a sweep over the addresses with a heap of the entries that reach there, the
 * last of the file on top.
 */
#include "perfmap.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* How much earlier than it is the kernel may stamp a file. */
#define STAMP_GRACE_NS 1000000000ull

/* Addresses [start, end) with a name. */
struct piece {
	uint64_t start, end;
	const char *name;
	size_t number; /* of its line: the later wins */
};

struct perfmap {
	char *text;
	struct piece *pieces; /* in order, none overlaps the next */
	size_t count, room;
};

/* The entries of the file, and those of them that reach the sweep's place. */
struct sweep {
	struct piece *entries;
	size_t count, room;
	struct piece **heap;
	size_t heap_count;
};

/* Read hex digits, with or without 0x; NULL when there are none. */
static char *parse_hex(char *p, uint64_t *value)
{
	char *end;

	if (!strchr("0123456789abcdefABCDEF", *p) || !*p)
		return NULL;
	*value = strtoull(p, &end, 16);
	return end;
}

/* Enter a line if it is an entry. */
static void parse_line(struct sweep *s, char *line)
{
	uint64_t start, size, end;
	char *p = parse_hex(line, &start);

	if (!p || *p != ' ' || !(p = parse_hex(p + 1, &size)) || *p != ' ' ||
	    !size || __builtin_add_overflow(start, size, &end))
		return;
	p++;
	p[strcspn(p, "\r")] = '\0';
	if (!*p)
		return;
	s->entries =
		util_grow(s->entries, s->count, &s->room, sizeof(*s->entries));
	s->entries[s->count] = (struct piece){start, end, p, s->count};
	s->count++;
}

static int compare_pieces(const void *a, const void *b)
{
	const struct piece *x = a, *y = b;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	return (x->number > y->number) - (x->number < y->number);
}

/* Put an entry into the heap. */
static void heap_push(struct sweep *s, struct piece *entry)
{
	size_t i = s->heap_count++;

	for (; i && s->heap[(i - 1) / 2]->number < entry->number;
	     i = (i - 1) / 2)
		s->heap[i] = s->heap[(i - 1) / 2];
	s->heap[i] = entry;
}

/* Take the top entry out of the heap. */
static void heap_pop(struct sweep *s)
{
	struct piece *last = s->heap[--s->heap_count];
	size_t i = 0, child;

	while ((child = 2 * i + 1) < s->heap_count) {
		if (child + 1 < s->heap_count &&
		    s->heap[child + 1]->number > s->heap[child]->number)
			child++;
		if (s->heap[child]->number < last->number)
			break;
		s->heap[i] = s->heap[child];
		i = child;
	}
	s->heap[i] = last;
}

/* Append the piece that an entry has from `start` to `end`. */
static void add_piece(struct perfmap *m, const struct piece *entry,
		      uint64_t start, uint64_t end)
{
	struct piece *last = m->count ? &m->pieces[m->count - 1] : NULL;

	if (last && last->end == start && last->number == entry->number) {
		last->end = end;
		return;
	}
	m->pieces =
		util_grow(m->pieces, m->count, &m->room, sizeof(*m->pieces));
	m->pieces[m->count++] =
		(struct piece){start, end, entry->name, entry->number};
}

/* Make the entries into pieces. */
static void sweep_entries(struct perfmap *m, struct sweep *s)
{
	uint64_t at = 0, end;
	size_t i = 0;

	if (s->count)
		qsort(s->entries, s->count, sizeof(*s->entries),
		      compare_pieces);
	s->heap = util_alloc(s->count, sizeof(*s->heap));
	while (i < s->count || s->heap_count) {
		if (!s->heap_count && s->entries[i].start > at)
			at = s->entries[i].start;
		while (i < s->count && s->entries[i].start <= at)
			heap_push(s, &s->entries[i++]);
		while (s->heap_count && s->heap[0]->end <= at)
			heap_pop(s);
		if (!s->heap_count)
			continue;
		end = s->heap[0]->end;
		if (i < s->count && s->entries[i].start < end)
			end = s->entries[i].start;
		add_piece(m, s->heap[0], at, end);
		at = end;
	}
	free(s->heap);
	free(s->entries);
}

/* Tell whether a map is to be trusted, not somebody's in /tmp. */
static bool is_trusted(const struct trace *t, const struct stat *map)
{
	struct stat trace;

	return map->st_uid == geteuid() || !map->st_uid ||
	       (stat(t->path, &trace) == 0 && trace.st_uid == map->st_uid);
}

/* Open a map that can be the traced process's; NULL: it is not. */
static FILE *open_map(const struct trace *t, const char *path)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	uint64_t written;
	struct stat st;

	if (fd < 0)
		return NULL;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && is_trusted(t, &st)) {
		written = (uint64_t)st.st_mtim.tv_sec * 1000000000 +
			  (uint64_t)st.st_mtim.tv_nsec;
		if (written + STAMP_GRACE_NS >= t->process.real_ns)
			return fdopen(fd, "r");
	}
	close(fd);
	return NULL;
}

/* Open the first map there is. */
static FILE *find_map(const struct trace *t, const char *sysroot)
{
	const char *base = util_basename(t->path);
	uint32_t pid = t->process.pid;
	char *path = util_format("%.*sperf-%u.map", (int)(base - t->path),
				 t->path, pid);
	FILE *f = open_map(t, path);

	free(path);
	if (!f && sysroot) {
		path = util_format("%s/tmp/perf-%u.map", sysroot, pid);
		f = open_map(t, path);
		free(path);
	}
	if (!f) {
		path = util_format("/tmp/perf-%u.map", pid);
		f = open_map(t, path);
		free(path);
	}
	return f;
}

/* Read a whole file, however long it is by now; a NUL is added. */
static char *read_text(FILE *f)
{
	size_t n = 0, room = 0, got;
	char *text = NULL;

	do {
		room = room ? room * 2 : 1u << 16;
		text = util_resize(text, room, 1);
		got = fread(text + n, 1, room - n - 1, f);
		n += got;
	} while (n == room - 1);
	text[n] = '\0';
	return text;
}

struct perfmap *perfmap_open(const struct trace *t, const char *sysroot)
{
	FILE *f = find_map(t, sysroot);
	struct sweep s = {0};
	struct perfmap *m;
	char *rest, *line;

	if (!f)
		return NULL;
	m = util_alloc(1, sizeof(*m));
	m->text = read_text(f);
	fclose(f);
	rest = m->text;
	while ((line = strsep(&rest, "\n")))
		parse_line(&s, line);
	sweep_entries(m, &s);
	return m;
}

void perfmap_free(struct perfmap *m)
{
	if (!m)
		return;
	free(m->text);
	free(m->pieces);
	free(m);
}

const char *perfmap_find(const struct perfmap *m, uint64_t address)
{
	size_t n =
		m ? util_up_to(m->pieces, m->count, sizeof(*m->pieces), address)
		  : 0;

	return n && address < m->pieces[n - 1].end ? m->pieces[n - 1].name
						   : NULL;
}
