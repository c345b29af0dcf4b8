/* SPDX-License-Identifier: MIT */
/* A directory for what nobody need see, below $TMPDIR. */
#ifndef ANALYZER_SCRATCH_H
#define ANALYZER_SCRATCH_H

/* Make one, and return its path, to be freed; NULL with errno. */
char *scratch_make(void);

/* Remove it and the files in it; what cannot be removed stays. */
void scratch_remove(const char *dir);

#endif
