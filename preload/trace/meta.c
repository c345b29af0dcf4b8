/* SPDX-License-Identifier: MIT */
/* The meta log; see meta.h. */
#include "meta.h"

#include <string.h>

#include "live.h"
#include "sys.h"

#define MOST_BYTES (32ul << 20)
#define GROW_BYTES (64 * 1024ul)

static struct {
	struct sys_lock lock;
	uint8_t *log;
	uint64_t ready; /* bytes that have memory */
} meta;

bool mt_meta_init(void)
{
	meta.lock.word = 0;
	meta.ready = 0;
	meta.log = sys_reserve(MOST_BYTES);
	if (!meta.log)
		return false;
	if (!mt_live_region(MT_REGION_META, meta.log, GROW_BYTES))
		return false;
	meta.ready = GROW_BYTES;
	return true;
}

/* Make room for `need` bytes more; false: there is none. */
static bool make_room(uint64_t have, uint64_t need)
{
	if (have + need <= meta.ready)
		return true;
	if (meta.ready + GROW_BYTES > MOST_BYTES ||
	    !mt_live_region(MT_REGION_META, meta.log + meta.ready, GROW_BYTES))
		return false;
	meta.ready += GROW_BYTES;
	return have + need <= meta.ready;
}

void mt_meta_add(enum mt_meta_type type, const void *head, size_t head_bytes,
		 const void *text, size_t text_bytes)
{
	struct mt_meta m = {.type = (uint16_t)type};
	uint64_t have;
	uint8_t *p;

	if (head_bytes + text_bytes > UINT16_MAX)
		text_bytes = UINT16_MAX - head_bytes;
	m.bytes = (uint16_t)(head_bytes + text_bytes);

	struct sys_signals old = sys_lock(&meta.lock);

	have = mt_live->meta_bytes;
	if (make_room(have, sizeof(m) + m.bytes)) {
		p = meta.log + have;
		memcpy(p, &m, sizeof(m));
		if (head_bytes)
			memcpy(p + sizeof(m), head, head_bytes);
		if (text_bytes)
			memcpy(p + sizeof(m) + head_bytes, text, text_bytes);
		__atomic_store_n(&mt_live->meta_bytes,
				 have + sizeof(m) + m.bytes, __ATOMIC_RELEASE);
	}
	sys_unlock(&meta.lock, old);
}

const uint8_t *mt_meta_log(void)
{
	return meta.log;
}

void mt_meta_detach(void)
{
	sys_map_over(meta.log, meta.ready);
}
