/* SPDX-License-Identifier: MIT */
/*
 * The file that a module was loaded from, by elfutils' libdwfl, which finds
 * what belongs to it: debug links, build-id directories, debuginfod.
 */
#include "symfile.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "util.h"

/* Have libdw take a module's file, at the addresses that the file has. */
static bool report_file(struct symfile *f, const char *path)
{
	static char *debug_path;
	static const Dwfl_Callbacks callbacks = {
		.find_elf = dwfl_build_id_find_elf,
		.find_debuginfo = dwfl_standard_find_debuginfo,
		.section_address = dwfl_offline_section_address,
		.debuginfo_path = &debug_path,
	};
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return false;
	f->dwfl = dwfl_begin(&callbacks);
	if (!f->dwfl) {
		close(fd);
		return false;
	}
	dwfl_report_begin(f->dwfl);
	f->mod = dwfl_report_elf(f->dwfl, util_basename(path), path, fd, 0,
				 true);
	dwfl_report_end(f->dwfl, NULL, NULL);
	if (!f->mod)
		close(fd);
	return f->mod;
}

/* Tell whether the file has the build-id that the trace has. */
static bool same_build(const struct symfile *f, const uint8_t *build_id,
		       size_t build_id_bytes)
{
	const unsigned char *bits;
	GElf_Addr address;
	int n = dwfl_module_build_id(f->mod, &bits, &address);

	if (n <= 0 || !build_id_bytes)
		return true;
	return (size_t)n == build_id_bytes &&
	       memcmp(bits, build_id, (size_t)n) == 0;
}

/* Tell whether a module has a full symbol table, not only its exports. */
static bool has_symtab(const struct symfile *f)
{
	GElf_Addr bias;
	Elf *elf = dwfl_module_getelf(f->mod, &bias);
	Elf_Scn *scn = NULL;

	while (elf && (scn = elf_nextscn(elf, scn))) {
		GElf_Shdr header;

		if (gelf_getshdr(scn, &header) &&
		    header.sh_type == SHT_SYMTAB && header.sh_size)
			return true;
	}
	return false;
}

enum sym_state symfile_open(struct symfile *f, const char *path,
			    const uint8_t *build_id, size_t build_id_bytes)
{
	if (!report_file(f, path))
		return SYM_MISSING;
	if (!same_build(f, build_id, build_id_bytes))
		return SYM_MISMATCH;
	f->dwarf = dwfl_module_getdwarf(f->mod, &f->dwarf_bias);
	if (f->dwarf)
		return SYM_LINES;
	return has_symtab(f) ? SYM_NAMES : SYM_EXPORTS;
}

void symfile_close(struct symfile *f)
{
	if (f->dwfl)
		dwfl_end(f->dwfl);
}
