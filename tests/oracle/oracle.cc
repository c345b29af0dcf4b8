// SPDX-License-Identifier: MIT
/*
 * oracle THREADS OPERATIONS LOG: threads that call every allocation function
 * at random, succeeding and failing, hand blocks to each other, and keep a
 * log of what they did and got. Then, two by two, one allocates and the other
 * resizes and frees, one block at a time, so that threads are given again the
 * address they were given last. The log goes to LOG once all is done; nothing
 * between a thread's first and last operation allocates but what is logged.
 * compare.py holds the log against the trace, event by event.
 *
 * A line of LOG: TID KIND ADDRESS SIZE ALIGNMENT, in the kinds and the order
 * that the trace is to have them in. A size of "-" is not laid down. A line
 * "throws" or "may_throw" before a failed operator new says that an exception
 * is allocated and freed around it, or may be, inside the C++ library.
 */
/* Build: -fno-inline -std=gnu++17 -fsized-deallocation */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <new>

#define MAX_THREADS 256
#define BLOCKS 200
#define MAIL 64
/* How many blocks of a size are handed over one after the other: more than
 * glibc's cache of a thread keeps of it, the rest goes back to the giver. */
#define RALLY 48
#define PAGE_BYTES 4096
#define ANY_SIZE ((size_t)-1)

/* The first block of a thread has a size that tells it from all others. */
#define FIRST_BYTES 1000003

struct op {
	const char *kind;
	uintptr_t address;
	size_t size;
	size_t align;
};

/* By which functions a block may be freed. */
enum family { C, NEW, NEW_ARRAY };

struct block {
	void *p;
	size_t size;
	size_t align;
	enum family family;
};

struct thread {
	pthread_t id;
	pid_t tid;
	unsigned int index;
	uint64_t random;
	size_t size; /* to be drawn, or 0: any */
	struct op *ops;
	size_t count;
	struct block block[BLOCKS];
};

/* Where a thread leaves a block for any other. */
struct mail {
	std::atomic_flag taken = ATOMIC_FLAG_INIT;
	struct block block;
};

/* Where two threads hand over one block at a time. */
struct pair {
	sem_t turn[2];
	struct block block;
};

static struct thread threads[MAX_THREADS];
static struct mail mails[MAIL];
static struct pair pairs[MAX_THREADS / 2];
static unsigned int thread_count;
static size_t operations;
static pthread_barrier_t barrier;
static volatile size_t huge = (size_t)-1 / 4;
static void (*cfree_fn)(void *);
static void (*free_sized_fn)(void *, size_t);
static void (*free_aligned_sized_fn)(void *, size_t, size_t);

static uint64_t draw(struct thread *t, uint64_t below)
{
	t->random ^= t->random << 13;
	t->random ^= t->random >> 7;
	t->random ^= t->random << 17;
	return (t->random >> 11) % below;
}

/* Draw a size: mostly small, 0 at times, some so large that they are mapped. */
static size_t draw_size(struct thread *t)
{
	if (t->size)
		return t->size;
	switch (draw(t, 16)) {
	case 0:
		return 0;
	case 1:
		return draw(t, 300000);
	case 2:
	case 3:
		return draw(t, 8000);
	default:
		return draw(t, 400);
	}
}

static size_t draw_align(struct thread *t)
{
	return (size_t)16 << draw(t, 9);
}

static void log_op(struct thread *t, const char *kind, void *p, size_t size,
		   size_t align)
{
	struct op *op = &t->ops[t->count++];

	op->kind = kind;
	op->address = (uintptr_t)p;
	op->size = size;
	op->align = align;
}

/* Log an allocation that must have come, or failed, as foreseen. */
static void log_alloc(struct thread *t, const char *kind, void *p, size_t size,
		      size_t align, bool fails)
{
	if (!p != fails) {
		static const char text[] = "oracle: unforeseen result\n";

		if (write(2, text, sizeof(text) - 1) > 0)
			write(2, kind, strlen(kind));
		_exit(1);
	}
	log_op(t, kind, p, size, align);
}

/* Call a C allocation function. */
static void alloc_c(struct thread *t, struct block *b)
{
	size_t size = b->size = draw_size(t), n;
	int error;

	b->family = C;
	b->align = 0;
	switch (draw(t, 10)) {
	case 0:
		n = draw(t, 9);
		b->p = calloc(n, size);
		b->size = n * size;
		log_alloc(t, "calloc", b->p, n * size, 0, false);
		break;
	case 1:
		b->p = realloc(NULL, size);
		log_alloc(t, "realloc", b->p, size, 0, false);
		break;
	case 2:
		n = 1 + draw(t, 9);
		b->p = reallocarray(NULL, n, size);
		b->size = n * size;
		log_alloc(t, "reallocarray", b->p, n * size, 0, false);
		break;
	case 3:
		b->align = draw_align(t);
		b->p = NULL;
		error = posix_memalign(&b->p, b->align, size);
		log_alloc(t, "posix_memalign", b->p, size, b->align, error);
		break;
	case 4:
		b->align = draw_align(t);
		b->p = aligned_alloc(b->align, size);
		log_alloc(t, "aligned_alloc", b->p, size, b->align, false);
		break;
	case 5:
		b->align = draw_align(t);
		b->p = memalign(b->align, size);
		log_alloc(t, "memalign", b->p, size, b->align, false);
		break;
	case 6:
		b->p = valloc(size);
		log_alloc(t, "valloc", b->p, size, PAGE_BYTES, false);
		break;
	case 7:
		b->p = pvalloc(size);
		log_alloc(t, "pvalloc", b->p, size, PAGE_BYTES, false);
		break;
	default:
		b->p = malloc(size);
		log_alloc(t, "malloc", b->p, size, 0, false);
	}
	if (b->p && size)
		memset(b->p, 0xa5, b->size);
}

/* Call a form of operator new. */
static void alloc_new(struct thread *t, struct block *b)
{
	size_t size = b->size = draw_size(t);
	uint64_t form = draw(t, 8);
	std::align_val_t align;

	b->align = form & 2 ? draw_align(t) : 0;
	b->family = form & 1 ? NEW_ARRAY : NEW;
	align = (std::align_val_t)b->align;
	switch (form) {
	case 0:
		b->p = ::operator new(size);
		break;
	case 1:
		b->p = ::operator new[](size);
		break;
	case 2:
		b->p = ::operator new(size, align);
		break;
	case 3:
		b->p = ::operator new[](size, align);
		break;
	case 4:
		b->p = ::operator new(size, std::nothrow);
		break;
	case 5:
		b->p = ::operator new[](size, std::nothrow);
		break;
	case 6:
		b->p = ::operator new(size, align, std::nothrow);
		break;
	default:
		b->p = ::operator new[](size, align, std::nothrow);
	}
	log_alloc(t, b->family == NEW ? "new" : "new[]", b->p, size, b->align,
		  false);
}

/* Call a throwing form of operator new for more than there is. */
static void fail_throwing(struct thread *t)
{
	uint64_t form = draw(t, 4);
	const char *kind = form & 1 ? "new[]" : "new";
	size_t align = form & 2 ? draw_align(t) : 0;
	size_t at = t->count;
	void *p = NULL;

	log_op(t, "throws", NULL, 0, 0);
	log_op(t, kind, NULL, huge, align);
	try {
		if (form == 0)
			p = ::operator new(huge);
		else if (form == 1)
			p = ::operator new[](huge);
		else if (form == 2)
			p = ::operator new(huge, (std::align_val_t)align);
		else
			p = ::operator new[](huge, (std::align_val_t)align);
	} catch (const std::bad_alloc &e) {
		/* The exception itself tells compare.py where it was. */
		t->ops[at].address = (uintptr_t)&e;
	}
	if (p)
		_exit(1);
}

/* Call a nothrow form of operator new for more than there is. */
static void fail_nothrow(struct thread *t)
{
	uint64_t form = draw(t, 4);
	size_t align = form & 2 ? draw_align(t) : 0;
	void *p;

	log_op(t, "may_throw", NULL, 0, 0);
	if (form == 0)
		p = ::operator new(huge, std::nothrow);
	else if (form == 1)
		p = ::operator new[](huge, std::nothrow);
	else if (form == 2)
		p = ::operator new(huge, (std::align_val_t)align, std::nothrow);
	else
		p = ::operator new[](huge, (std::align_val_t)align,
				     std::nothrow);
	log_alloc(t, form & 1 ? "new[]" : "new", p, huge, align, true);
}

/* Call an allocation function so that it fails. */
static void fail_alloc(struct thread *t)
{
	size_t align = draw_align(t);
	void *p = NULL;
	int error;

	switch (draw(t, 12)) {
	case 0:
		log_alloc(t, "malloc", malloc(huge), huge, 0, true);
		break;
	case 1:
		log_alloc(t, "calloc", calloc(huge, 1), huge, 0, true);
		break;
	case 2:
		log_alloc(t, "calloc", calloc(huge, 16), ANY_SIZE, 0, true);
		break;
	case 3:
		log_alloc(t, "realloc", realloc(NULL, huge), huge, 0, true);
		break;
	case 4:
		log_alloc(t, "reallocarray", reallocarray(NULL, huge, 16),
			  ANY_SIZE, 0, true);
		break;
	case 5:
		error = posix_memalign(&p, 4, 100);
		log_alloc(t, "posix_memalign", p, 100, 4, error == EINVAL);
		break;
	case 6:
		error = posix_memalign(&p, align, huge);
		log_alloc(t, "posix_memalign", p, huge, align, error == ENOMEM);
		break;
	case 7:
		log_alloc(t, "aligned_alloc", aligned_alloc(align, huge), huge,
			  align, true);
		break;
	case 8:
		log_alloc(t, "memalign", memalign(align, huge), huge, align,
			  true);
		break;
	case 9:
		log_alloc(t, "valloc", valloc(huge), huge, PAGE_BYTES, true);
		break;
	case 10:
		log_alloc(t, "pvalloc", pvalloc(huge), huge, PAGE_BYTES, true);
		break;
	default:
		if (draw(t, 2))
			fail_throwing(t);
		else
			fail_nothrow(t);
	}
}

/* Free a block of operator new by a form of delete that fits. */
static void free_new(struct thread *t, struct block *b)
{
	const char *kind = b->family == NEW ? "delete" : "delete[]";
	std::align_val_t align = (std::align_val_t)b->align;
	uint64_t form = draw(t, 3) + (b->align ? 3 : 0);
	size_t size = form % 3 == 1 ? b->size : 0;

	log_op(t, kind, b->p, size, b->align);
	switch (form + (b->family == NEW ? 0 : 6)) {
	case 0:
		return ::operator delete(b->p);
	case 1:
		return ::operator delete(b->p, b->size);
	case 2:
		return ::operator delete(b->p, std::nothrow);
	case 3:
		return ::operator delete(b->p, align);
	case 4:
		return ::operator delete(b->p, b->size, align);
	case 5:
		return ::operator delete(b->p, align, std::nothrow);
	case 6:
		return ::operator delete[](b->p);
	case 7:
		return ::operator delete[](b->p, b->size);
	case 8:
		return ::operator delete[](b->p, std::nothrow);
	case 9:
		return ::operator delete[](b->p, align);
	case 10:
		return ::operator delete[](b->p, b->size, align);
	default:
		return ::operator delete[](b->p, align, std::nothrow);
	}
}

/* Free a block by a function that may free it. */
static void free_block(struct thread *t, struct block *b)
{
	if (b->family != C) {
		free_new(t, b);
	} else if (draw(t, 10) == 0 && cfree_fn) {
		log_op(t, "cfree", b->p, ANY_SIZE, 0);
		cfree_fn(b->p);
	} else if (draw(t, 5) == 0 && !b->align && free_sized_fn) {
		log_op(t, "free_sized", b->p, b->size, 0);
		free_sized_fn(b->p, b->size);
	} else if (draw(t, 2) == 0 && b->align && free_aligned_sized_fn) {
		log_op(t, "free_aligned_sized", b->p, b->size, b->align);
		free_aligned_sized_fn(b->p, b->align, b->size);
	} else if (draw(t, 20) == 0) {
		log_op(t, "realloc_free", b->p, ANY_SIZE, 0);
		if (realloc(b->p, 0))
			_exit(1);
	} else {
		log_op(t, "free", b->p, ANY_SIZE, 0);
		free(b->p);
	}
	b->p = NULL;
}

/* Resize a block of the C functions, now and then by too much. */
static void resize_block(struct thread *t, struct block *b)
{
	size_t size = draw_size(t) + 1;
	void *p;

	log_op(t, "realloc_free", b->p, ANY_SIZE, 0);
	switch (draw(t, 8)) {
	case 0:
		p = realloc(b->p, huge);
		log_op(t, "realloc_cancel", b->p, huge, 0);
		if (p)
			_exit(1);
		return;
	case 1:
		p = reallocarray(b->p, huge, 16);
		log_op(t, "realloc_cancel", b->p, ANY_SIZE, 0);
		if (p)
			_exit(1);
		return;
	case 2:
	case 3:
		p = reallocarray(b->p, size, 2);
		size *= 2;
		log_alloc(t, "reallocarray", p, size, 0, false);
		break;
	default:
		p = realloc(b->p, size);
		log_alloc(t, "realloc", p, size, 0, false);
	}
	b->p = p;
	b->size = size;
	b->align = 0;
}

/* Exchange a block, which may be none, with what lies in a mail box. */
static void exchange(struct thread *t, struct block *b)
{
	struct mail *m = &mails[draw(t, MAIL)];
	struct block was;

	if (m->taken.test_and_set(std::memory_order_acquire))
		return;
	was = m->block;
	m->block = *b;
	*b = was;
	m->taken.clear(std::memory_order_release);
}

static void step(struct thread *t)
{
	struct block *b = &t->block[draw(t, BLOCKS)];

	switch (draw(t, 16)) {
	case 0:
		fail_alloc(t);
		break;
	case 1:
		free(NULL);
		::operator delete(NULL);
		break;
	case 2:
	case 3:
	case 4:
		exchange(t, b);
		break;
	default:
		if (b->p && b->family == C && draw(t, 3) == 0)
			resize_block(t, b);
		else if (b->p)
			free_block(t, b);
		else if (draw(t, 3) == 0)
			alloc_new(t, b);
		else
			alloc_c(t, b);
	}
}

/* Wait for a thread's turn, and leave it to the other of the pair. */
static void await_turn(struct thread *t, struct pair *pair)
{
	while (sem_wait(&pair->turn[t->index & 1]))
		;
}

static void pass_turn(struct thread *t, struct pair *pair)
{
	sem_post(&pair->turn[~t->index & 1]);
}

/* Allocate a block for the other thread of a pair; wait until it is done. */
static void give(struct thread *t, struct pair *pair)
{
	struct block *b = &pair->block;

	if (draw(t, 2))
		alloc_new(t, b);
	else
		alloc_c(t, b);
	if (b->family == C && draw(t, 8) == 0)
		resize_block(t, b);
	pass_turn(t, pair);
	await_turn(t, pair);
}

/* Take a block of the other thread of a pair, resize it at times, free it. */
static void take(struct thread *t, struct pair *pair)
{
	struct block *b = &pair->block;

	await_turn(t, pair);
	if (b->family == C && draw(t, 3) == 0)
		resize_block(t, b);
	free_block(t, b);
	pass_turn(t, pair);
}

/*
 * Hand over blocks of one size after the other, to both sides of what glibc
 * caches for a thread (1,032 bytes) and maps (128 KiB), in both directions.
 */
static void rally(struct thread *t)
{
	static const size_t sizes[] = {20,   400,  1000,  1100,
				       4000, 9000, 60000, 150000};
	struct pair *pair = &pairs[t->index / 2];
	size_t games = operations / 4 / RALLY + 1;

	if ((t->index ^ 1) >= thread_count)
		return;
	for (size_t i = 0; i < games * RALLY; i++) {
		size_t game = i / RALLY;

		t->size = sizes[game / 2 % (sizeof(sizes) / sizeof(*sizes))];
		if ((game ^ t->index) & 1)
			take(t, pair);
		else
			give(t, pair);
	}
}

static void *run(void *arg)
{
	struct thread *t = (struct thread *)arg;
	size_t bytes = FIRST_BYTES + t->index;
	void *first;

	t->tid = gettid();
	pthread_barrier_wait(&barrier);
	first = malloc(bytes);
	log_alloc(t, "malloc", first, bytes, 0, false);
	for (size_t i = 0; i < operations; i++)
		step(t);
	rally(t);
	log_op(t, "free", first, ANY_SIZE, 0);
	free(first);
	pthread_barrier_wait(&barrier);
	return NULL;
}

static bool write_log(const char *path)
{
	FILE *f = fopen(path, "w");

	for (struct thread *t = threads; f && t->ops; t++) {
		for (size_t i = 0; i < t->count; i++) {
			struct op *op = &t->ops[i];
			char size[24] = "-";

			if (op->size != ANY_SIZE)
				snprintf(size, sizeof(size), "%zu", op->size);
			fprintf(f, "%d %s 0x%lx %s %zu\n", t->tid, op->kind,
				op->address, size, op->align);
		}
	}
	return f && !fclose(f);
}

/* Map the log of a thread: at most three lines an operation, or a block. */
static struct op *map_log(void)
{
	size_t most = (operations + operations / 4 + RALLY + 2) * 3;
	void *p = mmap(NULL, most * sizeof(struct op), PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? NULL : (struct op *)p;
}

int main(int argc, char **argv)
{
	unsigned int n = argc > 3 ? (unsigned int)atoi(argv[1]) : 0;

	if (!n || n >= MAX_THREADS) {
		fprintf(stderr, "oracle THREADS OPERATIONS LOG\n");
		return 2;
	}
	operations = (size_t)atol(argv[2]);
	cfree_fn = (void (*)(void *))dlsym(RTLD_DEFAULT, "cfree");
	free_sized_fn =
		(void (*)(void *, size_t))dlsym(RTLD_DEFAULT, "free_sized");
	free_aligned_sized_fn = (void (*)(void *, size_t, size_t))dlsym(
		RTLD_DEFAULT, "free_aligned_sized");
	pthread_barrier_init(&barrier, NULL, n);
	thread_count = n;
	for (unsigned int i = 0; i < n / 2; i++)
		if (sem_init(&pairs[i].turn[0], 0, 0) ||
		    sem_init(&pairs[i].turn[1], 0, 0))
			return 1;
	for (unsigned int i = 0; i < n; i++) {
		threads[i].index = i;
		threads[i].random = 0x9e3779b97f4a7c15u * (i + 1);
		threads[i].ops = map_log();
		if (!threads[i].ops ||
		    pthread_create(&threads[i].id, NULL, run, &threads[i]))
			return 1;
	}
	for (unsigned int i = 0; i < n; i++)
		pthread_join(threads[i].id, NULL);
	if (!write_log(argv[3]))
		return 1;
	puts("done");
	return 0;
}
