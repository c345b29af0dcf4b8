/* SPDX-License-Identifier: MIT */
/*
 * The USDT probes: what a tracer outside the process is told of each block that
 * is recorded. They are what the OpenTelemetry eBPF profiler attaches to:
 *
 *   otel_memory:alloc(ptr, size, weighted_bytes)
 *   otel_memory:free(ptr)
 *
 * (its design document 00003, memory profiling). It reads the arguments from
 * the registers in which functions of the System V ABI get theirs, whatever the
 * note says of them; so each probe is the first thing in a function of its own.
 *
 * Who attaches adds 1 to the probe's semaphore, from outside. While it is 0 an
 * event costs a load and a branch, and nothing is made ready for the probe.
 */
#ifndef PRELOAD_PROBE_H
#define PRELOAD_PROBE_H

#include <stdint.h>

/* How many are attached; the names are <sys/sdt.h>'s. Hidden where they are
 * declared, too: so a hook has no need of the global offset table. */
#define MT_SEMAPHORE extern __attribute__((visibility("hidden"))) uint16_t
MT_SEMAPHORE otel_memory_alloc_semaphore;
MT_SEMAPHORE otel_memory_free_semaphore;

/* Tell of a block of `size` bytes that stands for so many. Context: any. */
void mt_probe_alloc(uint64_t address, uint64_t size, uint64_t weighted_bytes);

/* Tell that a block is about to be freed. Context: any. */
void mt_probe_free(uint64_t address);

#endif
