/* SPDX-License-Identifier: MIT */
/*
 * Fingerprints: what names a stack in every build and run of a program.
 *
 * It is the program's own frames, innermost first, each once: the base name of
 * the module (of a library without its version) and the demangled function.
 * No line, no address, no frame of the allocator, its wrappers or a language's
 * library, unless there are no others; so an edited line, a rebuild, another
 * directory, or a deeper recursion make no other fingerprint.
 */
#ifndef ANALYZER_FINGERPRINT_H
#define ANALYZER_FINGERPRINT_H

#include "stacks.h"

/* Digits and a NUL. */
#define FINGERPRINT_TEXT 17

/*
 * Return a stack's frames as text, "app!make < app!main"; one of no name is
 * "app!?", a stack without any is "?". Free it.
 */
char *fingerprint_frames(struct stacks *s, uint32_t node);

/* Write the hash of such a text (64-bit FNV-1a, as hex digits) into `to`. */
const char *fingerprint_hash(char to[FINGERPRINT_TEXT], const char *frames);

#endif
