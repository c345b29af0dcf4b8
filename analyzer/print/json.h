/* SPDX-License-Identifier: MIT */
/*
 * JSON's texts: what all that write JSON share.
 */
#ifndef ANALYZER_JSON_H
#define ANALYZER_JSON_H

#include <stddef.h>
#include <stdio.h>

/* Write `n` bytes as a JSON string; what is not UTF-8 becomes U+FFFD. */
void json_put_bytes(FILE *out, const char *text, size_t n);

/* Write a string, or null. */
void json_put_text(FILE *out, const char *text);

/* Write a command's arguments, a NUL behind each, as an array. */
void json_put_command(FILE *out, const char *command, size_t bytes);

#endif
