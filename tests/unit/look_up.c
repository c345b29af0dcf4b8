/* SPDX-License-Identifier: MIT */
/*
 * Looks up addresses of a file, for tests and benchmarks of sym.h.
 *
 *   look_up [-s SYSROOT] [-d DEBUG_PATH] [-b BUILD_ID] FILE [ADDRESS...]
 *   look_up ... -r START,STEP,COUNT FILE
 *
 * Prints the module's state and a line for each frame; with -r, which looks
 * many addresses up at once, the counts of addresses, of frames, of those with
 * a function and of those with a line.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sym.h"
#include "util.h"

static const char *const states[] = {
	[SYM_LINES] = "lines",	     [SYM_NAMES] = "names",
	[SYM_EXPORTS] = "exports",   [SYM_MISSING] = "missing",
	[SYM_MISMATCH] = "mismatch",
};

/* Read a build-id; return its length. */
static size_t parse_hex(const char *text, uint8_t *bytes, size_t room)
{
	size_t n = 0;

	for (; n < room && sscanf(text + 2 * n, "%2hhx", &bytes[n]) == 1; n++)
		if (!text[2 * n + 1])
			break;
	return n;
}

static const char *shown(const char *text)
{
	return text ? text : "?";
}

/* Print the frames of an address. */
static void print(struct sym *s, size_t module, uint64_t address)
{
	struct sym_frame frame[SYM_MAX_FRAMES];
	size_t n = sym_lookup(s, module, address, frame);

	if (!n)
		printf("0x%" PRIx64 " ?\n", address);
	for (size_t i = 0; i < n; i++)
		printf("0x%" PRIx64 " %s %s %s:%" PRIu32 "\n", address,
		       shown(frame[i].function), shown(frame[i].linkage),
		       shown(frame[i].file), frame[i].line);
}

/* Look up many addresses and print what sums them up. */
static void print_range(struct sym *s, size_t module, uint64_t start,
			uint64_t step, size_t count)
{
	uint64_t *addresses = util_alloc(count, sizeof(*addresses));
	struct sym_frame frame[SYM_MAX_FRAMES];
	size_t frames = 0, functions = 0, lines = 0;

	for (size_t i = 0; i < count; i++)
		addresses[i] = start + i * step;
	sym_prefetch(s, module, addresses, count);
	for (size_t i = 0; i < count; i++) {
		size_t n = sym_lookup(s, module, addresses[i], frame);

		frames += n;
		for (size_t j = 0; j < n; j++) {
			lines += frame[j].line != 0;
			functions += frame[j].function != NULL;
		}
	}
	printf("%zu addresses %zu frames %zu functions %zu lines\n", count,
	       frames, functions, lines);
	free(addresses);
}

int main(int argc, char **argv)
{
	struct sym_options o = {.cache = true};
	uint64_t start = 0, step = 0;
	size_t module, count = 0, build_id_bytes = 0;
	uint8_t build_id[64];
	struct sym *s;
	int c;

	while ((c = getopt(argc, argv, "s:d:b:r:")) != -1) {
		if (c == 's')
			o.sysroot = optarg;
		else if (c == 'd')
			o.debug_path = optarg;
		else if (c == 'b')
			build_id_bytes =
				parse_hex(optarg, build_id, sizeof(build_id));
		else if (c != 'r' ||
			 sscanf(optarg, "%" SCNi64 ",%" SCNi64 ",%zu", &start,
				&step, &count) != 3)
			return 2;
	}
	if (optind == argc)
		return 2;
	s = sym_new(&o);
	module = sym_add(s, argv[optind], build_id, build_id_bytes);
	printf("%s\n", states[sym_module_state(s, module)]);
	if (count)
		print_range(s, module, start, step, count);
	while (++optind < argc)
		print(s, module, strtoull(argv[optind], NULL, 0));
	sym_free(s);
	return 0;
}
