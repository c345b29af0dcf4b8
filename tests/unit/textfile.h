/* SPDX-License-Identifier: MIT */
/* A file of text for a reader to be tested on, made anew for each test. */
#ifndef TESTS_UNIT_TEXTFILE_H
#define TESTS_UNIT_TEXTFILE_H

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char path[] = "/tmp/memtrace-test-XXXXXX";

static inline void textfile_make(void)
{
	int fd = mkstemp(path);

	ck_assert_int_ge(fd, 0);
	close(fd);
}

static inline void textfile_write(const char *text)
{
	FILE *f = fopen(path, "w");

	fputs(text, f);
	fclose(f);
}

#endif
