/* SPDX-License-Identifier: MIT */
/*
 * The words of a scan, as the trace has them.
 */
#include "trace.h"

#include <stdlib.h>

/* Hand on the words of a segment from record number `first` on. */
static int segment_words(struct trace *t, const struct trace_segment *s,
			 struct trace_buffer *b,
			 void (*each)(void *context, uint64_t address,
				      uint64_t value),
			 void *context)
{
	struct mt_columns c;
	uint64_t address = 0, value = 0, step, code;

	if (trace_read_columns(t, s, b, &c))
		return -1;
	for (uint32_t i = 0; i < s->count; i++) {
		if (!mt_varint_get(&c.at[0], c.end[0], &step) ||
		    !mt_varint_get(&c.at[1], c.end[1], &code)) {
			trace_note_missing(t, s, 0, "words are cut short");
			return -1;
		}
		address += step * 8;
		value = mt_model_distance(value, code);
		each(context, address, value);
	}
	return 0;
}

int trace_words(struct trace *t, const struct mt_meta_scan *scan,
		void (*each)(void *context, uint64_t address, uint64_t value),
		void *context)
{
	const struct trace_segments *list = &t->segments[MT_STREAM_WORDS];
	uint64_t next = scan->first, end = scan->first + scan->words;
	struct trace_buffer b = {0};
	int status = 0;

	for (size_t i = 0; i < list->count && status == 0; i++) {
		const struct trace_segment *s = &list->at[i];

		if (s->first < scan->first || s->first >= end)
			continue;
		if (s->first != next)
			break;
		status = segment_words(t, s, &b, each, context);
		next += s->count;
	}
	free(b.bytes);
	if (status == 0 && next != end)
		status = error_set(&t->damage, ERROR_NO_OFFSET,
				   "words of the scan are missing");
	return status;
}

bool trace_choose_scan(struct trace *t, uint32_t number)
{
	for (size_t i = 0; i < t->scan_count; i++)
		if (t->scans[i].scan == number) {
			t->scan_count = i + 1;
			return true;
		}
	return false;
}
