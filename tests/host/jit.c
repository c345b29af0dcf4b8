/* SPDX-License-Identifier: MIT */
/*
 * Allocates from code that it makes at run time and names in perf-PID.map, in
 * the directory it is given, as JIT compilers do.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Make `void *f(void)`, which returns malloc(bytes); with a frame. */
static size_t compile(uint8_t *code, uint32_t bytes)
{
	static const uint8_t parts[] = {
		0x55,			/* push %rbp */
		0x48, 0x89, 0xe5,	/* mov %rsp,%rbp */
		0xbf, 0,    0,	  0, 0, /* mov $bytes,%edi */
		0x48, 0xb8, 0,	  0, 0, /* movabs $malloc,%rax */
		0,    0,    0,	  0, 0, /* ... */
		0xff, 0xd0,		/* call *%rax */
		0x5d,			/* pop %rbp */
		0xc3,			/* ret */
	};
	void *(*function)(size_t) = malloc;

	memcpy(code, parts, sizeof(parts));
	memcpy(code + 5, &bytes, sizeof(bytes));
	memcpy(code + 11, &function, sizeof(function));
	return sizeof(parts);
}

int main(int argc, char **argv)
{
	uint8_t *code = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char path[4096];
	FILE *f;

	if (argc != 2 || code == MAP_FAILED)
		return 2;
	snprintf(path, sizeof(path), "%s/perf-%d.map", argv[1], getpid());
	f = fopen(path, "w");
	if (!f)
		return 2;
	fprintf(f, "%lx 40 stale\n", (unsigned long)code);
	for (uint32_t i = 0; i < 2; i++) {
		uint8_t *at = code + i * 64;
		void *(*made)(void);

		fprintf(f, "%lx %zx jit function %u\n", (unsigned long)at,
			compile(at, 1000 + i), i);
		memcpy(&made, &at, sizeof(made));
		free(made());
	}
	return fclose(f) != 0;
}
