/* SPDX-License-Identifier: MIT */
/* Memory for the recorder's own tables; see arena.h. */
#include "arena.h"

#include "sys.h"

#define CHUNK_BYTES (64 * 1024ul)

/* A mapping; what it gives out follows this head. */
struct chunk {
	struct chunk *next;
	size_t bytes, used;
};

static struct chunk *chunks;

void *mt_arena_alloc(size_t size)
{
	size_t need = MT_ALIGN_UP(size, 16ul), head = sizeof(struct chunk) + 8;
	struct chunk *c = chunks;

	if (need < size)
		return NULL;
	if (!c || c->bytes - c->used < need) {
		size_t bytes = CHUNK_BYTES;

		if (need > bytes - head)
			bytes = MT_ALIGN_UP(need + head, MT_PAGE_BYTES);
		c = sys_map(bytes, SYS_FORK_COPY);
		if (!c)
			return NULL;
		*c = (struct chunk){chunks, bytes, head};
		chunks = c;
	}
	c->used += need;
	return (char *)c + c->used - need;
}

void mt_arena_reset(void)
{
	while (chunks) {
		struct chunk *c = chunks;

		chunks = c->next;
		sys_unmap(c, c->bytes);
	}
}
