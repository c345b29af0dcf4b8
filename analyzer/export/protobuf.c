/* SPDX-License-Identifier: MIT */
/* Protocol Buffers' wire format; see protobuf.h. */
#include "protobuf.h"

#include <stdlib.h>
#include <string.h>

#include "util.h"

/* The wire types. */
#define WIRE_VARINT 0u
#define WIRE_BYTES 2u

#define VARINT_MAX_BYTES 10

/* Make room for `n` more bytes. */
static void make_room(struct protobuf *b, size_t n)
{
	if (b->room - b->count >= n)
		return;
	b->room = (b->count + n) * 2;
	b->at = util_resize(b->at, b->room, 1);
}

void protobuf_put_varint(struct protobuf *b, uint64_t value)
{
	make_room(b, VARINT_MAX_BYTES);
	while (value >= 0x80) {
		b->at[b->count++] = (uint8_t)(value | 0x80);
		value >>= 7;
	}
	b->at[b->count++] = (uint8_t)value;
}

void protobuf_put_int(struct protobuf *b, unsigned int field, uint64_t value)
{
	if (!value)
		return;
	protobuf_put_varint(b, field << 3 | WIRE_VARINT);
	protobuf_put_varint(b, value);
}

void protobuf_put_bytes(struct protobuf *b, unsigned int field,
			const void *bytes, size_t n)
{
	protobuf_put_varint(b, field << 3 | WIRE_BYTES);
	protobuf_put_varint(b, n);
	make_room(b, n);
	if (n)
		memcpy(b->at + b->count, bytes, n);
	b->count += n;
}

void protobuf_put_message(struct protobuf *b, unsigned int field,
			  struct protobuf *message)
{
	protobuf_put_bytes(b, field, message->at, message->count);
	message->count = 0;
}

void protobuf_free(struct protobuf *b)
{
	free(b->at);
	*b = (struct protobuf){0};
}
