/* SPDX-License-Identifier: MIT */
/*
 * How far a profile is to be trusted: how the program ended, what was lost of
 * it, what does not fit together, and what an import could not know.
 */
#ifndef ANALYZER_TRUST_H
#define ANALYZER_TRUST_H

#include "profile.h"

/* Hear a line, for people; `text` is gone afterwards. */
typedef void trust_hear(void *context, const char *text);

/* Tell all that there is to say of a profile, always in the same order. */
void trust_tell(const struct profile *p, trust_hear *line, void *context);

#endif
