/* SPDX-License-Identifier: MIT */
/*
 * What is known about a code address: the frames that it stands for.
 */
#ifndef ANALYZER_SYMFRAME_H
#define ANALYZER_SYMFRAME_H

#include <stdint.h>

#include <memtrace/format.h>

/* What there is to know about a module's addresses. */
enum sym_state {
	SYM_LINES,    /* debug info: functions, files and lines */
	SYM_NAMES,    /* a symbol table only */
	SYM_EXPORTS,  /* the exported functions only: it is stripped */
	SYM_MISSING,  /* the file is not there, or not to be read */
	SYM_MISMATCH, /* the file is of another build */
};

_Static_assert((int)SYM_LINES == MT_NAMES_LINES &&
		       (int)SYM_MISMATCH == MT_NAMES_MISMATCH,
	       "these are in traces");

/* One frame; NULL: not known. */
struct sym_frame {
	const char *function; /* demangled, without parameters */
	const char *linkage;  /* as the linker knows it */
	const char *file;
	uint32_t line; /* 0: not known */
};

/* Frames that one code address can stand for. */
#define SYM_MAX_FRAMES 64

#endif
