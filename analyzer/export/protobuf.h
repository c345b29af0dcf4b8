/* SPDX-License-Identifier: MIT */
/*
 * Protocol Buffers' wire format, as far as it is written here: varints and
 * length-delimited fields, proto3's rule that a 0 is not written.
 * Source: protobuf.dev, "Encoding".
 */
#ifndef ANALYZER_EXPORT_PROTOBUF_H
#define ANALYZER_EXPORT_PROTOBUF_H

#include <stddef.h>
#include <stdint.h>

/* A message so far. Zeroed is empty. */
struct protobuf {
	uint8_t *at;
	size_t count, room;
};

/* Append a bare varint, as packed fields hold them. */
void protobuf_put_varint(struct protobuf *b, uint64_t value);

/* Append an integer field, unless it is 0. */
void protobuf_put_int(struct protobuf *b, unsigned int field, uint64_t value);

/* Append a field of bytes or text, empty ones too. */
void protobuf_put_bytes(struct protobuf *b, unsigned int field,
			const void *bytes, size_t n);

/* Append a message, or a packed array, as a field, and empty it. */
void protobuf_put_message(struct protobuf *b, unsigned int field,
			  struct protobuf *message);

void protobuf_free(struct protobuf *b);

#endif
