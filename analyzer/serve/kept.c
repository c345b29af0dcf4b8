/* SPDX-License-Identifier: MIT */
/*
 * What metrics said of traces; see kept.h. Who reads or writes a place takes
 * it with one atomic step. A process that is killed meanwhile costs a place,
 * which is passed over from then on, and nobody waits for it.
 */
#include "kept.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

/* The longest unused goes when there are more traces. */
#define PLACES 1024

enum state { FREE, TAKEN, WHOLE };

struct place {
	unsigned int state; /* enum state */
	uint64_t used;	    /* a number that grows */
	struct kept_file file;
	struct metrics metrics;
};

struct kept {
	uint64_t clock;
	struct place at[PLACES];
};

struct kept *kept_new(void)
{
	void *p = mmap(NULL, sizeof(struct kept), PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

bool kept_identify(struct kept_file *file, const char *path)
{
	struct stat st;

	if (stat(path, &st))
		return false;
	*file = (struct kept_file){st.st_dev, st.st_ino, (uint64_t)st.st_size,
				   (uint64_t)st.st_mtim.tv_sec,
				   (uint64_t)st.st_mtim.tv_nsec};
	return true;
}

/* Take a place; false: it is in another state. */
static bool take(struct place *p, unsigned int state)
{
	return __atomic_compare_exchange_n(&p->state, &state, TAKEN, false,
					   __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

/* Give a place back that has something in it. */
static void give(struct kept *k, struct place *p)
{
	p->used = __atomic_add_fetch(&k->clock, 1, __ATOMIC_RELAXED);
	__atomic_store_n(&p->state, WHOLE, __ATOMIC_RELEASE);
}

bool kept_get(struct kept *k, const struct kept_file *file, struct metrics *m)
{
	bool found = false;

	for (size_t i = 0; k && i < PLACES && !found; i++) {
		struct place *p = &k->at[i];

		if (memcmp(&p->file, file, sizeof(*file)) != 0 ||
		    !take(p, WHOLE))
			continue;
		/* Another may have come in between. */
		found = memcmp(&p->file, file, sizeof(*file)) == 0 &&
			p->metrics.is_final;
		if (found)
			*m = p->metrics;
		give(k, p);
	}
	return found;
}

/* Tell whether a place is of the process that metrics are of. */
static bool is_of(const struct place *p, const struct kept_file *file,
		  const struct metrics *m)
{
	return p->file.device == file->device && p->file.inode == file->inode &&
	       p->metrics.started_ns == m->started_ns &&
	       strcmp(p->metrics.labels, m->labels) == 0;
}

/* Return the place of a file's metrics: that of earlier ones, else a free one,
 * else the one that was longest not used. */
static struct place *place_of(struct kept *k, const struct kept_file *file,
			      const struct metrics *m)
{
	struct place *best = &k->at[0];

	for (size_t i = 0; i < PLACES; i++) {
		struct place *p = &k->at[i];

		if (p->state == TAKEN)
			continue;
		if (p->state == WHOLE && is_of(p, file, m))
			return p;
		if (best->state != FREE &&
		    (p->state == FREE || p->used < best->used))
			best = p;
	}
	return best;
}

void kept_put(struct kept *k, const struct kept_file *file, struct metrics *m)
{
	struct place *p;

	if (!k)
		return;
	p = place_of(k, file, m);
	if (!take(p, WHOLE)) {
		if (!take(p, FREE))
			return;
	} else if (is_of(p, file, m)) {
		metrics_raise(m, &p->metrics);
	}
	p->file = *file;
	p->metrics = *m;
	give(k, p);
}
