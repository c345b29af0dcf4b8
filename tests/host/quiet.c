/* SPDX-License-Identifier: MIT */
/*
 * Prints what a program can notice of itself: the number of its threads, the
 * signals it catches, blocks and ignores, the numbers that open() gives, what
 * is at descriptors below 100, its environment but for the two variables that
 * start the recorder, its resource limits, its umask and directory.
 */
#include <fcntl.h>
#include <locale.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "host.h"

extern char **environ;

/* Print lines of /proc/self/status that begin with one of these words. */
static void show_status(void)
{
	static const char *const words[] = {
		"Threads:", "SigPnd:",	"SigBlk:",     "SigIgn:", "SigCgt:",
		"Umask:",   "Seccomp:", "NoNewPrivs:", "CapEff:", "TracerPid:"};
	FILE *f = fopen("/proc/self/status", "r");
	char line[256];

	need(f != NULL, "status");
	while (fgets(line, sizeof(line), f))
		for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
			if (!strncmp(line, words[i], strlen(words[i])))
				fputs(line, stdout);
	fclose(f);
}

static void show_descriptors(void)
{
	for (int fd = 0; fd < 100; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			printf("open: %d\n", fd);
	for (int i = 0; i < 3; i++)
		printf("open gives %d\n", open("/dev/null", O_RDONLY));
}

static void show_environment(void)
{
	for (char **e = environ; *e; e++)
		if (strncmp(*e, "LD_PRELOAD=", 11) &&
		    strncmp(*e, "MEMTRACE=", 9))
			puts(*e);
}

int main(void)
{
	struct rlimit limit;
	char cwd[4096], name[17] = "";

	setvbuf(stdout, NULL, _IOFBF, 1 << 16);
	for (int i = 0; i < 100000; i++)
		free(keep(malloc((size_t)i % 99)));
	show_status();
	show_descriptors();
	show_environment();
	for (int i = 0; i < RLIM_NLIMITS; i++)
		if (!getrlimit(i, &limit))
			printf("limit %d: %llu %llu\n", i,
			       (unsigned long long)limit.rlim_cur,
			       (unsigned long long)limit.rlim_max);
	prctl(PR_GET_NAME, name);
	printf("name %s, locale %s, in %s\n", name, setlocale(LC_ALL, NULL),
	       getcwd(cwd, sizeof(cwd)));
	printf("dumpable %d, death signal none\n", prctl(PR_GET_DUMPABLE));
	return 0;
}
