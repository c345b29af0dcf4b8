/* SPDX-License-Identifier: MIT */
/*
 * The files that belong to a module, by elfutils' libdwfl, which knows debug
 * links, build-id directories and debuginfod; see symfile.h.
 */
#include "symfile.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <unistd.h>

#include "symexpand.h"
#include "util.h"

/* Where distributions put debug info. */
#define DEBUG_DIRECTORY "/usr/lib/debug"

/* Return a path from the root; it need not exist. */
static char *absolute(const char *path)
{
	char *cwd, *result;

	if (*path == '/')
		return util_copy(path, strlen(path));
	cwd = getcwd(NULL, 0);
	result = util_format("%s/%s", cwd ? cwd : "", path);
	free(cwd);
	return result;
}

/* Add a directory to a path, before it is `*path`. */
static void append_directory(char **path, const char *directory)
{
	char *longer = util_format("%s:%s", *path, directory);

	free(*path);
	*path = longer;
}

/* Return the path of the debug file of a build-id in a directory. */
static char *path_of(const char *directory, const uint8_t *build_id,
		     size_t bytes)
{
	char *hex = util_hex(build_id, bytes);
	char *path = util_format("%s/.build-id/%.2s/%s.debug", directory, hex,
				 hex + 2);

	free(hex);
	return path;
}

/* Open the file at a path if it has a build-id; -1: not. */
static int open_build(const char *path, const uint8_t *build_id, size_t bytes)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	Elf *elf = fd < 0 ? NULL : elf_begin(fd, ELF_C_READ_MMAP, NULL);
	const void *bits;
	ssize_t n = elf ? dwelf_elf_gnu_build_id(elf, &bits) : -1;
	bool same = n >= 0 && (size_t)n == bytes &&
		    memcmp(bits, build_id, bytes) == 0;

	elf_end(elf);
	if (same || fd < 0)
		return fd;
	close(fd);
	return -1;
}

/*
 * Open the debug file of a build-id in one of the directories and set its
 * path, to be freed; -1: there is none.
 */
static int open_debug_file(const char *debug_path, const uint8_t *build_id,
			   size_t bytes, char **found)
{
	char *copy = util_copy(debug_path, strlen(debug_path));
	char *rest = copy, *directory;
	int fd = -1;

	while (fd < 0 && (directory = strsep(&rest, ":")))
		if (*directory == '/') {
			char *path = path_of(directory, build_id, bytes);

			fd = open_build(path, build_id, bytes);
			if (fd >= 0)
				*found = path;
			else
				free(path);
		}
	free(copy);
	return fd;
}

/*
 * Find the debug file of a module, or (by a link without a CRC) what that
 * shares with others: by build-id; else from where its file is, and if that
 * is below the sysroot, also as if it were not. What libdwfl finds when there
 * is a build-id it has opened by then, so that it can't be expanded.
 */
static int find_debug_file(Dwfl_Module *mod, void **userdata, const char *name,
			   Dwarf_Addr base, const char *file_name,
			   const char *link, GElf_Word crc, char **found)
{
	const struct symfile *f = *userdata;
	const char *root = f ? f->search->sysroot : NULL;
	const unsigned char *id;
	GElf_Addr address;
	int fd = -1, bytes = dwfl_module_build_id(mod, &id, &address);

	if (f && bytes > 0 && (crc || !link))
		fd = open_debug_file(f->search->debug_path, id, (size_t)bytes,
				     found);
	if (fd >= 0)
		return symexpand(fd);
	fd = dwfl_standard_find_debuginfo(mod, userdata, name, base, file_name,
					  link, crc, found);
	if (fd < 0 && root && file_name && util_starts(file_name, root) &&
	    file_name[strlen(root)] == '/')
		fd = dwfl_standard_find_debuginfo(mod, userdata, name, base,
						  file_name + strlen(root),
						  link, crc, found);
	return bytes > 0 ? fd : symexpand(fd);
}

void symfile_search_init(struct symfile_search *s, const char *sysroot,
			 const char *debug_path)
{
	char *copy = util_copy(debug_path ? debug_path : "",
			       debug_path ? strlen(debug_path) : 0);
	char *rest = copy, *directory;

	*s = (struct symfile_search){0};
	/* Check the CRC; the file's own directory, .debug in it. */
	s->debug_path = util_copy("+:.debug", 8);
	while ((directory = strsep(&rest, ":"))) {
		char *whole = absolute(directory);

		if (*directory)
			append_directory(&s->debug_path, whole);
		free(whole);
	}
	if (sysroot) {
		char *usual = util_format("%s" DEBUG_DIRECTORY, sysroot);
		char *whole = absolute(usual);

		append_directory(&s->debug_path, whole);
		s->sysroot = absolute(sysroot);
		free(usual);
		free(whole);
	}
	append_directory(&s->debug_path, DEBUG_DIRECTORY);
	s->callbacks = (Dwfl_Callbacks){
		.find_elf = dwfl_build_id_find_elf,
		.find_debuginfo = find_debug_file,
		.section_address = dwfl_offline_section_address,
		.debuginfo_path = &s->debug_path,
	};
	free(copy);
}

void symfile_search_free(struct symfile_search *s)
{
	free(s->sysroot);
	free(s->debug_path);
}

/*
 * Have libdw take the file that is open as `fd`, which becomes its own, at
 * the addresses that the file has.
 */
static bool report_file(struct symfile *f, const char *path, int fd)
{
	void **userdata;

	f->dwfl = dwfl_begin(&f->search->callbacks);
	if (f->dwfl) {
		dwfl_report_begin(f->dwfl);
		f->mod = dwfl_report_elf(f->dwfl, util_basename(path), path, fd,
					 0, true);
		dwfl_report_end(f->dwfl, NULL, NULL);
	}
	if (!f->mod) {
		close(fd);
		symfile_close(f);
		return false;
	}
	dwfl_module_info(f->mod, &userdata, NULL, NULL, NULL, NULL, NULL, NULL);
	*userdata = f;
	return true;
}

/* Tell whether a build-id (n <= 0: there is none) is the one recorded. */
static bool is_build(const struct symfile *f, const void *bits, ssize_t n)
{
	return n > 0 && (size_t)n == f->build_id_bytes &&
	       memcmp(bits, f->build_id, (size_t)n) == 0;
}

/* Tell whether the file has the build-id that was recorded. */
static bool same_build(const struct symfile *f)
{
	const unsigned char *bits;
	GElf_Addr address;
	int n = dwfl_module_build_id(f->mod, &bits, &address);

	return !f->build_id_bytes || is_build(f, bits, n);
}

/* Tell the same of the debug info, as libdwfl trusts what servers send. */
static bool same_debug_build(const struct symfile *f)
{
	const void *bits;
	ssize_t n = dwelf_elf_gnu_build_id(dwarf_getelf(f->dwarf), &bits);

	return !f->build_id_bytes || n <= 0 || is_build(f, bits, n);
}

/* Find the section of a type in a module's file; its header is enough. */
static bool find_section(const struct symfile *f, unsigned int type,
			 GElf_Shdr *header)
{
	GElf_Addr bias;
	Elf *elf = dwfl_module_getelf(f->mod, &bias);
	Elf_Scn *scn = NULL;

	while (elf && (scn = elf_nextscn(elf, scn)))
		if (gelf_getshdr(scn, header) && header->sh_type == type)
			return true;
	return false;
}

/* Tell whether a module has more symbols than it exports. */
static bool has_symtab(const struct symfile *f)
{
	GElf_Shdr header;
	size_t exports = 0;
	int n = dwfl_module_getsymtab(f->mod);

	if (find_section(f, SHT_SYMTAB, &header) && header.sh_size)
		return true;
	if (find_section(f, SHT_DYNSYM, &header) && header.sh_entsize)
		exports = header.sh_size / header.sh_entsize;
	return n > 0 && (size_t)n > exports;
}

/* Take the file open as `fd` (-1: there is none) if it is the right build. */
static enum sym_state try_fd(struct symfile *f, const char *path, int fd)
{
	if (fd < 0 || !report_file(f, path, symexpand(fd)))
		return SYM_MISSING;
	if (!same_build(f)) {
		symfile_close(f);
		return SYM_MISMATCH;
	}
	f->dwarf = dwfl_module_getdwarf(f->mod, &f->dwarf_bias);
	if (f->dwarf && !same_debug_build(f)) {
		symfile_close(f);
		return SYM_MISMATCH;
	}
	if (f->dwarf)
		return SYM_LINES;
	return has_symtab(f) ? SYM_NAMES : SYM_EXPORTS;
}

static enum sym_state try_path(struct symfile *f, const char *path)
{
	return try_fd(f, path, open(path, O_RDONLY | O_CLOEXEC));
}

/* Take over what was found, but that there is no file says nothing. */
static void note(enum sym_state *state, enum sym_state found)
{
	if (found != SYM_MISSING)
		*state = found;
}

/* Open the vdso that the kernel gave to this process; -1: it did not. */
static int open_vdso(void)
{
	const uint8_t *image =
		(const void *)(uintptr_t)getauxval(AT_SYSINFO_EHDR);
	const GElf_Ehdr *head = (const void *)image;
	size_t bytes;
	int fd;

	if (!image)
		return -1;
	bytes = head->e_shoff + (size_t)head->e_shnum * head->e_shentsize;
	fd = memfd_create("vdso", MFD_CLOEXEC);
	if (fd >= 0 && write(fd, image, bytes) != (ssize_t)bytes) {
		close(fd);
		fd = -1;
	}
	return fd;
}

/*
 * Look for a build-id in a directory: a file of debug info, which has all the
 * symbols too, else the module's own.
 */
static enum sym_state try_directory(struct symfile *f, const char *directory)
{
	char *path = path_of(directory, f->build_id, f->build_id_bytes);
	enum sym_state state = try_path(f, path);

	if (!f->mod) {
		path[strlen(path) - strlen(".debug")] = '\0';
		state = try_path(f, path);
	}
	free(path);
	return state;
}

/* Look for a build-id in all directories. */
static void try_directories(struct symfile *f, enum sym_state *state)
{
	char *copy =
		util_copy(f->search->debug_path, strlen(f->search->debug_path));
	char *rest = copy, *directory;

	while (!f->mod && (directory = strsep(&rest, ":")))
		if (*directory == '/')
			note(state, try_directory(f, directory));
	free(copy);
}

/* Have libdwfl ask the servers for a build-id; -1: none is named, or has it. */
static int ask_servers(const struct symfile *f, const char *path)
{
	const char *urls = getenv("DEBUGINFOD_URLS");
	Dwfl *dwfl = urls && *urls ? dwfl_begin(&f->search->callbacks) : NULL;
	const char *base = util_basename(path);
	char *found = NULL;
	void *userdata = NULL;
	Dwfl_Module *mod;
	Elf *elf = NULL;
	int fd = -1;

	if (!dwfl)
		return -1;
	dwfl_report_begin(dwfl);
	mod = dwfl_report_module(dwfl, base, 0, 1);
	if (mod && dwfl_module_report_build_id(mod, f->build_id,
					       f->build_id_bytes, 0) == 0) {
		fd = dwfl_standard_find_debuginfo(mod, &userdata, base, 0, NULL,
						  NULL, 0, &found);
		if (fd < 0)
			fd = dwfl_build_id_find_elf(mod, &userdata, base, 0,
						    &found, &elf);
	}
	if (elf)
		elf_end(elf);
	dwfl_report_end(dwfl, NULL, NULL);
	dwfl_end(dwfl);
	free(found);
	return fd;
}

/* Try where the module was, and there below the sysroot before that. */
static void try_places(struct symfile *f, const char *path,
		       enum sym_state *state)
{
	if (f->search->sysroot) {
		char *below = util_format("%s/%s", f->search->sysroot, path);

		note(state, try_path(f, below));
		free(below);
	}
	if (!f->mod)
		note(state, try_path(f, path));
}

enum sym_state symfile_open(struct symfile *f, const struct symfile_search *s,
			    const char *path, const uint8_t *build_id,
			    size_t build_id_bytes)
{
	enum sym_state state = SYM_MISSING;

	*f = (struct symfile){
		.search = s,
		.build_id = build_id,
		.build_id_bytes = build_id_bytes,
	};
	if (strcmp(path, "[vdso]") == 0) {
		if (build_id_bytes)
			note(&state, try_fd(f, path, open_vdso()));
		return state;
	}
	try_places(f, path, &state);
	if (!f->mod && build_id_bytes) {
		try_directories(f, &state);
		if (!f->mod)
			note(&state, try_fd(f, path, ask_servers(f, path)));
	}
	return state;
}

void symfile_close(struct symfile *f)
{
	if (f->dwfl)
		dwfl_end(f->dwfl);
	f->dwfl = NULL;
	f->mod = NULL;
	f->dwarf = NULL;
}

Dwarf *symfile_begin_dwarf(const struct symfile *f)
{
	Dwarf *dwarf, *alt;

	if (!f->dwarf)
		return NULL;
	dwarf = dwarf_begin_elf(dwarf_getelf(f->dwarf), DWARF_C_READ, NULL);
	alt = dwarf ? dwarf_getalt(f->dwarf) : NULL;
	if (alt)
		dwarf_setalt(dwarf, alt);
	return dwarf;
}

bool symfile_is_apart(const struct symfile *f)
{
	GElf_Addr bias;
	Elf *elf = f->dwarf ? dwarf_getelf(f->dwarf)
			    : dwfl_module_getelf(f->mod, &bias);
	Elf_Scn *scn = NULL;
	GElf_Shdr header;

	/* A file of debug info has the sections of code by name only. */
	while (elf && (scn = elf_nextscn(elf, scn)))
		if (gelf_getshdr(scn, &header) &&
		    header.sh_flags & SHF_EXECINSTR)
			return header.sh_type == SHT_NOBITS;
	return false;
}

/* Give the memory behind the mapping of one file back. */
static void forget_file(Elf *elf)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE), start, end;
	GElf_Ehdr head;
	size_t bytes;
	char *map;

	/* Relocated sections of others were changed in place. */
	if (!elf || !gelf_getehdr(elf, &head) || head.e_type == ET_REL)
		return;
	map = elf_rawfile(elf, &bytes);
	if (!map)
		return;
	start = ((uint64_t)(uintptr_t)map + page - 1) & ~(page - 1);
	/* So are the headers of compressed sections, behind all others. */
	if (head.e_shoff < bytes)
		bytes = head.e_shoff;
	end = ((uint64_t)(uintptr_t)map + bytes) & ~(page - 1);
	if (start < end)
		madvise((void *)(uintptr_t)start, end - start, MADV_DONTNEED);
}

void symfile_forget(const struct symfile *f)
{
	if (f->dwarf)
		forget_file(dwarf_getelf(f->dwarf));
}
