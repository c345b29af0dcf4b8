/* SPDX-License-Identifier: MIT */
/*
 * Frames and commands as texts of one line, as the files of several tools have
 * them; frames as Valgrind writes them.
 */
#ifndef ANALYZER_EXPORT_ONELINE_H
#define ANALYZER_EXPORT_ONELINE_H

#include "profile.h"

/* Return `0xADDRESS: function (file:line)`, on one line; to be freed. */
char *oneline_frame(const struct frame *f);

/* Return the command, or the program's name, on one line; to be freed. */
char *oneline_command(const struct profile *p);

#endif
