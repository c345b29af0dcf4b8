/* SPDX-License-Identifier: MIT */
/*
 * The same code as libplugin_a.c under other names, so that it can come to
 * stand at the same addresses.
 */
#include "host.h"

void *plugin_work(size_t n);

static NOINLINE void *plugin_b_construct(void)
{
	return keep(malloc(52));
}

static NOINLINE void *plugin_b_work(size_t n)
{
	return keep(malloc(n));
}

static __attribute__((constructor)) void construct(void)
{
	free(plugin_b_construct());
}

void *plugin_work(size_t n)
{
	return keep(plugin_b_work(n));
}
