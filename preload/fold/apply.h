/* SPDX-License-Identifier: MIT */
/* What an event does to the heap image. */
#ifndef PRELOAD_APPLY_H
#define PRELOAD_APPLY_H

#include <memtrace/image.h>
#include <memtrace/model.h>

/* Start, with the clock units of a nanosecond. Context: seal. */
void mt_apply_init(double units);

/* Apply events of a thread, within a step of the image that has room for
 * them. Context: seal. */
void mt_apply(struct mt_image_thread *t, const struct mt_event *e,
	      uint32_t count);

/* Tell whether an event can be next: merge.h's question about ties. */
bool mt_apply_fits(const void *unused, const struct mt_event *e);

#endif
