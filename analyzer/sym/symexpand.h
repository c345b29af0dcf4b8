/* SPDX-License-Identifier: MIT */
/*
 * A file whose sections are compressed (gcc -gz), made into one in which they
 * are not.
 *
 * libelf expands a section into memory, where it stays as long as the file is
 * open; what is mapped from a file can be given back.
 */
#ifndef ANALYZER_SYMEXPAND_H
#define ANALYZER_SYMEXPAND_H

/*
 * Return the file that is open as `fd` (-1: there is none) with its sections
 * expanded, and close `fd`. The new file has no name and goes when it is
 * closed; it is in $TMPDIR, else in /var/tmp. Returns `fd` itself when nothing
 * is compressed, or that can't be done: what is given up is memory.
 */
int symexpand(int fd);

#endif
