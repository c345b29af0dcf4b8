/* SPDX-License-Identifier: MIT */
/*
 * A file of ours in a program that may close any descriptor: kept at a high
 * number, and before each use held against the identity it had when created.
 * If the program closed it, or has its own file there now, ours is opened
 * again by its path. Where the limit on descriptors leaves no high number, it
 * is opened for each use.
 */
#ifndef PRELOAD_FILE_H
#define PRELOAD_FILE_H

#include <stdint.h>

#include "config.h"

struct mt_file {
	int fd; /* -1: not open */
	uint64_t id[2];
	char path[MT_PATH_BYTES]; /* absolute */
};

/* Create a file that must not exist yet; 0 or -errno. Context: init. */
int mt_file_create(struct mt_file *file, const char *path);

/*
 * A descriptor of the file for use now, or -1; to be given back to
 * mt_file_done(). Context: hook, the lock of the file's owner held.
 */
int mt_file_fd(struct mt_file *file);

/* The use of a descriptor is over. Context: hook; no lock needed. */
void mt_file_done(const struct mt_file *file, int fd);

/* Close it, if what is there is still ours. */
void mt_file_close(struct mt_file *file);

#endif
