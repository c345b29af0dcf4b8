/* SPDX-License-Identifier: MIT */
/*
 * Write the seeds of the corpus: small whole traces, ended and not.
 *
 *   seed DIRECTORY
 */
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

/* Write one seed, with its live file behind it when it is not ended. */
static void seed(const char *directory, const char *name,
		 const struct sim_options *o)
{
	struct gen_buffer live = {0};
	char path[4096];

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	sim_run(o, &gen, &expected, NULL, NULL);
	if (strcmp(name, "names") == 0)
		add_names();
	if (o->unended) {
		gen_live(&gen, MT_END_NONE, &live);
		gen_put(&gen.file, live.at, live.n);
	}
	gen_write(&gen.file, path);
	gen_free(&gen);
	free(live.at);
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
	return 0;
}
