/* SPDX-License-Identifier: MIT */
/*
 * What the kinds of events are called, and which of them belong together.
 */
#ifndef ANALYZER_KINDS_H
#define ANALYZER_KINDS_H

/* Return the name of an enum mt_kind, or NULL. */
const char *kinds_name(unsigned int kind);

/* What gives a block must be of the family that takes it. */
enum kinds_family {
	FAMILY_NONE, /* mappings, and numbers that are no kind */
	FAMILY_MALLOC,
	FAMILY_NEW,
	FAMILY_NEW_ARRAY,
};

enum kinds_family kinds_family(unsigned int kind);

#endif
