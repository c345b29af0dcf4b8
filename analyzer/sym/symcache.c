/* SPDX-License-Identifier: MIT */
/*
 * The frames that were looked up before; see symcache.h.
 *
 * A file has a head, the addresses in order, for each the number of its first
 * frame (and one more, the end), the frames, and their strings, a NUL behind
 * each. So it is used as it is read. Whatever is not as it should be makes
 * the file count for nothing, and the next save replaces it.
 */
#include "symcache.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "outfile.h"
#include "strpool.h"
#include "util.h"

/* Another number when files or what we make of them changes. */
#define MAGIC 0x326d79736d746dull /* "mtmsym2", in this byte order */

#define MAX_BUILD_ID_BYTES 64
/* A build-id of less is not likely to be one. */
#define MIN_BUILD_ID_BYTES 8

#define MAX_FILE_BYTES (1ll << 30)

/* How long a file stays that nobody asks for; when asking is noted again. */
#define KEPT_SECONDS (30 * 24 * 3600)
#define NOTED_SECONDS (24 * 3600)

struct head {
	uint64_t magic;
	uint32_t check; /* of the whole file, with 0 here */
	uint32_t state;
	uint64_t addresses, frames, string_bytes;
	uint32_t build_id_bytes, reserved;
	uint8_t build_id[MAX_BUILD_ID_BYTES];
};

/* A frame in the file: offsets in the strings, of which 0 means none. */
struct packed {
	uint32_t function, linkage, file, line;
};

/* Where the parts of a file are. */
struct parts {
	const uint64_t *addresses;
	const uint32_t *first;
	const struct packed *frames;
	const char *strings;
};

/* Return where the parts of a file are that begins at `file`. */
static struct parts parts_of(const uint8_t *file)
{
	const struct head *h = (const struct head *)file;
	struct parts p;

	p.addresses = (const uint64_t *)(file + sizeof(*h));
	p.first = (const uint32_t *)(p.addresses + h->addresses);
	p.frames = (const struct packed *)(p.first + h->addresses + 1);
	p.strings = (const char *)(p.frames + h->frames);
	return p;
}

char *symcache_directory(void)
{
	const char *off = getenv("MEMTRACE_CACHE");
	const char *xdg = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");

	if (off && strcmp(off, "off") == 0)
		return NULL;
	if (xdg && *xdg == '/')
		return util_format("%s/memtrace", xdg);
	if (home && *home == '/')
		return util_format("%s/.cache/memtrace", home);
	return NULL;
}

/* Return the path of a build-id's file, NULL: it can have none. */
static char *path_of(const char *directory, const uint8_t *build_id,
		     size_t build_id_bytes)
{
	char *hex, *path;

	if (!directory || build_id_bytes < MIN_BUILD_ID_BYTES ||
	    build_id_bytes > MAX_BUILD_ID_BYTES)
		return NULL;
	hex = util_hex(build_id, build_id_bytes);
	path = util_format("%s/%s.sym", directory, hex);
	free(hex);
	return path;
}

/* Read a whole file; NULL when that can't be done. */
static uint8_t *read_file(const char *path, size_t *bytes)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	uint8_t *data = NULL;
	size_t got = 0;
	struct stat st;

	if (fd < 0)
		return NULL;
	if (fstat(fd, &st) || !S_ISREG(st.st_mode) ||
	    st.st_size > MAX_FILE_BYTES)
		st.st_size = 0;
	else if (st.st_mtime < time(NULL) - NOTED_SECONDS)
		futimens(fd, NULL);
	if (st.st_size > 0)
		data = util_resize(NULL, (size_t)st.st_size, 1);
	while (got < (size_t)st.st_size) {
		ssize_t n = read(fd, data + got, (size_t)st.st_size - got);

		if (n <= 0)
			break;
		got += (size_t)n;
	}
	close(fd);
	if (got == (size_t)st.st_size && got) {
		*bytes = got;
		return data;
	}
	free(data);
	return NULL;
}

/* Tell whether a file is whole and of this build-id. */
static bool is_sound(uint8_t *file, size_t bytes, const uint8_t *build_id,
		     size_t build_id_bytes)
{
	struct head *h = (struct head *)file;
	uint32_t check;

	if (bytes < sizeof(*h) || h->magic != MAGIC || h->state > SYM_EXPORTS ||
	    h->build_id_bytes != build_id_bytes ||
	    memcmp(h->build_id, build_id, build_id_bytes) != 0 ||
	    h->addresses > bytes || h->frames > bytes ||
	    h->string_bytes > bytes || !h->string_bytes ||
	    sizeof(*h) + h->addresses * (sizeof(uint64_t) + sizeof(uint32_t)) +
			    sizeof(uint32_t) +
			    h->frames * sizeof(struct packed) +
			    h->string_bytes !=
		    bytes ||
	    file[bytes - 1])
		return false;
	check = h->check;
	h->check = 0;
	return (uint32_t)util_hash(file, bytes) == check;
}

bool symcache_load(struct symcache *c, const char *directory,
		   const uint8_t *build_id, size_t build_id_bytes,
		   enum sym_state *state)
{
	char *path = path_of(directory, build_id, build_id_bytes);
	size_t bytes = 0;

	c->file = path ? read_file(path, &bytes) : NULL;
	free(path);
	if (!c->file)
		return false;
	if (!is_sound(c->file, bytes, build_id, build_id_bytes)) {
		symcache_unload(c);
		return false;
	}
	*state = ((const struct head *)c->file)->state;
	return true;
}

void symcache_unload(struct symcache *c)
{
	free(c->file);
	c->file = NULL;
}

/* Return a string of the file, NULL for none. */
static const char *string_at(const struct head *h, const struct parts *p,
			     uint32_t off)
{
	return off && off < h->string_bytes ? p->strings + off : NULL;
}

/* Copy the frames of the address at a place in the file. */
static ssize_t unpack(const uint8_t *file, size_t i,
		      struct sym_frame frame[SYM_MAX_FRAMES])
{
	const struct head *h = (const struct head *)file;
	struct parts p = parts_of(file);
	uint32_t first = p.first[i], end = p.first[i + 1];

	if (end > h->frames || first > end || end - first > SYM_MAX_FRAMES)
		return -1;
	for (uint32_t j = first; j < end; j++)
		frame[j - first] = (struct sym_frame){
			.function = string_at(h, &p, p.frames[j].function),
			.linkage = string_at(h, &p, p.frames[j].linkage),
			.file = string_at(h, &p, p.frames[j].file),
			.line = p.frames[j].line,
		};
	return end - first;
}

/* Find an address in the file. */
static ssize_t find_in_file(const struct symcache *c, uint64_t address,
			    struct sym_frame frame[SYM_MAX_FRAMES])
{
	const struct head *h = (const struct head *)c->file;
	struct parts p = parts_of(c->file);
	size_t low = 0, high = h->addresses;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (p.addresses[middle] == address)
			return unpack(c->file, middle, frame);
		if (p.addresses[middle] > address)
			high = middle;
		else
			low = middle + 1;
	}
	return -1;
}

ssize_t symcache_find(const struct symcache *c, uint64_t address,
		      struct sym_frame frame[SYM_MAX_FRAMES])
{
	const uint64_t *at = map_get(&c->at, address);
	const struct symcache_entry *e;

	if (!at)
		return c->file ? find_in_file(c, address, frame) : -1;
	e = &c->entries[*at];
	if (e->count)
		memcpy(frame, c->frames + e->first, e->count * sizeof(*frame));
	return e->count;
}

void symcache_add(struct symcache *c, uint64_t address,
		  const struct sym_frame *frame, size_t count)
{
	*map_put(&c->at, address, NULL) = c->entry_count;
	c->entries = util_grow(c->entries, c->entry_count, &c->entry_room,
			       sizeof(*c->entries));
	c->entries[c->entry_count++] = (struct symcache_entry){
		.address = address,
		.first = (uint32_t)c->frame_count,
		.count = (uint32_t)count,
	};
	for (size_t i = 0; i < count; i++) {
		c->frames = util_grow(c->frames, c->frame_count, &c->frame_room,
				      sizeof(*c->frames));
		c->frames[c->frame_count++] = frame[i];
	}
}

/* A file that is being put together; strings by their number at first. */
struct packer {
	uint64_t *addresses;
	uint32_t *first;
	struct packed *frames;
	size_t address_count, frame_count, frame_room;
	struct strpool strings;
};

static uint32_t number_of(struct packer *p, const char *text)
{
	return text ? strpool_add(&p->strings, text) : 0;
}

/* Add an address; they come in order. */
static void pack(struct packer *p, uint64_t address,
		 const struct sym_frame *frame, size_t count)
{
	p->addresses[p->address_count] = address;
	p->first[p->address_count++] = (uint32_t)p->frame_count;
	for (size_t i = 0; i < count; i++) {
		p->frames = util_grow(p->frames, p->frame_count, &p->frame_room,
				      sizeof(*p->frames));
		p->frames[p->frame_count++] = (struct packed){
			.function = number_of(p, frame[i].function),
			.linkage = number_of(p, frame[i].linkage),
			.file = number_of(p, frame[i].file),
			.line = frame[i].line,
		};
	}
}

static int compare_entries(const void *a, const void *b)
{
	const struct symcache_entry *x = a, *y = b;

	return (x->address > y->address) - (x->address < y->address);
}

/* Pack the addresses of the file and those that were added. */
static void pack_all(struct packer *p, const struct symcache *c)
{
	const struct head *h = (const struct head *)c->file;
	struct symcache_entry *added = c->entries;
	struct sym_frame frame[SYM_MAX_FRAMES];
	size_t old = h ? h->addresses : 0, i = 0, j = 0;

	p->addresses = util_alloc(old + c->entry_count, sizeof(uint64_t));
	p->first = util_alloc(old + c->entry_count + 1, sizeof(uint32_t));
	while (i < old || j < c->entry_count) {
		uint64_t address =
			i < old ? parts_of(c->file).addresses[i] : UINT64_MAX;
		ssize_t n;

		if (j < c->entry_count && added[j].address <= address) {
			pack(p, added[j].address, c->frames + added[j].first,
			     added[j].count);
			j++;
			continue;
		}
		n = unpack(c->file, i++, frame);
		if (n >= 0)
			pack(p, address, frame, (size_t)n);
	}
	p->first[p->address_count] = (uint32_t)p->frame_count;
}

/* Put the strings one behind the other; return their offsets by number. */
static uint32_t *place_strings(const struct packer *p, size_t *bytes)
{
	uint32_t *offset = util_alloc(p->strings.count + 1, sizeof(*offset));

	*bytes = 1; /* the empty one, of which there may be no entry */
	for (uint32_t i = 1; i < p->strings.count; i++) {
		offset[i] = (uint32_t)*bytes;
		*bytes += strlen(strpool_text(&p->strings, i)) + 1;
	}
	return offset;
}

/* Give the packed frames the offsets of their strings. */
static void set_offsets(struct packer *p, const uint32_t *offset)
{
	for (size_t i = 0; i < p->frame_count; i++) {
		struct packed *f = &p->frames[i];

		f->function = offset[f->function];
		f->linkage = offset[f->linkage];
		f->file = offset[f->file];
	}
}

static uint8_t *append(uint8_t *to, const void *bytes, size_t n)
{
	if (n)
		memcpy(to, bytes, n);
	return to + n;
}

/* Lay a file out behind its head; NULL when it would be too large. */
static uint8_t *lay_out(struct packer *p, struct head *h, size_t *bytes)
{
	size_t string_bytes;
	uint32_t *offset = place_strings(p, &string_bytes);
	uint8_t *file, *end;

	h->addresses = p->address_count;
	h->frames = p->frame_count;
	h->string_bytes = string_bytes;
	*bytes = sizeof(*h) + p->address_count * sizeof(uint64_t) +
		 (p->address_count + 1) * sizeof(uint32_t) +
		 p->frame_count * sizeof(struct packed) + string_bytes;
	if (*bytes > MAX_FILE_BYTES) {
		free(offset);
		return NULL;
	}
	set_offsets(p, offset);
	file = util_alloc(*bytes, 1);
	end = append(file, h, sizeof(*h));
	end = append(end, p->addresses, p->address_count * sizeof(uint64_t));
	end = append(end, p->first, (p->address_count + 1) * sizeof(uint32_t));
	end = append(end, p->frames, p->frame_count * sizeof(struct packed));
	for (uint32_t i = 1; i < p->strings.count; i++) {
		const char *text = strpool_text(&p->strings, i);

		append(end + offset[i], text, strlen(text) + 1);
	}
	((struct head *)file)->check = (uint32_t)util_hash(file, *bytes);
	free(offset);
	return file;
}

/* Make a directory and those above it. */
static void make_directories(const char *directory)
{
	char *path = util_copy(directory, strlen(directory));

	for (char *p = path + 1; (p = strchr(p, '/')); *p++ = '/') {
		*p = '\0';
		mkdir(path, 0700);
	}
	mkdir(path, 0700);
	free(path);
}

/* Remove the files that nobody asked for in a long time. */
static void prune(const char *directory)
{
	time_t oldest = time(NULL) - KEPT_SECONDS;
	DIR *d = opendir(directory);
	struct dirent *entry;
	struct stat st;

	while (d && (entry = readdir(d)))
		if (strstr(entry->d_name, ".sym") &&
		    fstatat(dirfd(d), entry->d_name, &st,
			    AT_SYMLINK_NOFOLLOW) == 0 &&
		    S_ISREG(st.st_mode) && st.st_mtime < oldest)
			unlinkat(dirfd(d), entry->d_name, 0);
	if (d)
		closedir(d);
}

/* Write a file in place of what there is. */
static void write_file(const char *directory, const char *path,
		       const uint8_t *file, size_t bytes)
{
	struct outfile o;

	make_directories(directory);
	prune(directory);
	if (outfile_open(&o, path, NULL))
		return;
	fwrite(file, 1, bytes, o.f);
	outfile_commit(&o, NULL);
}

void symcache_save(const struct symcache *c, const char *directory,
		   const uint8_t *build_id, size_t build_id_bytes,
		   enum sym_state state)
{
	struct head h = {
		.magic = MAGIC,
		.state = (uint32_t)state,
		.build_id_bytes = (uint32_t)build_id_bytes,
	};
	char *path = path_of(directory, build_id, build_id_bytes);
	struct packer p = {0};
	uint8_t *file;
	size_t bytes;

	if (path && c->entry_count) {
		memcpy(h.build_id, build_id, build_id_bytes);
		qsort(c->entries, c->entry_count, sizeof(*c->entries),
		      compare_entries);
		pack_all(&p, c);
		file = lay_out(&p, &h, &bytes);
		if (file)
			write_file(directory, path, file, bytes);
		free(file);
		free(p.addresses);
		free(p.first);
		free(p.frames);
		strpool_free(&p.strings);
	}
	free(path);
}

void symcache_free(struct symcache *c)
{
	symcache_unload(c);
	free(c->entries);
	free(c->frames);
	map_free(&c->at);
}
