/* SPDX-License-Identifier: MIT */
/* The test program itself, as a file to look symbols up in. */
#ifndef TESTS_UNIT_SELF_H
#define TESTS_UNIT_SELF_H

#include <check.h>
#include <link.h>
#include <stdint.h>
#include <unistd.h>

/* The file this program runs from, and where it is loaded. */
static char exe[4096];
static uint64_t self_bias;

static inline int self_find_bias(struct dl_phdr_info *info, size_t size,
				 void *arg)
{
	(void)size;
	(void)arg;
	self_bias = info->dlpi_addr;
	return 1;
}

/* Find them: a fixture. */
static inline void self_find(void)
{
	ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);

	ck_assert_int_gt(n, 0);
	exe[n] = '\0';
	dl_iterate_phdr(self_find_bias, NULL);
}

#endif
