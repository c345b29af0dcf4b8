/* SPDX-License-Identifier: MIT */
/* The USDT probes; see probe.h. */
#include "probe.h"

/* Arguments stay in the registers they came in: clang would use the stack. */
#define STAP_SDT_ARG_CONSTRAINT r
#define _SDT_HAS_SEMAPHORES 1
#include <sys/sdt.h>

/* Tools look for semaphores in a section of this name. */
#define SEMAPHORE __attribute__((section(".probes")))

uint16_t otel_memory_alloc_semaphore SEMAPHORE;
uint16_t otel_memory_free_semaphore SEMAPHORE;

void mt_probe_alloc(uint64_t address, uint64_t size, uint64_t weighted_bytes)
{
	STAP_PROBE3(otel_memory, alloc, address, size, weighted_bytes);
}

void mt_probe_free(uint64_t address)
{
	STAP_PROBE1(otel_memory, free, address);
}
