/* SPDX-License-Identifier: MIT */
/*
 * Names for code addresses: function, file and line, with the frames of
 * inlined functions, from the ELF and DWARF data of the modules.
 *
 * The analyzer's only use of elfutils, and of the demangler.
 */
#ifndef ANALYZER_SYM_H
#define ANALYZER_SYM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sym;

/* What there is to know about a module's addresses. */
enum sym_state {
	SYM_LINES,    /* debug info: functions, files and lines */
	SYM_NAMES,    /* a symbol table only */
	SYM_EXPORTS,  /* the exported functions only: it is stripped */
	SYM_MISSING,  /* the file is not there, or not to be read */
	SYM_MISMATCH, /* the file is of another build */
};

/* One frame. Strings live as long as the struct sym; NULL: not known. */
struct sym_frame {
	const char *function; /* demangled, without parameters */
	const char *linkage;  /* as the linker knows it */
	const char *file;
	uint32_t line; /* 0: not known */
};

/* Frames that one code address can stand for. */
#define SYM_MAX_FRAMES 64

struct sym_options;

/* `o` says where to look for files; NULL: where they were recorded. */
struct sym *sym_new(const struct sym_options *o);
void sym_free(struct sym *s);

/*
 * Make a module known and return its number, counted from 0. Its file is
 * opened at the first lookup. `path` is copied, and so is the build-id,
 * which must be the file's unless it has 0 bytes.
 */
size_t sym_add(struct sym *s, const char *path, const uint8_t *build_id,
	       size_t build_id_bytes);

/* Say what is known about a module; opens it. */
enum sym_state sym_module_state(struct sym *s, size_t module);

/*
 * Look up an address as the module's file has it. Fills `frame`, innermost
 * first, and returns their count: 0 when nothing is known.
 */
size_t sym_lookup(struct sym *s, size_t module, uint64_t address,
		  struct sym_frame frame[SYM_MAX_FRAMES]);

#endif
