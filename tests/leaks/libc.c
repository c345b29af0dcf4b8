/* SPDX-License-Identifier: MIT */
/* What libc allocates for a program, or for itself. */
#define _GNU_SOURCE
#include "case.h"

#include <argz.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <glob.h>
#include <iconv.h>
#include <libintl.h>
#include <locale.h>
#include <netdb.h>
#include <obstack.h>
#include <pthread.h>
#include <pwd.h>
#include <regex.h>
#include <search.h>
#include <time.h>
#include <unistd.h>
#include <wchar.h>

#define obstack_chunk_alloc malloc
#define obstack_chunk_free free

/* Expect: none */
CASE(print)
{
	printf("hello\n");
}

/* Expect: none */
CASE(print_much)
{
	for (int i = 0; i < 5000; i++)
		printf("%d %f\n", i, i / 3.0);
}

/* Expect: none */
CASE(print_unflushed)
{
	printf("x");
}

/* Expect: none */
CASE(print_wide)
{
	wprintf(L"wide %d\n", 3);
}

/* Expect: none */
CASE(keep_file)
{
	kept = fopen("/dev/null", "w");
}

/* Expect: none */
CASE(forget_file)
{
	fprintf(fopen("/dev/null", "w"), "libc has it in a list of all\n");
}

/* Expect: none */
CASE(close_file)
{
	FILE *file = fopen("/proc/self/maps", "r");
	char line[256];

	while (fgets(line, sizeof(line), file))
		;
	fclose(file);
}

/* Expect: definite 1 block 4096 bytes in lose_buffer */
CASE(lose_buffer)
{
	FILE *file = fopen("/dev/null", "w");
	char *buffer = malloc(4096);

	setvbuf(file, buffer, _IOFBF, 4096);
	fputs("x", file);
	fclose(file);
	kept = buffer;
	kept = buffer = NULL;
}

/* Expect: none */
CASE(free_line)
{
	FILE *file = fopen("/proc/self/maps", "r");
	char *line = NULL;
	size_t size = 0;

	while (getline(&line, &size, file) > 0)
		;
	free(line);
	fclose(file);
}

/* Expect: definite 1 block 120 bytes */
CASE(lose_line)
{
	FILE *file = fopen("/proc/self/status", "r");
	char *line = NULL;
	size_t size = 0;

	if (getline(&line, &size, file) < 0)
		abort();
	fclose(file);
	kept = line;
	kept = line = NULL;
}

/* Expect: none */
CASE(free_memstream)
{
	char *text;
	size_t size;
	FILE *file = open_memstream(&text, &size);

	for (int i = 0; i < 1000; i++)
		fprintf(file, "%d\n", i);
	fclose(file);
	free(text);
}

/* Expect: none */
CASE(set_locale)
{
	setlocale(LC_ALL, "C");
	setlocale(LC_ALL, "C.UTF-8");
	printf("x");
}

/* Expect: none */
CASE(new_locale)
{
	uselocale(newlocale(LC_ALL_MASK, "C.UTF-8", NULL));
}

/* Expect: none */
CASE(translate)
{
	setlocale(LC_ALL, "");
	bindtextdomain("case", "/nowhere");
	textdomain("case");
	puts(gettext("hello"));
}

/* Expect: none */
CASE(set_environment)
{
	setenv("A", "b", 1);
	setenv("A", "a longer one than before", 1);
	setenv("B", "c", 1);
	unsetenv("B");
}

/* Expect: none */
CASE(put_environment)
{
	putenv(strcpy(make(10), "KEY=value"));
}

/* Expect: definite 1 block 10 bytes in make */
CASE(lose_environment)
{
	putenv(strcpy(make(10), "KEY=value"));
	unsetenv("KEY");
}

/* Expect: none */
CASE(read_directory)
{
	DIR *directory = opendir("/");

	while (readdir(directory))
		;
	closedir(directory);
}

/* Expect: none */
CASE(keep_directory)
{
	kept = opendir("/");
}

static OUTLINE int visit(const char *path, const struct stat *st, int flag,
			 struct FTW *at)
{
	(void)path;
	(void)st;
	(void)flag;
	return at->level > 1;
}

/* Expect: none */
CASE(walk)
{
	nftw("/proc/self/task", visit, 8, FTW_PHYS);
}

/* Expect: none */
CASE(match)
{
	regex_t r;

	regcomp(&r, "^(a|b)+c[0-9]*$", REG_EXTENDED);
	regexec(&r, "ababc123", 0, NULL, 0);
	regfree(&r);
}

/* Expect: none */
CASE(keep_pattern)
{
	static regex_t r;

	regcomp(&r, "^(a|b)+c[0-9]*$", REG_EXTENDED);
	regexec(&r, "ababc123", 0, NULL, 0);
}

/* Expect: none */
CASE(expand)
{
	glob_t g;

	glob("/proc/s*", 0, NULL, &g);
	globfree(&g);
}

/* Expect: none */
CASE(convert)
{
	iconv_t cd = iconv_open("UTF-16", "UTF-8");

	if (cd != (iconv_t)-1)
		iconv_close(cd);
}

/* Expect: none */
CASE(tell_time)
{
	time_t now = time(NULL);
	char text[64];

	setenv("TZ", "Europe/Berlin", 1);
	tzset();
	strftime(text, sizeof(text), "%c", localtime(&now));
}

/* Expect: none */
CASE(look_up_user)
{
	getpwnam("root");
	getpwuid(0);
}

/* Expect: none */
CASE(look_up_host)
{
	struct addrinfo *info = NULL;

	if (getaddrinfo("localhost", "80", NULL, &info) == 0)
		freeaddrinfo(info);
}

static OUTLINE int compare(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* Expect: none */
CASE(keep_search_tree)
{
	static void *root;
	static const char *const keys[] = {"b", "a", "c", "e", "d"};

	for (int i = 0; i < 5; i++)
		tsearch(keys[i], &root, compare);
}

/* Expect: definite 1 block 24 bytes in lose_search_tree; indirect 2 blocks
 * 48 bytes */
CASE(lose_search_tree)
{
	void *root = NULL;

	tsearch("b", &root, compare);
	tsearch("a", &root, compare);
	tsearch("c", &root, compare);
}

/* Expect: none */
CASE(keep_hash_table)
{
	hcreate(30);
	hsearch((ENTRY){strcpy(make(4), "key"), make(8)}, ENTER);
}

/* Expect: none */
CASE(free_obstack)
{
	struct obstack o;

	obstack_init(&o);
	for (int i = 0; i < 1000; i++)
		obstack_copy(&o, "0123456789", 10);
	obstack_free(&o, NULL);
}

/* Expect: definite 1 block 6 bytes in lose_asprintf */
CASE(lose_asprintf)
{
	char *text;

	if (asprintf(&text, "%d", 12345) < 0)
		abort();
	kept = text;
	kept = text = NULL;
}

/* Expect: none */
CASE(sort)
{
	char words[5000][8];

	for (int i = 0; i < 5000; i++)
		snprintf(words[i], 8, "%d", i * 7919 % 5000);
	qsort(words, 5000, 8, compare);
}

/* Expect: none */
CASE(say_error)
{
	errno = ENOENT;
	perror("say");
	fprintf(stderr, "%s\n", strerror(12345));
}

static void *volatile cache[8];
static pthread_once_t once = PTHREAD_ONCE_INIT;

static OUTLINE void fill_cache(void)
{
	for (int i = 0; i < 8; i++)
		cache[i] = tree(3, 40);
}

/* Expect: none */
CASE(keep_cache)
{
	pthread_once(&once, fill_cache);
	pthread_once(&once, fill_cache);
}

/* Expect: none */
CASE(add_to_argz)
{
	char *argz = NULL;
	size_t size = 0;

	for (int i = 0; i < 10; i++)
		argz_add(&argz, &size, "word");
	free(argz);
}

/* Expect: 2 processes */
CASE(run_command)
{
	FILE *file = popen("exec 3<&- ; :", "r");
	char c;

	if (fread(&c, 1, 1, file))
		abort();
	pclose(file);
}

/* Expect: none */
CASE(make_temporary)
{
	fputs("x", tmpfile());
}
