/* SPDX-License-Identifier: MIT */
/* A piece of fuzz_streams' input; what is in its columns follows it. */
#ifndef TESTS_FUZZ_CHUNK_H
#define TESTS_FUZZ_CHUNK_H

#include <stdint.h>

struct chunk {
	uint64_t first;	   /* as struct mt_segment has it */
	uint32_t count;	   /* 0: the bytes of the first column */
	uint16_t bytes[2]; /* of each column */
	uint8_t stream;	   /* enum mt_stream */
	uint8_t thread;
	uint8_t reserved[6];
};

#endif
