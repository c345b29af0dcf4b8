/* SPDX-License-Identifier: MIT */
/*
 * Write the seeds of the corpus: small whole traces, ended and not, and what
 * fuzz_streams puts into one: a heap image, and a scan.
 *
 *   seed DIRECTORY
 */
#include <memtrace/image.h>

#include "fuzz/chunk.h"
#include "unit/gen.h"

static struct gen gen;
static struct sim_expected expected;

/* Add names of the first two code addresses. */
static void add_names(void)
{
	static uint8_t log[] = "\1\4abc\0\1\4x.c\0\2\5\0\1\1\2\11"
			       "\2\11\1\1\1\2\7\1\0\2\6\3\2\0\0";
	struct gen_buffer column = {log, sizeof(log) - 1, 0};
	struct mt_segment head = {.stream = MT_STREAM_NAMES,
				  .count = sizeof(log) - 1};

	gen_segment(&gen, head, &column, 1);
}

/* Return the path of a seed; the next call overwrites it. */
static const char *path_in(const char *directory, const char *name)
{
	static char path[4096];

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	return path;
}

/* Write one seed, with its live file behind it when it is not ended. */
static void seed(const char *directory, const char *name,
		 const struct sim_options *o)
{
	struct gen_buffer live = {0};

	sim_run(o, &gen, &expected, NULL, NULL);
	if (strcmp(name, "names") == 0)
		add_names();
	if (o->unended) {
		gen_live(&gen, MT_END_NONE, &live);
		gen_put(&gen.file, live.at, live.n);
	}
	gen_write(&gen.file, path_in(directory, name));
	gen_free(&gen);
	free(live.at);
}

/* Add a chunk of one column. */
static void put_chunk(struct gen_buffer *to, unsigned int stream,
		      uint64_t first, const void *bytes, size_t n)
{
	struct chunk c = {.first = first,
			  .bytes = {(uint16_t)n},
			  .stream = (uint8_t)stream};

	gen_put(to, &c, sizeof(c));
	gen_put(to, bytes, n);
}

/* Write a heap image of one block, whose step is to be taken back. */
static void seed_image(const char *path)
{
	struct mt_image head = {.magic = MT_IMAGE_MAGIC, .state = 1};
	struct mt_image_block block = {.address = 0x10000,
				       .size = 100,
				       .born = 1500,
				       .node = 3,
				       .kind = MT_MALLOC};
	struct mt_image_row row = {.allocations = 2,
				   .allocated_bytes = 150,
				   .frees = 1,
				   .live_bytes = 100,
				   .live_blocks = 1,
				   .node = 3};
	struct mt_image_thread thread = {.done = 3};
	struct mt_image_undo undo = {MT_IMAGE_ROWS + sizeof(row) + 32, 50};
	uint32_t buckets[2] = {1, 1};
	struct gen_buffer out = {0};

	head.sums[0] = (struct mt_image_sums){.clock = 1900,
					      .events = 3,
					      .allocations = 2,
					      .allocated_bytes = 150,
					      .frees = 1,
					      .live_bytes = 100,
					      .live_blocks = 1,
					      .rows = 2,
					      .threads = 1,
					      .buckets = 2,
					      .blocks = 2};
	put_chunk(&out, MT_STREAM_IMAGE, MT_IMAGE_HEAD, &head, sizeof(head));
	put_chunk(&out, MT_STREAM_IMAGE, MT_IMAGE_UNDO, &undo, sizeof(undo));
	put_chunk(&out, MT_STREAM_IMAGE, MT_IMAGE_THREADS, &thread,
		  sizeof(thread));
	put_chunk(&out, MT_STREAM_IMAGE, MT_IMAGE_ROWS + sizeof(row), &row,
		  sizeof(row));
	put_chunk(&out, MT_STREAM_IMAGE, MT_IMAGE_BUCKETS, buckets,
		  sizeof(buckets));
	put_chunk(&out, MT_STREAM_IMAGE, MT_IMAGE_BLOCKS + sizeof(block),
		  &block, sizeof(block));
	gen_write(&out, path);
	free(out.at);
}

/* Add a record to a log. */
static void put_record(struct gen_buffer *log, unsigned int type,
		       const void *payload, size_t n)
{
	struct mt_meta head = {(uint16_t)type, (uint16_t)n};

	gen_put(log, &head, sizeof(head));
	gen_put(log, payload, n);
}

/* Write a scan of two words. */
static void seed_scan(const char *path)
{
	struct mt_meta_range stack = {.start = 0x7000,
				      .end = 0x8000,
				      .kind = MT_RANGE_STACK,
				      .tid = 4711};
	struct mt_meta_range in_register = {.start = 0x555555560010,
					    .kind = MT_RANGE_REGISTERS,
					    .tid = 4711};
	struct mt_meta_scan scan = {.clock = 1u << 20,
				    .words = 2,
				    .tid = 4711,
				    .why = MT_SCAN_ON_REQUEST};
	struct gen_buffer out = {0}, log = {0}, words[2] = {{0}, {0}};
	struct chunk c = {.count = 2, .stream = MT_STREAM_WORDS};
	static const uint64_t value[2] = {0x555555560010, 0x555555560040};
	uint8_t code[MT_VARINT_MAX];
	uint64_t before = 0;

	put_record(&log, MT_META_RANGE, &stack, sizeof(stack));
	put_record(&log, MT_META_RANGE, &in_register, sizeof(in_register));
	put_record(&log, MT_META_SCAN, &scan, sizeof(scan));
	for (int i = 0; i < 2; i++) {
		gen_put_varint(&words[0], i ? 2 : 0x7000 / 8);
		gen_put(&words[1], code,
			(size_t)(mt_model_put_distance(code, before, value[i]) -
				 code));
		before = value[i];
	}
	for (int i = 0; i < 2; i++)
		c.bytes[i] = (uint16_t)words[i].n;
	gen_put(&out, &c, sizeof(c));
	gen_put(&out, words[0].at, words[0].n);
	gen_put(&out, words[1].at, words[1].n);
	put_chunk(&out, MT_STREAM_SCANS, 0, log.at, log.n);
	gen_write(&out, path);
	free(words[0].at);
	free(words[1].at);
	free(log.at);
	free(out.at);
}

int main(int argc, char **argv)
{
	if (argc != 2)
		return 2;
	seed(argv[1], "one-thread",
	     &(struct sim_options){.seed = 1,
				   .threads = 1,
				   .events = 200,
				   .segment_events = 64,
				   .max_live = 20,
				   .step = 100});
	seed(argv[1], "four-threads",
	     &(struct sim_options){.seed = 2,
				   .threads = 4,
				   .events = 200,
				   .segment_events = 20,
				   .max_live = 20,
				   .step = 9,
				   .tick_shift = 4});
	seed(argv[1], "live",
	     &(struct sim_options){.seed = 3,
				   .threads = 3,
				   .events = 200,
				   .segment_events = 30,
				   .max_live = 20,
				   .step = 100,
				   .unended = true});
	seed(argv[1], "names",
	     &(struct sim_options){.seed = 4,
				   .threads = 1,
				   .events = 50,
				   .segment_events = 64,
				   .max_live = 20,
				   .step = 100});
	seed_image(path_in(argv[1], "streams-image"));
	seed_scan(path_in(argv[1], "streams-scan"));
	return 0;
}
