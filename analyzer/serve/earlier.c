/* SPDX-License-Identifier: MIT */
/* Profiles of traces as they are now; see earlier.h. */
#include "earlier.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

/* What the fork writes of a profile, before its threads and rows. */
struct heading {
	size_t place; /* in the list */
	size_t rows, threads;
	unsigned int keys;
};

/* Write a profile. */
static void put(FILE *out, size_t place, const struct profile *p)
{
	struct heading h = {place, p->row_count, p->thread_count, p->keys};

	fwrite(&h, sizeof(h), 1, out);
	fwrite(p->threads, sizeof(*p->threads), h.threads, out);
	fwrite(p->rows, sizeof(*p->rows), h.rows, out);
}

/* Make and write the profiles, in the fork; ends it. */
static _Noreturn void make(FILE *out, struct served_list *l,
			   const struct served_from *from, unsigned int keys)
{
	for (size_t i = 0; i < l->count; i++)
		if (l->at[i].is_open && served_profile(&l->at[i], from, keys))
			put(out, i, &l->at[i].profile);
	_exit(fclose(out) != 0);
}

/* Read an array of `n`; false: it is not whole. */
static bool get_array(FILE *in, void *array, size_t size, size_t n)
{
	void **at = array;

	*at = util_alloc(n + 1, size);
	return fread(*at, size, n, in) == n;
}

/* Read a profile; false: there is none left. */
static bool get(FILE *in, struct earlier *e, const struct served_list *l)
{
	struct profile *p = &e->profile[e->count];
	struct heading h;

	if (fread(&h, sizeof(h), 1, in) != 1 || h.place >= l->count)
		return false;
	e->path[e->count++] =
		util_copy(l->at[h.place].path, strlen(l->at[h.place].path));
	p->keys = h.keys;
	if (!get_array(in, &p->threads, sizeof(*p->threads), h.threads) ||
	    !get_array(in, &p->rows, sizeof(*p->rows), h.rows))
		return false;
	p->thread_count = h.threads;
	p->row_count = h.rows;
	/* Its names were the fork's. */
	for (size_t i = 0; i < p->thread_count; i++)
		p->threads[i].name = NULL;
	return true;
}

void earlier_make(struct earlier *e, struct served_list *l,
		  const struct served_from *from, unsigned int keys)
{
	int fd = memfd_create("earlier", MFD_CLOEXEC);
	FILE *file = fd < 0 ? NULL : fdopen(fd, "w+");
	pid_t pid;

	*e = (struct earlier){
		.path = util_alloc(l->count + 1, sizeof(*e->path)),
		.profile = util_alloc(l->count + 1, sizeof(*e->profile)),
	};
	if (!file)
		abort();
	fflush(NULL);
	pid = fork();
	if (!pid)
		make(file, l, from, keys);
	if (pid > 0)
		waitpid(pid, NULL, 0);
	rewind(file);
	while (get(file, e, l))
		;
	fclose(file);
}

struct profile *earlier_find(const struct earlier *e, const char *path)
{
	for (size_t i = 0; i < e->count; i++)
		if (strcmp(e->path[i], path) == 0)
			return &e->profile[i];
	return NULL;
}

void earlier_free(struct earlier *e)
{
	for (size_t i = 0; i < e->count; i++) {
		free(e->path[i]);
		free(e->profile[i].rows);
		free(e->profile[i].threads);
	}
	free(e->path);
	free(e->profile);
	*e = (struct earlier){0};
}
