/* SPDX-License-Identifier: MIT */
/* From where blocks can be reached: data, TLS, mappings, modules. */
#define _GNU_SOURCE
#include "case.h"

#include <dlfcn.h>
#include <libgen.h>
#include <pthread.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <unistd.h>

static __thread void *volatile in_tls;
static __thread void *volatile in_tls_data = (void *)8;
static void *volatile in_data = (void *)8;
void *volatile exported;

/* Open the plugin that lies beside the program. */
static OUTLINE void *open_plugin(void)
{
	char path[4096] = "";

	if (readlink("/proc/self/exe", path, sizeof(path) - 16) < 0)
		abort();
	dirname(path);
	return dlopen(strcat(path, "/plugin.so"), RTLD_NOW);
}

/* Call a function of the plugin. */
static OUTLINE void *call_plugin(void *plugin, const char *name, size_t size)
{
	void *(*f)(size_t) = (void *(*)(size_t))dlsym(plugin, name);

	return f ? f(size) : NULL;
}

/* Expect: none */
CASE(keep_in_data)
{
	in_data = make(32);
}

/* Expect: none */
CASE(keep_in_bss)
{
	static void *volatile deep[100000];

	deep[99999] = make(32);
}

/* Expect: none */
CASE(keep_exported)
{
	exported = list(3, 32);
}

/* Expect: none */
CASE(keep_in_tls)
{
	in_tls = make(24);
}

/* Expect: none */
CASE(keep_in_tls_data)
{
	in_tls_data = list(3, 24);
}

/* Expect: definite 1 block 24 bytes in make */
CASE(lose_from_tls)
{
	in_tls = make(24);
	in_tls = NULL;
}

/* Expect: none */
CASE(keep_in_specific)
{
	pthread_key_t k;

	pthread_key_create(&k, NULL);
	pthread_setspecific(k, make(32));
}

/* Expect: none */
CASE(keep_in_late_specific)
{
	pthread_key_t k;

	for (int i = 0; i < 200; i++)
		pthread_key_create(&k, NULL);
	pthread_setspecific(k, list(4, 32));
}

/* Expect: definite 1 block 32 bytes in make */
CASE(lose_from_specific)
{
	pthread_key_t k;

	pthread_key_create(&k, NULL);
	pthread_setspecific(k, make(32));
	pthread_setspecific(k, NULL);
}

/* Expect: none */
CASE(keep_in_mapping)
{
	kept = map_pages(1);
	*(void **)kept = make(64);
}

/* Expect: none */
CASE(keep_in_wide_mapping)
{
	void **pages = map_pages(1 << 18);

	pages[(1 << 18) * 256] = list(3, 64);
	kept = pages;
}

/* Expect: none */
CASE(keep_in_unreachable_mapping)
{
	map_pages(16)[5000] = make(64);
}

/* Expect: definite 1 block 100 bytes in make */
CASE(lose_turned_in_mapping)
{
	map_pages(1)[0] = turned(make(100));
}

/* Expect: definite 1 block 100 bytes in make */
CASE(lose_unmapped)
{
	void **page = map_pages(1);

	page[0] = make(100);
	munmap(page, 4096);
}

/* Expect: none */
CASE(keep_in_shared_mapping)
{
	kept = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	*(void **)kept = make(64);
}

/* Expect: none */
CASE(keep_in_shm)
{
	int id = shmget(IPC_PRIVATE, 4096, 0600);
	void **page = shmat(id, NULL, 0);

	shmctl(id, IPC_RMID, NULL);
	page[10] = make(64);
}

/* Expect: none */
CASE(keep_in_file_mapping)
{
	FILE *file = tmpfile();

	if (ftruncate(fileno(file), 8192))
		abort();
	kept = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE,
		    fileno(file), 0);
	fclose(file);
	((void **)kept)[600] = make(64);
}

/* Expect: none */
CASE(keep_in_memfd)
{
	int fd = memfd_create("pages", 0);

	if (ftruncate(fd, 4096))
		abort();
	kept = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	((void **)kept)[6] = make(64);
}

/* Expect: none */
CASE(keep_in_read_only_page)
{
	void **page = map_pages(1);

	page[3] = make(64);
	mprotect(page, 4096, PROT_READ);
	kept = page;
}

/* Expect: none */
CASE(keep_in_plugin)
{
	call_plugin(open_plugin(), "plugin_keep", 48);
}

/* Expect: none */
CASE(keep_in_plugin_tls)
{
	call_plugin(open_plugin(), "plugin_keep_in_tls", 48);
}

/* Expect: definite 1 block 48 bytes in plugin_make */
CASE(lose_in_plugin)
{
	kept = call_plugin(open_plugin(), "plugin_make", 48);
	kept = NULL;
}

/* Expect: definite 1 block 48 bytes in plugin_keep */
CASE(lose_in_closed_plugin)
{
	void *plugin = open_plugin();

	call_plugin(plugin, "plugin_keep", 48);
	dlclose(plugin);
}

/* Expect: none */
CASE(free_in_closed_plugin)
{
	void *plugin = open_plugin();

	call_plugin(plugin, "plugin_free_at_close", 48);
	dlclose(plugin);
}

/* Expect: none */
CASE(reopen_plugin)
{
	for (int i = 0; i < 20; i++) {
		void *plugin = open_plugin();

		free(call_plugin(plugin, "plugin_make", 48));
		dlclose(plugin);
	}
}

/* Expect: none */
CASE(keep_handle)
{
	kept = open_plugin();
}

/* Expect: none */
CASE(fail_dlopen)
{
	if (!dlopen("/nowhere/to/be/found.so", RTLD_NOW))
		kept = dlerror();
}

/* Expect: none */
CASE(keep_in_plugin_tls_of_thread)
{
	void *plugin = open_plugin();
	pthread_t t;
	void *(*f)(void *) = (void *(*)(void *))dlsym(plugin, "plugin_thread");

	pthread_create(&t, NULL, f, (void *)48);
	usleep(20000);
}
