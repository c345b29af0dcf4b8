/* SPDX-License-Identifier: MIT */
/* Which programs can be recorded; see program.h. */
#include "program.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

/* Scripts may name scripts; the kernel follows as many. */
#define MAX_SCRIPTS 5

/* What is asked of an ELF file. */
struct elf {
	unsigned char class; /* EI_CLASS */
	uint16_t machine;
	char loader[256]; /* PT_INTERP; empty: none */
};

/* Return 0 when `path` is a file we may execute, else an errno. */
static int executable(const char *path)
{
	struct stat st;

	if (stat(path, &st))
		return errno;
	if (S_ISDIR(st.st_mode))
		return EISDIR;
	if (!S_ISREG(st.st_mode) || access(path, X_OK))
		return EACCES;
	return 0;
}

/* Turn an errno of running a program into an exit status and its reason. */
static int refuse(int error, struct error *e)
{
	error_set(e, ERROR_NO_OFFSET, "%s",
		  error == ENOENT ? "no such program" : strerror(error));
	return error == ENOENT || error == ENOTDIR ? PROGRAM_NOT_FOUND
						   : PROGRAM_NOT_EXECUTABLE;
}

/* Look `name` up in $PATH; return its path, or NULL and an errno. */
static char *search(const char *name, int *error)
{
	const char *dir = getenv("PATH");

	if (!dir)
		dir = "/usr/local/bin:/bin:/usr/bin";
	for (*error = ENOENT;; dir++) {
		size_t n = strcspn(dir, ":");
		char *path = util_format("%.*s%s%s", (int)n, dir,
					 n ? "/" : "./", name);
		int failed = executable(path);

		if (!failed)
			return path;
		free(path);
		if (failed == EACCES)
			*error = EACCES;
		dir += n;
		if (!*dir)
			return NULL;
	}
}

int program_find(const char *name, char **path, struct error *e)
{
	int error = ENOENT;

	if (strchr(name, '/')) {
		error = executable(name);
		*path = error ? NULL : util_copy(name, strlen(name));
	} else {
		*path = *name ? search(name, &error) : NULL;
	}
	return *path ? 0 : refuse(error, e);
}

/* Read the loader's name out of a native file's program headers. */
static bool read_loader(int fd, struct elf *elf)
{
	ElfW(Ehdr) head;
	ElfW(Phdr) ph;

	if (!util_read_at(fd, &head, sizeof(head), 0) ||
	    head.e_phentsize != sizeof(ph))
		return false;
	for (unsigned int i = 0; i < head.e_phnum; i++) {
		if (!util_read_at(fd, &ph, sizeof(ph),
				  head.e_phoff + i * sizeof(ph)))
			return false;
		if (ph.p_type != PT_INTERP)
			continue;
		size_t n = sizeof(elf->loader) - 1;

		if (ph.p_filesz < n)
			n = ph.p_filesz;
		return util_read_at(fd, elf->loader, n, ph.p_offset);
	}
	return true;
}

/* Read what is asked of the ELF file `fd`; false: it is none, or damaged. */
static bool read_elf(int fd, struct elf *elf)
{
	struct {
		unsigned char ident[EI_NIDENT];
		uint16_t type, machine;
	} head;

	memset(elf, 0, sizeof(*elf));
	if (!util_read_at(fd, &head, sizeof(head), 0) ||
	    memcmp(head.ident, ELFMAG, SELFMAG) != 0)
		return false;
	elf->class = head.ident[EI_CLASS];
	elf->machine = head.machine;
	if (elf->class != (sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32))
		return true;
	return read_loader(fd, elf);
}

/* Say why an ELF file cannot be recorded: what it is, unlike ourselves. */
static int judge_elf(const struct elf *elf, const struct elf *self,
		     const char *what, struct error *e)
{
	if (elf->class != self->class)
		error_set(e, ERROR_NO_OFFSET,
			  "%s is a %d-bit program and libmemtrace.so is not: "
			  "build it for %d bits",
			  what, elf->class == ELFCLASS32 ? 32 : 64,
			  self->class == ELFCLASS32 ? 32 : 64);
	else if (elf->machine != self->machine)
		error_set(e, ERROR_NO_OFFSET,
			  "%s is for another machine (ELF machine %u)", what,
			  elf->machine);
	else if (!*elf->loader)
		error_set(e, ERROR_NO_OFFSET,
			  "%s is statically linked, so nothing can be "
			  "preloaded into it: link it dynamically",
			  what);
	else if (strcmp(util_basename(elf->loader),
			util_basename(self->loader)) != 0)
		error_set(e, ERROR_NO_OFFSET,
			  "%s is linked to another C library (its loader is "
			  "%.80s)",
			  what, elf->loader);
	else
		return 0;
	return PROGRAM_REFUSED;
}

/*
 * Say whether the kernel would run a file with privileges of its own: then
 * the loader ignores LD_PRELOAD. Who may run it recorded all the same (its
 * owner) is refused as well, so that the answer does not depend on who asks.
 */
static int judge_privileges(int fd, const char *what, struct error *e)
{
	struct stat st;

	if (fstat(fd, &st))
		return refuse(errno, e);
	bool setuid = st.st_mode & S_ISUID;
	bool setgid = st.st_mode & S_ISGID && st.st_mode & S_IXGRP;

	if (setuid || setgid)
		error_set(e, ERROR_NO_OFFSET,
			  "%s is %s, so LD_PRELOAD does not reach it: record a "
			  "copy without that bit (cp)",
			  what, setuid ? "setuid" : "setgid");
	else if (fgetxattr(fd, "security.capability", NULL, 0) > 0)
		error_set(e, ERROR_NO_OFFSET,
			  "%s has file capabilities, so LD_PRELOAD does not "
			  "reach it: record a copy without them (cp)",
			  what);
	else
		return 0;
	return PROGRAM_REFUSED;
}

/* Judge an open file that should be an ELF program. */
static int judge(int fd, const char *what, struct error *e)
{
	int self_fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	struct elf elf, self;
	bool known = self_fd >= 0 && read_elf(self_fd, &self);
	int status;

	if (self_fd >= 0)
		close(self_fd);
	if (!read_elf(fd, &elf)) {
		error_set(e, ERROR_NO_OFFSET,
			  "%s is neither an ELF program nor a script with #!",
			  what);
		return PROGRAM_NOT_EXECUTABLE;
	}
	status = known ? judge_elf(&elf, &self, what, e) : 0;
	return status ? status : judge_privileges(fd, what, e);
}

/* Read the interpreter of a script; NULL: the file is none. */
static char *read_script(int fd)
{
	char line[256] = "";

	if (pread(fd, line, sizeof(line) - 1, 0) < 3 ||
	    memcmp(line, "#!", 2) != 0)
		return NULL;
	char *p = line + 2 + strspn(line + 2, " \t");

	return util_copy(p, strcspn(p, " \t\n"));
}

/*
 * Judge one file of the chain that #! lines make. 0 and an interpreter, to be
 * freed: the chain goes on there.
 */
static int check_file(const char *file, const char *what, char **interpreter,
		      struct error *e)
{
	int error = executable(file);
	int fd = error ? -1 : open(file, O_RDONLY | O_CLOEXEC);
	int status = 0;

	*interpreter = NULL;
	if (error) {
		error_set(e, ERROR_NO_OFFSET, "%s: %s", what, strerror(error));
		return refuse(error, e);
	}
	/* One that we may run and not read: let the kernel decide. */
	if (fd < 0)
		return 0;
	*interpreter = read_script(fd);
	if (!*interpreter)
		status = judge(fd, what, e);
	close(fd);
	return status;
}

int program_check(const char *path, struct error *e)
{
	char *file = util_copy(path, strlen(path)), *what = util_copy("it", 2);
	char *next;
	int status = check_file(file, what, &next, e);

	for (int i = 0; next && i < MAX_SCRIPTS; i++) {
		free(file);
		free(what);
		file = next;
		what = util_format("its interpreter %.100s", file);
		status = check_file(file, what, &next, e);
	}
	free(next);
	free(file);
	free(what);
	return status;
}
