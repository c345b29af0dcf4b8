/* SPDX-License-Identifier: MIT */
/*
 * End with a million live blocks of 256 bytes, in lists of a thousand, with two
 * pointers a block, all of them reachable but one list: what it costs to look
 * for leaks.
 */
#include <stdlib.h>

#define LISTS 1000
#define BLOCKS 1000
#define BYTES 256

static void **volatile list[LISTS];

static void **make_list(void)
{
	void **head = NULL;

	for (int i = 0; i < BLOCKS; i++) {
		void **block = malloc(BYTES);

		for (int j = 0; j < BYTES / 8; j++)
			block[j] = j % 16 ? NULL : head;
		head = block;
	}
	return head;
}

int main(void)
{
	for (int i = 0; i < LISTS; i++)
		list[i] = make_list();
	list[LISTS / 2] = NULL;
	return 0;
}
