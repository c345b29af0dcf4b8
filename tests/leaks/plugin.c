/* SPDX-License-Identifier: MIT */
/* The module that roots.c opens and closes; it has data and TLS of its own. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void *volatile kept, *volatile freed_at_close;
static __thread void *volatile in_tls;
/* Too large for what the loader has to spare in static TLS. */
static __thread char room[8192];

__attribute__((noinline)) void *plugin_make(size_t size)
{
	void *volatile block = malloc(size);

	memset(block, 0, size);
	return block;
}

void *plugin_keep(size_t size)
{
	kept = malloc(size);
	return NULL;
}

void *plugin_keep_in_tls(size_t size)
{
	room[100] = 1;
	in_tls = malloc(size);
	return NULL;
}

void *plugin_thread(void *size)
{
	plugin_keep_in_tls((size_t)size);
	for (;;)
		pause();
}

void *plugin_free_at_close(size_t size)
{
	freed_at_close = malloc(size);
	return NULL;
}

__attribute__((destructor)) static void close_plugin(void)
{
	free(freed_at_close);
}
