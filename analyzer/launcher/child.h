/* SPDX-License-Identifier: MIT */
/* Other programs, run to their end. */
#ifndef ANALYZER_CHILD_H
#define ANALYZER_CHILD_H

/*
 * Run a program (found in $PATH when argv[0] has no slash) and wait for it.
 * Its stdin is /dev/null; with an `fd` that is not -1, stdout and stderr go
 * there. Return its exit status, 128 and more when a signal ended it; -1 with
 * errno: it could not be run.
 */
int child_run(const char *const *argv, int fd);

/* Print on stderr what was written to `fd`, a file. */
void child_show(int fd);

#endif
