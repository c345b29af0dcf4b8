/* SPDX-License-Identifier: MIT */
/*
 * The canary; see selftest.h.
 *
 * The launcher is its own program under test: run again with a hidden word,
 * it loses so many blocks and keeps others. That is checked three times, with
 * limits that leave one answer each: nothing is planted and nothing may be
 * lost; N blocks are planted and N may be lost; N are planted and N - 1 may.
 * So neither a verdict that is always good nor one that is always bad passes,
 * nor one that counts wrong.
 */
#include "selftest.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <memtrace/memtrace.h>

#include "checked.h"
#include "child.h"
#include "scratch.h"
#include "util.h"

#define COMMAND "selftest"
#define PLANT "--plant"
#define BLOCKS 8
#define BLOCK_BYTES 1000

static const struct step {
	const char *planted; /* blocks */
	const char *allowed; /* blocks that may be lost */
	int want;	     /* the exit status */
	const char *wrong;   /* what another verdict means */
} steps[] = {
	{"0", "0", 0, "blocks that are not lost are called lost"},
	{"8", "8", 0, "more is called lost than was planted"},
	{"8", "7", CHECKED_BREACH, "a planted leak was not found"},
};

_Static_assert(BLOCKS == 8, "as in the steps");

/* Blocks that are not lost. */
static void *volatile kept[BLOCKS];

/* Lose a number of blocks. */
static __attribute__((noinline)) void selftest_lose(long blocks)
{
	void *volatile block;

	for (long i = 0; i < blocks; i++) {
		block = malloc(BLOCK_BYTES);
		if (block)
			memset(block, 1, BLOCK_BYTES);
		block = NULL;
	}
}

int selftest_is_planted(char *const *argv)
{
	return argv[1] && argv[2] && argv[3] && !strcmp(argv[1], COMMAND) &&
	       !strcmp(argv[2], PLANT);
}

int selftest_plant(char *const *argv)
{
	const char *preload = getenv("LD_PRELOAD");

	for (int i = 0; i < BLOCKS; i++)
		kept[i] = malloc(BLOCK_BYTES);
	selftest_lose(strtol(argv[3], NULL, 10));
	if (!memtrace_is_loaded())
		fprintf(stderr,
			"memtrace: the recorder was not loaded: LD_PRELOAD was "
			"%s\n",
			preload ? preload : "taken away");
	return 0;
}

/*
 * Check the planted program as a step says; return the exit status. What is
 * said is shown if that is not the one that is wanted.
 */
static int check_planted(const struct step *s, const char *self,
			 const char *dir)
{
	char *check = util_format("--check=max-leak-blocks=%s,max-leak-bytes="
				  "%ld",
				  s->allowed,
				  strtol(s->allowed, NULL, 10) * BLOCK_BYTES);
	char *out = util_format("--out=%s/%%n.%%p.zst", dir);
	const char *argv[] = {self,    check, out,	  "--", self,
			      COMMAND, PLANT, s->planted, NULL};
	int fd = memfd_create(COMMAND, MFD_CLOEXEC);
	int status = child_run(argv, fd);

	if (status != s->want)
		child_show(fd);
	close(fd);
	free(check);
	free(out);
	return status;
}

/* Say what is wrong and where to look; return the exit status. */
static int complain(const struct step *s, int status)
{
	const char *options = getenv("MEMTRACE");

	if (status == 0 || status == CHECKED_BREACH) {
		fprintf(stderr,
			"memtrace: SELFTEST FAILED: %s\n"
			"memtrace: do not trust a verdict here; look at the "
			"versions of memtrace,\n"
			"memtrace: memtrace-report and libmemtrace.so: are "
			"they of one build?\n",
			s->wrong);
		return CHECKED_BREACH;
	}
	fprintf(stderr,
		"memtrace: SELFTEST FAILED: nothing was judged, so a clean "
		"verdict here means nothing\n"
		"memtrace: the line above says why; look at libmemtrace.so "
		"beside memtrace or in ../lib,\n"
		"memtrace: at what the container or a seccomp filter forbids, "
		"and at MEMTRACE=%s\n",
		options ? options : "");
	return CHECKED_VACUOUS;
}

int selftest_run(const char *self)
{
	char *dir = scratch_make();
	int status = 0;

	if (!dir) {
		fprintf(stderr,
			"memtrace: SELFTEST FAILED: no directory in "
			"$TMPDIR: %s\n",
			strerror(errno));
		return CHECKED_VACUOUS;
	}
	/* What is planted is to have our limits and our status. */
	unsetenv("LSAN_OPTIONS");
	for (size_t i = 0; !status && i < sizeof(steps) / sizeof(*steps); i++) {
		int got = check_planted(&steps[i], self, dir);

		if (got != steps[i].want)
			status = complain(&steps[i], got);
	}
	scratch_remove(dir);
	free(dir);
	if (!status)
		printf("selftest passed: %d lost blocks were found, all of "
		       "them, and no others\n",
		       BLOCKS);
	return status;
}
