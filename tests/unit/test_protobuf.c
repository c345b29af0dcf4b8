/* SPDX-License-Identifier: MIT */
/*
 * The wire format is the one of the Encoding document: its own examples, the
 * ends of varints, a 0 that is not written, messages in messages.
 */
#include <string.h>

#include "export/protobuf.h"
#include "suite.h"

/* Compare a message with bytes, and empty it. */
static void expect(struct protobuf *b, const void *bytes, size_t n)
{
	ck_assert_uint_eq(b->count, n);
	ck_assert_mem_eq(b->at, bytes, n);
	protobuf_free(b);
}

static const struct {
	uint64_t value;
	const char *bytes;
	size_t n;
} varints[] = {
	{0, "\0", 1},
	{1, "\x01", 1},
	{127, "\x7f", 1},
	{128, "\x80\x01", 2},
	{150, "\x96\x01", 2},
	{UINT64_MAX, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 10},
};

START_TEST(varints_are_coded)
{
	struct protobuf b = {0};

	protobuf_put_varint(&b, varints[_i].value);
	expect(&b, varints[_i].bytes, varints[_i].n);
}
END_TEST

START_TEST(fields_are_tagged)
{
	struct protobuf b = {0}, inner = {0};

	protobuf_put_int(&b, 1, 150);
	protobuf_put_int(&b, 9, 0);
	protobuf_put_bytes(&b, 2, "testing", 7);
	protobuf_put_bytes(&b, 6, "", 0);
	protobuf_put_int(&inner, 1, 150);
	protobuf_put_message(&b, 3, &inner);
	ck_assert_uint_eq(inner.count, 0);
	protobuf_put_int(&b, 16, 1);
	expect(&b,
	       "\x08\x96\x01\x12\x07testing\x32\0\x1a\x03\x08\x96\x01"
	       "\x80\x01\x01",
	       22);
	protobuf_free(&inner);
}
END_TEST

static void add(TCase *c)
{
	tcase_add_loop_test(c, varints_are_coded, 0, COUNT(varints));
	tcase_add_test(c, fields_are_tagged);
}

int main(void)
{
	return suite_main("protobuf", add);
}
