/* SPDX-License-Identifier: MIT */
/* The loaded modules that stacks pass through; see modules.h. */
#include "modules.h"

#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>

#include <memtrace/format.h>

#include "arena.h"
#include "maps.h"
#include "sys.h"

#define MAX_MODULES 4096

static struct {
	struct mt_module *module[MAX_MODULES];
	uint32_t count;
	uint32_t next_id;
	uint64_t loader_base;
	mt_module_loaded *loaded;
	char exe[MT_PATH_BYTES]; /* the program, which has no name there */
	int (*find_object)(void *pc, struct dl_find_object *result);
} modules;

/* Note the build-id among the notes at [p, end). */
static void read_notes(struct mt_module *m, const uint8_t *p,
		       const uint8_t *end)
{
	while ((size_t)(end - p) >= sizeof(Elf64_Nhdr)) {
		const Elf64_Nhdr *note = (const Elf64_Nhdr *)p;
		uint64_t name = MT_ALIGN_UP((uint64_t)note->n_namesz, 4);
		uint64_t desc = MT_ALIGN_UP((uint64_t)note->n_descsz, 4);

		p += sizeof(*note);
		if (name + desc > (uint64_t)(end - p))
			return;
		if (note->n_type == NT_GNU_BUILD_ID && note->n_namesz == 4 &&
		    memcmp(p, "GNU", 4) == 0 &&
		    note->n_descsz <= MT_BUILD_ID_BYTES) {
			m->build_id_bytes = note->n_descsz;
			memcpy(m->build_id, p + name, note->n_descsz);
		}
		p += name + desc;
	}
}

/* Read the program headers at m->start; false when that is no ELF file. */
static bool read_headers(struct mt_module *m)
{
	const uint8_t *base = (const uint8_t *)(uintptr_t)m->start;
	const Elf64_Ehdr *ehdr = (const Elf64_Ehdr *)base;
	const Elf64_Phdr *phdr = (const Elf64_Phdr *)(base + ehdr->e_phoff);
	bool first = true;

	if (memcmp(ehdr->e_ident, ELFMAG, SELFMAG) != 0 ||
	    ehdr->e_phentsize != sizeof(*phdr) ||
	    ehdr->e_phoff + ehdr->e_phnum * sizeof(*phdr) > MT_PAGE_BYTES)
		return false;
	for (int i = 0; i < ehdr->e_phnum; i++) {
		if (phdr[i].p_type != PT_LOAD)
			continue;
		if (first)
			m->bias = m->start -
				  (phdr[i].p_vaddr & ~(MT_PAGE_BYTES - 1));
		first = false;
		m->end = m->bias + phdr[i].p_vaddr + phdr[i].p_memsz;
	}
	m->end = MT_ALIGN_UP(m->end, MT_PAGE_BYTES);
	m->cfi.start = base;
	m->cfi.end = (const uint8_t *)(uintptr_t)m->end;
	for (int i = 0; i < ehdr->e_phnum && !first; i++) {
		const uint8_t *at =
			(const uint8_t *)(uintptr_t)(m->bias + phdr[i].p_vaddr);

		if (phdr[i].p_type == PT_GNU_EH_FRAME) {
			m->cfi.header = at;
			m->cfi.header_bytes = phdr[i].p_memsz;
		} else if (phdr[i].p_type == PT_NOTE) {
			read_notes(m, at, at + phdr[i].p_memsz);
		}
	}
	return !first;
}

/* Ask the loader's lock-free table; false: it does not know the pc. */
static bool ask_loader(struct mt_module *m, uint64_t pc)
{
	struct dl_find_object object;
	const char *name;

	if (!modules.find_object ||
	    modules.find_object((void *)(uintptr_t)pc, &object) != 0)
		return false;
	name = object.dlfo_link_map->l_name;
	m->path[0] = '\0';
	sys_append(m->path, sizeof(m->path), *name ? name : modules.exe);
	m->start = (uint64_t)(uintptr_t)object.dlfo_map_start;
	m->end = (uint64_t)(uintptr_t)object.dlfo_map_end;
	return read_headers(m);
}

/* Ask the kernel; false: this is no code. */
static bool ask_kernel(struct mt_module *m, uint64_t pc)
{
	struct mt_mapping map;

	if (!mt_maps_find(pc, &map, m->path, sizeof(m->path)) ||
	    !map.executable)
		return false;
	m->start = map.file_start;
	m->inode = map.inode;
	if (m->path[0] && map.file_readable && read_headers(m))
		return true;
	m->id = MT_NO_MODULE;
	m->start = map.start;
	m->end = map.end;
	return true;
}

/* Make the module of the mapping that holds `pc`. */
static struct mt_module *discover(uint64_t pc)
{
	static struct mt_module found; /* under the caller's lock */
	struct mt_module *m;
	size_t bytes;

	memset(&found, 0, offsetof(struct mt_module, path));
	found.id = modules.next_id;
	if (modules.count == MAX_MODULES ||
	    (!ask_loader(&found, pc) && !ask_kernel(&found, pc)))
		return NULL;
	found.loader = found.start == modules.loader_base;
	bytes = offsetof(struct mt_module, path) + strlen(found.path) + 1;
	m = mt_arena_alloc(bytes);
	if (!m)
		return NULL;
	memcpy(m, &found, bytes);
	modules.module[modules.count++] = m;
	if (m->id != MT_NO_MODULE) {
		modules.next_id++;
		modules.loaded(m);
	}
	return m;
}

void mt_modules_init(void)
{
	void *f = dlsym(RTLD_DEFAULT, "_dl_find_object"); /* glibc 2.35 */

	memcpy(&modules.find_object, &f, sizeof(f));
	modules.loader_base = getauxval(AT_BASE);
	if (sys_readlink("/proc/self/exe", modules.exe, sizeof(modules.exe)) <
	    0)
		sys_append(modules.exe, sizeof(modules.exe), "unknown");
}

void mt_modules_reset(mt_module_loaded *loaded)
{
	modules.count = 0;
	modules.next_id = 0;
	modules.loaded = loaded;
}

const struct mt_module *mt_module_find(uint64_t pc)
{
	for (uint32_t i = modules.count; i-- > 0;) {
		struct mt_module *m = modules.module[i];

		if (pc - m->start < m->end - m->start)
			return m;
	}
	return discover(pc);
}

bool mt_module_is_own(const struct mt_module *m)
{
	return m->loader || m == mt_module_find((uint64_t)(uintptr_t)getenv) ||
	       m == mt_module_find((uint64_t)(uintptr_t)mt_module_is_own);
}

/* Whether a module is loaded still. */
static bool is_loaded(const struct mt_module *m)
{
	struct dl_find_object object;
	struct mt_mapping map;

	if (m->id == MT_NO_MODULE)
		return false; /* cheap to find again, and not to be trusted */
	if (m->path[0] == '[')
		return true;
	if (modules.find_object)
		return modules.find_object((void *)(uintptr_t)m->start,
					   &object) == 0 &&
		       (uint64_t)(uintptr_t)object.dlfo_map_start == m->start;
	return mt_maps_find(m->start, &map, NULL, 0) && map.start == m->start &&
	       map.inode == m->inode;
}

unsigned int mt_modules_check(void (*gone)(const struct mt_module *module))
{
	unsigned int n = 0;

	for (uint32_t i = modules.count; i-- > 0;) {
		struct mt_module *m = modules.module[i];

		if (is_loaded(m))
			continue;
		modules.module[i] = modules.module[--modules.count];
		gone(m);
		n++;
	}
	return n;
}
