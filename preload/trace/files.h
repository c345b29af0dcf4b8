/* SPDX-License-Identifier: MIT */
/* The names of a run's two files, and how they come to be. */
#ifndef PRELOAD_FILES_H
#define PRELOAD_FILES_H

#include <stdbool.h>
#include <stdint.h>

#include "config.h"

/*
 * Make the absolute name of a trace, before collisions; `number` counts the
 * traces of this process. False: out= gives no name. Context: init.
 */
bool mt_files_name(const struct mt_config *config, const char *cwd,
		   uint32_t pid, uint32_t number, char trace[MT_PATH_BYTES]);

/*
 * Create the trace and its live file under the first name that is free, which
 * `trace` is then; 0 or errno. Context: init.
 */
int mt_files_create(const struct mt_config *config, char trace[MT_PATH_BYTES]);

#endif
