/* SPDX-License-Identifier: MIT */
/* The live file; see live.h. */
#include "live.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "file.h"
#include "sys.h"

struct mt_live *mt_live;

static struct {
	struct sys_lock lock;
	struct mt_file file;
	bool is_file;
	bool is_partial;		 /* some regions are private memory */
	uint64_t bytes;			 /* of the file that are mapped */
	uint64_t reserved;		 /* and that are on the disk */
	uint32_t count[MT_REGION_IMAGE]; /* regions so far, by type */
} live;

/* Have the file on the disk up to `bytes`; false: there is no space. */
static bool reserve(int fd, uint64_t bytes)
{
	if (bytes <= live.reserved)
		return true;
	if (fd < 0 || bytes > sys_file_limit() ||
	    sys_allocate(fd, live.reserved, bytes - live.reserved) < 0)
		return false;
	live.reserved = bytes;
	return true;
}

bool mt_live_reserve(uint64_t bytes)
{
	struct sys_signals old = sys_lock(&live.lock);
	int fd = live.is_file ? mt_file_fd(&live.file) : -1;
	uint64_t most = live.bytes + bytes, next;
	bool there = live.is_file;

	while (there && !reserve(fd, most)) {
		next = live.reserved + MT_LIVE_PIECE_BYTES;
		there = next < most && reserve(fd, next);
	}
	mt_file_done(&live.file, fd);
	sys_unlock(&live.lock, old);
	return there;
}

/* Reserve file space and map it; NULL: there is none. */
static void *map_more(void *at, uint64_t bytes)
{
	void *p;
	int fd = -1;

	if (live.is_file) {
		fd = mt_file_fd(&live.file);
		if (fd < 0 || !reserve(fd, live.bytes + bytes)) {
			mt_file_done(&live.file, fd);
			return NULL;
		}
	}
	p = sys_map_file_at(at, fd, live.bytes, bytes);
	mt_file_done(&live.file, fd);
	if (p)
		live.bytes += bytes;
	return p;
}

bool mt_live_open(const char *path, int *error)
{
	memset(&live, 0, sizeof(live));
	*error = -mt_file_create(&live.file, path);
	live.is_file = !*error;
	if (live.is_file) {
		mt_live = map_more(NULL, MT_LIVE_HEAD_BYTES);
		if (mt_live)
			return true;
		*error = ENOSPC;
		mt_live_close(false);
	}
	live.is_file = false;
	mt_live = map_more(NULL, MT_LIVE_HEAD_BYTES);
	return mt_live != NULL;
}

/* Add a region and enter it in the directory; the lock is held. */
static void *add_region(enum mt_region_type type, uint32_t index, void *at,
			uint64_t bytes)
{
	uint32_t n = mt_live->regions;
	uint64_t offset = live.bytes;
	void *p = n < MT_MAX_REGIONS ? map_more(at, bytes) : NULL;

	if (!p) {
		live.is_partial = true;
		return sys_map_file_at(at, -1, 0, bytes);
	}
	mt_live->region[n] = (struct mt_region){
		.type = type,
		.index = index,
		.offset = offset,
		.bytes = bytes,
	};
	__atomic_store_n(&mt_live->regions, n + 1, __ATOMIC_RELEASE);
	return p;
}

void *mt_live_region(enum mt_region_type type, void *at, uint64_t bytes)
{
	struct sys_signals old = sys_lock(&live.lock);
	void *p = add_region(type, live.count[type], at, bytes);

	live.count[type]++;
	sys_unlock(&live.lock, old);
	return p;
}

void *mt_live_chunk(uint32_t index, void *at, uint64_t bytes)
{
	struct sys_signals old = sys_lock(&live.lock);
	void *p = add_region(MT_REGION_IMAGE, index, at, bytes);

	sys_unlock(&live.lock, old);
	return p;
}

bool mt_live_is_partial(void)
{
	return !live.is_file || live.is_partial;
}

void *mt_live_grow(enum mt_stream stream, uint64_t bytes)
{
	return mt_live_region((enum mt_region_type)stream, NULL, bytes);
}

void mt_live_close(bool keep)
{
	if (live.is_file && !keep)
		sys_unlink(live.file.path);
	mt_file_close(&live.file);
	live.is_file = false;
}

void mt_live_reset(void)
{
	mt_file_close(&live.file);
	mt_live = NULL;
}

void mt_live_detach(void)
{
	sys_map_over(mt_live, MT_LIVE_HEAD_BYTES);
}
