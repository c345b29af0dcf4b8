/* SPDX-License-Identifier: MIT */
/*
 * What the kinds of events are called.
 */
#ifndef ANALYZER_KINDS_H
#define ANALYZER_KINDS_H

/* Return the name of an enum mt_kind, or NULL. */
const char *kinds_name(unsigned int kind);

#endif
