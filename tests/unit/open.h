/* SPDX-License-Identifier: MIT */
/* A generated trace on its way through the reader, by a file of its own. */
#ifndef TESTS_UNIT_OPEN_H
#define TESTS_UNIT_OPEN_H

#include <check.h>
#include <stdlib.h>
#include <unistd.h>

#include "gen.h"
#include "trace.h"

/* Write `file` out and open it as `t`; the case fails when it cannot be. */
static inline void open_generated(struct trace *t,
				  const struct gen_buffer *file)
{
	char path[] = "/tmp/memtrace_test.XXXXXX";
	struct error e = {0};
	int fd = mkstemp(path);

	ck_assert_int_ge(fd, 0);
	close(fd);
	gen_write(file, path);
	ck_assert_msg(trace_open(t, path, &e) == 0, "%s", e.text);
	unlink(path);
}

#endif
