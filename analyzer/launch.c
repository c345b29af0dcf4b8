/* SPDX-License-Identifier: MIT */
/*
 * memtrace, the launcher: run a program with the recorder preloaded, hand on
 * its exit status, and say what was recorded.
 *
 * It looks at the program before it runs it (program.h), since the loader
 * silently ignores LD_PRELOAD where it does not apply, and at the traces
 * afterwards (family.h), which it can have judged (checked.h). In between it
 * is not there: the terminal's signals reach the program by themselves, those
 * from other processes are passed on.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <memtrace/options.h>
#include <memtrace/pattern.h>

#include "checked.h"
#include "family.h"
#include "program.h"
#include "scratch.h"
#include "selftest.h"
#include "term.h"
#include "util.h"

#define LIBRARY "libmemtrace.so"
#define REPORT "memtrace-report"

enum kind { TEXT, SWITCH, NUMBER };

static const struct key {
	const char *name;
	enum kind kind;
	const char *initial;
	const char *value;
	const char *help;
} keys[] = {
#define KEY(name, kind, initial, value, help) \
	{#name, kind, initial, value, help},
	MT_OPTIONS(KEY)
#undef KEY
};

#define KEYS (sizeof(keys) / sizeof(keys[0]))

/* What the command line asks for. */
struct launch {
	char *options;	   /* "key=value,...", may be empty */
	const char *check; /* the same of --check; NULL: do not check */
	char **argv;	   /* of the program */
};

/* Say what is wrong with the command line, and end. */
static _Noreturn void fail(const char *what, const char *why)
{
	fprintf(stderr, "memtrace: %s: %s\n", what, why);
	exit(PROGRAM_REFUSED);
}

/* Print one screen of help. */
static void print_help(void)
{
	printf("memtrace ./app args...           record ./app\n"
	       "memtrace -o app.zst ./app        into app.zst\n"
	       "memtrace --mmap=on -- ./app      mmap and munmap as well\n"
	       "memtrace --check ./test          fail when it leaks\n"
	       "memtrace selftest                see that leaks are found\n"
	       "\n"
	       "usage: memtrace [-o FILE] [--check[=OPTION,...]] "
	       "[--KEY=VALUE ...] [--]\n"
	       "                PROGRAM [ARG ...]\n"
	       "\n"
	       "--check passes its options to memtrace-report check. -o FILE "
	       "is --out=FILE. The\nkeys are those of $MEMTRACE:\n"
	       "\n");
	for (size_t i = 0; i < KEYS; i++)
		printf("  --%s=%-*s %s%s%s%s\n", keys[i].name,
		       (int)(12 - strlen(keys[i].name)), keys[i].value,
		       keys[i].help, *keys[i].initial ? " [" : "",
		       keys[i].initial, *keys[i].initial ? "]" : "");
	printf("\n"
	       "The exit status is the program's, 128+n when signal n ended "
	       "it; 125: memtrace\ncould not record it, 126: it cannot be "
	       "run, 127: it was not found. With --check\n0 becomes 3 when "
	       "it leaks, 4 when that could not be judged.\n");
}

/* Find the key of `n` bytes of name; NULL: there is none. */
static const struct key *find_key(const char *name, size_t n)
{
	for (size_t i = 0; i < KEYS; i++)
		if (strlen(keys[i].name) == n && !memcmp(keys[i].name, name, n))
			return &keys[i];
	return NULL;
}

/* Say which key was meant, and end. */
static _Noreturn void fail_key(const char *option, size_t n)
{
	const char *names[KEYS + 3] = {"help", "check"}, *meant;
	char *word = util_copy(option, n);

	for (size_t i = 0; i < KEYS; i++)
		names[i + 2] = keys[i].name;
	meant = util_nearest(word, names);
	if (meant)
		fprintf(stderr,
			"memtrace: no option --%s: did you mean --%s?\n", word,
			meant);
	else
		fprintf(stderr,
			"memtrace: no option --%s: see memtrace "
			"--help\n",
			word);
	exit(PROGRAM_REFUSED);
}

/* Read a whole number, with K, M or G behind it or not; false: it is none. */
static bool read_number(const char *value, long long *n)
{
	static const char units[] = "KkMmGg";
	const char *unit;
	char *end;

	errno = 0;
	*n = strtoll(value, &end, 10);
	if (end == value || errno)
		return false;
	if (!*end)
		return true;
	unit = strchr(units, *end);
	return unit && !end[1] &&
	       !__builtin_mul_overflow(*n, 1ll << 10 * ((unit - units) / 2 + 1),
				       n);
}

static bool is_switch(const char *value)
{
	static const char *const words[] = {"on", "off", "1", "0", "yes", "no"};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (!strcmp(words[i], value))
			return true;
	return false;
}

/* Tell whether a pattern of names can be expanded. */
static bool is_pattern(const char *value)
{
	const struct mt_names names = {.exe = "", .host = ""};
	char buf[PATH_MAX];

	return !strchr(value, '%') ||
	       mt_pattern_expand(buf, sizeof(buf), value, &names) > 0;
}

/* End unless `value` is one that the key can have. */
static void check_value(const struct key *key, const char *value)
{
	char *option = util_format("--%s=%s", key->name, value);
	long long n = 0;

	if (strchr(value, ','))
		fail(option, "a value cannot have a comma in it");
	if (key->kind == NUMBER && !read_number(value, &n))
		fail(option, "the value is a number");
	if (key->kind == SWITCH && !is_switch(value))
		fail(option, "the value is on or off");
	if (!*value)
		fail(option, "a value is needed");
	if (!strcmp(key->name, "out") && !is_pattern(value))
		fail(option, "after % comes one of e, p, h, n, %");
	if (!strcmp(key->name, "level") && (n < -7 || n > 19))
		fail(option, "the value is -7 to 19");
	if (!strcmp(key->name, "size") && n && n < MT_MIN_SIZE)
		fail(option, "the value is 1M or more, or 0");
	free(option);
}

/* Append "key=value" to the options. */
static void add_option(struct launch *l, const struct key *key,
		       const char *value)
{
	char *before = l->options;

	check_value(key, value);
	l->options = util_format("%s%s%s=%s", before, *before ? "," : "",
				 key->name, value);
	free(before);
}

/* Take one "--key=value", or "--key" of a switch. */
static void take_option(struct launch *l, const char *option)
{
	size_t n = strcspn(option, "=");
	const struct key *key = find_key(option, n);

	if (n == 5 && !strncmp(option, "check", n)) {
		l->check = option + n + (option[n] == '=');
		return;
	}
	if (!key)
		fail_key(option, n);
	if (option[n])
		add_option(l, key, option + n + 1);
	else if (key->kind == SWITCH)
		add_option(l, key, "on");
	else
		fail(option - 2, "a value is needed: --KEY=VALUE");
}

/* Take the command line apart. */
static void take_arguments(struct launch *l, char **argv)
{
	char **arg = argv + 1;

	for (; *arg && **arg == '-' && strcmp(*arg, "--"); arg++) {
		if (!strcmp(*arg, "--help") || !strcmp(*arg, "-h")) {
			print_help();
			exit(0);
		}
		if (!strcmp(*arg, "-o") && arg[1])
			add_option(l, find_key("out", 3), *++arg);
		else if (!strncmp(*arg, "-o", 2) && (*arg)[2])
			add_option(l, find_key("out", 3), *arg + 2);
		else if (!strncmp(*arg, "--", 2))
			take_option(l, *arg + 2);
		else
			fail(*arg, strcmp(*arg, "-o") ? "no such option"
						      : "a file is needed");
	}
	if (*arg && !strcmp(*arg, "--"))
		arg++;
	if (!*arg)
		fail("no program", "see memtrace --help");
	l->argv = arg;
}

/* Return the path of this program, "" when that cannot be told. */
static char *own_path(void)
{
	char path[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path));

	return util_copy(path, n > 0 ? (size_t)n : 0);
}

/* Return its directory. */
static char *own_directory(void)
{
	char *path = own_path(), *slash = strrchr(path, '/');

	*(slash ? slash : path) = '\0';
	return path;
}

/* Find the report: beside us, or else by name, in $PATH. */
static char *find_report(void)
{
	char *dir = own_directory(), *path = util_format("%s/" REPORT, dir);

	free(dir);
	if (!access(path, X_OK))
		return path;
	free(path);
	return util_copy(REPORT, strlen(REPORT));
}

/*
 * Find the recorder: beside us, as it is built; in ../lib, as it is
 * installed; or else by name, for the loader to find.
 */
static char *find_library(void)
{
	static const char *const places[] = {"", "/../lib"};
	char *dir = own_directory(), *path = NULL;

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		char *place = util_format("%s%s/" LIBRARY, dir, places[i]);

		if (!path)
			path = realpath(place, NULL);
		free(place);
	}
	free(dir);
	if (path && strpbrk(path, " :"))
		fail(path, "LD_PRELOAD cannot hold a path with a space or a "
			   "colon");
	return path ? path : util_copy(LIBRARY, strlen(LIBRARY));
}

/* Put the recorder first in LD_PRELOAD, before what is there. */
static void set_preload(void)
{
	const char *others = getenv("LD_PRELOAD");
	char *library = find_library(), *value;

	value = others && *others ? util_format("%s:%s", library, others)
				  : util_copy(library, strlen(library));
	setenv("LD_PRELOAD", value, 1);
	free(library);
	free(value);
}

/* Return the last value of out= in a list of options, or NULL. */
static const char *find_out(const char *options)
{
	const char *value = NULL, *p = options;

	while (*p) {
		if (!strncmp(p, "out=", 4))
			value = p + 4;
		p += strcspn(p, ",");
		p += *p == ',';
	}
	return value;
}

/* Return the pattern of the traces' names by the options. To be freed. */
static char *find_pattern(const char *options)
{
	const char *value = find_out(options);

	if (!value)
		value = find_key("out", 3)->initial;
	return util_copy(value, strcspn(value, ","));
}

/* Return a directory as a pattern, "" when it cannot be one. To be freed. */
static char *directory_pattern(const char *dir)
{
	char *pattern = util_alloc(dir ? 2 * strlen(dir) + 1 : 1, 1);
	size_t n = 0;

	for (const char *p = dir; p && *p && !strchr(dir, ','); p++) {
		if (*p == '%')
			pattern[n++] = '%';
		pattern[n++] = *p;
	}
	return pattern;
}

/*
 * Set $MEMTRACE to what is there, the command line's options behind it, and
 * the traces' names made absolute: children that change their directory put
 * theirs beside the others. Return the pattern of the names, to be freed.
 */
static char *set_options(const struct launch *l)
{
	const char *before = getenv("MEMTRACE");
	char *all = util_format("%s,%s", before ? before : "", l->options);
	char *here = getcwd(NULL, 0), *dir = directory_pattern(here);
	char *pattern = find_pattern(all), *value;

	if (*pattern != '/' && *dir) {
		value = util_format("%s/%s", dir, pattern);
		free(pattern);
		pattern = value;
	}
	value = util_format("%s%sout=%s", all + strspn(all, ","),
			    all[strspn(all, ",")] ? "," : "", pattern);
	setenv("MEMTRACE", value, 1);
	free(value);
	free(all);
	free(dir);
	free(here);
	return pattern;
}

/* The signals that are passed on. */
static const int passed[] = {SIGINT, SIGQUIT, SIGTERM,
			     SIGHUP, SIGUSR1, SIGUSR2};

static volatile pid_t child;

/* Pass a signal on, unless the kernel sent it: then the child has it too. */
static void pass_on(int signal, siginfo_t *info, void *context)
{
	(void)context;
	if (info->si_code != SI_KERNEL)
		kill(child, signal);
}

/* Catch the signals to pass on; those that are ignored stay so. */
static void catch_signals(sigset_t *set)
{
	struct sigaction act = {.sa_flags = SA_SIGINFO | SA_RESTART}, old;

	act.sa_sigaction = pass_on;
	for (size_t i = 0; i < sizeof(passed) / sizeof(passed[0]); i++)
		if (sigismember(set, passed[i]) &&
		    !sigaction(passed[i], NULL, &old) &&
		    old.sa_handler != SIG_IGN)
			sigaction(passed[i], &act, NULL);
}

/* Run the program at `path` in a child; the errno of a failed exec in `fd`. */
static _Noreturn void run_child(const char *path, char **argv, int fd)
{
	int error;

	execv(path, argv);
	error = errno;
	if (write(fd, &error, sizeof(error)) != sizeof(error))
		_exit(PROGRAM_REFUSED);
	_exit(PROGRAM_NOT_EXECUTABLE);
}

/* Wait for the child's end and return its wait status. */
static int wait_for_child(const sigset_t *set)
{
	siginfo_t info;
	int status = 0;

	while (waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT) &&
	       errno == EINTR)
		;
	/* From here on its pid may be another process's. */
	sigprocmask(SIG_BLOCK, set, NULL);
	waitpid(child, &status, 0);
	return status;
}

/* Run the program to its end and return its wait status. */
static int run(const char *path, char **argv)
{
	int fd[2], error = 0, status;
	sigset_t set, old;

	sigemptyset(&set);
	for (size_t i = 0; i < sizeof(passed) / sizeof(passed[0]); i++)
		sigaddset(&set, passed[i]);
	sigprocmask(SIG_BLOCK, &set, &old);
	if (pipe2(fd, O_CLOEXEC) || (child = fork()) < 0)
		fail(path, strerror(errno));
	if (!child) {
		sigprocmask(SIG_SETMASK, &old, NULL);
		run_child(path, argv, fd[1]);
	}
	catch_signals(&set);
	sigprocmask(SIG_SETMASK, &old, NULL);
	close(fd[1]);
	while (read(fd[0], &error, sizeof(error)) < 0 && errno == EINTR)
		;
	close(fd[0]);
	status = wait_for_child(&set);
	if (error) {
		fprintf(stderr, "memtrace: %s: %s\n", path, strerror(error));
		exit(PROGRAM_NOT_EXECUTABLE);
	}
	return status;
}

/* Return a path as one would type it: relative, quoted. To be freed. */
static char *readable(const char *path)
{
	char *dir = getcwd(NULL, 0);
	size_t n = dir ? strlen(dir) : 0;

	if (n > 1 && !strncmp(path, dir, n) && path[n] == '/')
		path += n + 1;
	free(dir);
	return util_quote(path);
}

/* Print a trace's name, size, events and drops. */
static void print_trace(const struct family_trace *t)
{
	char bytes[TERM_NUMBER], events[TERM_NUMBER], lost[TERM_NUMBER];
	char *path = readable(t->path);

	fputs("memtrace: ", stderr);
	term_put_text(stderr, path);
	fprintf(stderr, ": %s, %s event%s, %s dropped\n",
		term_bytes(bytes, t->bytes, false),
		term_count(events, t->events), term_plural(t->events),
		t->lost ? term_count(lost, t->lost) : "none");
	free(path);
}

/* The most traces of other processes that are listed. */
#define MAX_LISTED 4

/* Print what was recorded and what to do next. */
static void print_result(struct family *f, const struct family_trace *own,
			 const char *argv0)
{
	size_t listed = 1;
	char *path, *name, *self;

	if (!own) {
		fprintf(stderr, "memtrace: the program left no trace\n");
		return;
	}
	print_trace(own);
	/* Of a process that became another program, the last one is listed. */
	for (size_t i = 0; i < f->count && listed <= MAX_LISTED; i++) {
		const struct family_trace *t = &f->at[i];

		if (t == own || t != family_last(f, (pid_t)t->pid))
			continue;
		print_trace(t);
		listed++;
	}
	if (f->count > listed)
		fprintf(stderr, "memtrace: and %zu more of its children\n",
			f->count - listed);
	path = readable(own->path);
	name = util_format("%s-report", argv0);
	self = util_quote(name);
	fputs("memtrace: next: ", stderr);
	term_put_text(stderr, self);
	fputc(' ', stderr);
	term_put_text(stderr, path);
	fputc('\n', stderr);
	free(name);
	free(self);
	free(path);
}

/* Find what was recorded, finish it where only we can, and return it. */
static struct family find_family(const char *pattern, uint64_t since_ns,
				 int status)
{
	struct family family = {0};
	const struct family_trace *own;
	struct utsname host;

	if (uname(&host))
		*host.nodename = '\0';
	family_find(&family, pattern, host.nodename, child, since_ns);
	own = family_last(&family, child);
	if (own && WIFSIGNALED(status) && WTERMSIG(status) != SIGKILL)
		family_mark_signal(own, WTERMSIG(status));
	return family;
}

/* Return the exit status that stands for a wait status. */
static int exit_status(int status)
{
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status)
				   : WEXITSTATUS(status);
}

/* Run the program under the recorder; return its exit status, and what was
 * recorded in `family`. */
static int record(const struct launch *l, const char *path,
		  struct family *family)
{
	struct timespec start;
	char *pattern;
	int status;

	set_preload();
	pattern = set_options(l);
	clock_gettime(CLOCK_MONOTONIC, &start);
	status = run(path, l->argv);
	*family = find_family(pattern,
			      (uint64_t)start.tv_sec * 1000000000 +
				      (uint64_t)start.tv_nsec,
			      status);
	free(pattern);
	return exit_status(status);
}

/* Run the program of the command line; return the exit status. */
static int launch(const struct launch *l, const char *path, const char *argv0)
{
	struct family family;
	int status = record(l, path, &family);

	print_result(&family, family_last(&family, child), argv0);
	family_free(&family);
	return status;
}

/*
 * Have the traces written where nobody need see them, unless they are to be
 * somewhere. Return that directory, to be freed, or NULL.
 */
static char *hide_traces(struct launch *l)
{
	const char *options = getenv("MEMTRACE");
	char *dir, *pattern, *out;

	if (find_out(l->options) || (options && find_out(options)))
		return NULL;
	dir = scratch_make();
	if (!dir)
		fail("no directory in $TMPDIR", strerror(errno));
	pattern = directory_pattern(dir);
	out = util_format("%s/%%e.%%p.zst", pattern);
	add_option(l, find_key("out", 3), out);
	free(out);
	free(pattern);
	return dir;
}

/* Run the program and judge what it leaves; return the exit status. */
static int launch_checked(struct launch *l, const char *path)
{
	char *dir = hide_traces(l), *report = find_report();
	struct family family;
	int status = record(l, path, &family);
	bool said;

	unsetenv("LD_PRELOAD"); /* the report is none of its business */
	status = checked_judge(&(struct checked_case){.report = report,
						      .options = l->check,
						      .family = &family,
						      .pid = child,
						      .status = status},
			       &said);
	if (dir && said)
		fprintf(stderr, "memtrace: the traces are in %s\n", dir);
	else if (dir)
		scratch_remove(dir);
	family_free(&family);
	free(report);
	free(dir);
	return status;
}

/* Run a program that cannot be recorded; return the exit status. */
static int launch_unseen(const struct launch *l, const char *path,
			 const char *why)
{
	int status = exit_status(run(path, l->argv));

	if (!status)
		fprintf(stderr, "memtrace: not judged: %s: %s\n", l->argv[0],
			why);
	return status ? status : CHECKED_VACUOUS;
}

/* Do what the command line says; return the exit status. */
static int start(struct launch *l, const char *argv0)
{
	struct error e = {0};
	char *path;
	int status = program_find(l->argv[0], &path, &e);

	if (!status)
		status = program_check(path, &e);
	if (status == PROGRAM_REFUSED && l->check)
		status = launch_unseen(l, path, e.text);
	else if (status)
		fprintf(stderr, "memtrace: %s: %s\n", l->argv[0], e.text);
	else
		status = l->check ? launch_checked(l, path)
				  : launch(l, path, argv0);
	free(path);
	return status;
}

/* The command selftest; returns the exit status. */
static int test_self(void)
{
	char *self = own_path();
	int status = selftest_run(self);

	free(self);
	return status;
}

int main(int argc, char **argv)
{
	struct launch l = {.options = NULL};
	int status;

	if (selftest_is_planted(argv))
		return selftest_plant(argv);
	if (argc == 2 && !strcmp(argv[1], "selftest"))
		return test_self();
	l.options = util_copy("", 0);
	take_arguments(&l, argv);
	status = start(&l, argv[0]);
	free(l.options);
	return status;
}
