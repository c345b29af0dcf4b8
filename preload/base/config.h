/* SPDX-License-Identifier: MIT */
/* $MEMTRACE: what the user asked for. Pure: no state, no system calls. */
#ifndef PRELOAD_CONFIG_H
#define PRELOAD_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MT_PATH_BYTES 4096

/* One member a key of include/memtrace/options.h. */
struct mt_config {
	char out[MT_PATH_BYTES];
	char live[MT_PATH_BYTES];
	bool start;
	bool follow;
	bool mmap;
	bool frees;
	bool leaks;
	int64_t signal;
	int64_t size;	/* bytes */
	int64_t limit;	/* the same */
	int64_t sample; /* bytes */
	int64_t seed;
	int64_t level;
};

/*
 * Parse `text` ("key=value,..."; NULL counts as "") over the defaults into
 * `config`. False: a key or a value is wrong, and `error` holds one line
 * that names it and the nearest right one. Context: any.
 */
bool mt_config_parse(struct mt_config *config, const char *text, char *error,
		     size_t error_size);

#endif
