/* SPDX-License-Identifier: MIT */
/* A plugin that allocates in its constructor and when asked to. */
#include "host.h"

void *plugin_work(size_t n);

static NOINLINE void *plugin_a_construct(void)
{
	return keep(malloc(51));
}

static NOINLINE void *plugin_a_work(size_t n)
{
	return keep(malloc(n));
}

static __attribute__((constructor)) void construct(void)
{
	free(plugin_a_construct());
}

void *plugin_work(size_t n)
{
	return keep(plugin_a_work(n));
}
