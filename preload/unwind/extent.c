/* SPDX-License-Identifier: MIT */
/* The memory that a stack is in; see extent.h. */
#include "extent.h"

#include "maps.h"
#include "sys.h"

/* A stack grows downward, to so much at the most. */
#define MOST_STACK_BYTES (64ul << 20)

bool mt_extents_enter(struct mt_extents *r, uint64_t sp)
{
	struct mt_extent was = r->now;
	struct mt_mapping map;

	if (sp - r->before.start < r->before.end - r->before.start) {
		r->now = r->before;
		r->before = was;
		return true;
	}
	r->before = was;
	if (!mt_maps_find(sp, &map, NULL, 0)) {
		/* No /proc, or no descriptor left to read it with. */
		r->now.start = sp & ~(MT_PAGE_BYTES - 1);
		r->now.end = sys_mapped_up_to(sp, MOST_STACK_BYTES);
		return mt_extent_holds(&r->now, sp);
	}
	r->now = (struct mt_extent){map.start, map.end};
	if (map.stack) /* it grows downward, and all above sp is there */
		r->now.start = map.end - MOST_STACK_BYTES;
	return true;
}
