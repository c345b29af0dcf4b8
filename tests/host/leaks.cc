/* SPDX-License-Identifier: MIT */
/*
 * Shows what becomes of blocks at the end: `leaks CASE` leaves them as the case
 * says, and tests/integration/leaks.sh knows what the verdict must be. Each
 * case allocates in a function of its own name.
 *
 * Build: -O1
 */
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <pthread.h>
#include <string>
#include <sys/mman.h>
#include <thread>
#include <unistd.h>

#define APART __attribute__((noinline))

struct node {
	node *next, *other;
	char room[16];
};

static void *volatile sink;
static node *volatile root;
static thread_local node *volatile in_tls;
static pthread_key_t key;

static APART node *make(void)
{
	return static_cast<node *>(calloc(1, sizeof(node)));
}

/* Overwrite what dead frames and registers still hold. */
static APART void scrub(void)
{
	char zeros[8192];

	memset(zeros, 0, sizeof(zeros));
	__asm__ volatile(""
			 :
			 : "r"(zeros)
			 : "memory", "rbx", "r12", "r13", "r14", "r15");
}

static APART void chain(void)
{
	node *head = nullptr;

	for (int i = 0; i < 10; i++) {
		node *n = make();

		n->next = head;
		head = n;
	}
	sink = head;
	sink = nullptr;
}

static APART node *grow(int depth)
{
	node *n = make();

	if (depth) {
		n->next = grow(depth - 1);
		n->other = grow(depth - 1);
	}
	return n;
}

static APART void tree(void)
{
	sink = grow(3);
	sink = nullptr;
}

static APART void ring(void)
{
	node *a = make(), *b = make(), *c = make();

	a->next = b;
	b->next = c;
	c->next = a;
	sink = a;
	sink = nullptr;
}

static APART void kept(void)
{
	root = make();
	root->next = make();
	root->next->next = make();
}

static APART void interior(void)
{
	sink = static_cast<char *>(malloc(100)) + 40;
}

static APART void tls(void)
{
	in_tls = make();
	in_tls->next = make();
	pthread_key_create(&key, nullptr);
	pthread_setspecific(key, make());
}

static APART void mapped(void)
{
	void **page = static_cast<void **>(
		mmap(nullptr, 65536, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));

	page[7] = make();
	sink = page;
}

struct object {
	std::string text;
	~object()
	{
		sink = nullptr;
	}
};

static APART void cookie(void)
{
	static object *volatile objects;

	objects = new object[3]; /* points behind the count of them */
	for (int i = 0; i < 3; i++)
		objects[i].text = std::string(100, 'x');
}

static void at_exit(void)
{
	free(root);
	root = nullptr;
}

static APART void freed(void)
{
	root = make();
	atexit(at_exit);
}

static APART void in_thread(void)
{
	std::thread waits([] {
		node *volatile mine = make();

		mine->next = make();
		__asm__ volatile("" : : "r"(mine) : "memory");
		for (;;)
			pause();
	});

	waits.detach();
	usleep(50000);
}

static volatile bool leaves = true;

static APART void deep(int depth, node *mine)
{
	node *more = make();

	if (depth)
		deep(depth - 1, more);
	else if (leaves)
		exit(0);
	sink = more;
	sink = mine;
}

static APART void hidden(void)
{
	/* A pointer with its bits turned is none. */
	sink = reinterpret_cast<void *>(
		~reinterpret_cast<unsigned long>(make()));
}

static const struct {
	const char *name;
	void (*run)(void);
	void (*leave)(int); /* instead of returning from main */
} cases[] = {
	{"chain", chain, nullptr},
	{"tree", tree, nullptr},
	{"ring", ring, nullptr},
	{"kept", kept, nullptr},
	{"interior", interior, nullptr},
	{"tls", tls, nullptr},
	{"mapped", mapped, nullptr},
	{"cookie", cookie, nullptr},
	{"freed", freed, nullptr},
	{"in_thread", in_thread, nullptr},
	{"hidden", hidden, nullptr},
	{"deep", [] { deep(5, make()); }, nullptr},
	{"exit", chain, exit},
	{"_exit", chain, _exit},
	{"quick_exit", chain, quick_exit},
	{"abort", chain, [](int) { abort(); }},
};

int main(int argc, char **argv)
{
	for (const auto &c : cases) {
		if (argc != 2 || strcmp(c.name, argv[1]) != 0)
			continue;
		c.run();
		scrub();
		if (c.leave)
			c.leave(3);
		puts(c.name);
		return 0;
	}
	return 2;
}
