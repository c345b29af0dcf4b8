/* SPDX-License-Identifier: MIT */
/*
 * Shows that code addresses get the right names, with the frames of inlined
 * functions, in whatever order they are asked for; on this program itself,
 * which is built with debug info. That variables have theirs, too. And that the
 * vdso's are only those of the same kernel.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "self.h"
#include "suite.h"
#include "sym.h"
#include "symdwarf.h"
#include "util.h"

static void *volatile sink;

/* Return the address behind the call, which is what a stack holds. */
static __attribute__((noinline)) void *here(void)
{
	return __builtin_return_address(0);
}

char variable_of_test[24];

static int innermost_line, middle_line, outer_line;

static inline __attribute__((always_inline)) void *innermost(void)
{
	void *p = (innermost_line = __LINE__, here());

	return sink = p;
}

static inline __attribute__((always_inline)) void *middle(void)
{
	void *p = (middle_line = __LINE__, innermost());

	return sink = p;
}

static __attribute__((noinline)) void *outer(void)
{
	void *p = (outer_line = __LINE__, middle());

	return sink = p;
}

static const char *file_name(const char *path)
{
	return path ? util_basename(path) : "";
}

START_TEST(expands_inlined_functions)
{
	struct sym *s = sym_new(NULL);
	size_t module = sym_add(s, exe, NULL, 0);
	struct sym_frame f[SYM_MAX_FRAMES];
	uint64_t address = (uint64_t)outer() - self_bias - 1;

	ck_assert_int_eq(sym_module_state(s, module), SYM_LINES);
	ck_assert_uint_eq(sym_lookup(s, module, address, f), 3);
	ck_assert_str_eq(f[0].function, "innermost");
	ck_assert_str_eq(f[1].function, "middle");
	ck_assert_str_eq(f[2].function, "outer");
	ck_assert_uint_eq(f[0].line, innermost_line);
	ck_assert_uint_eq(f[1].line, middle_line);
	ck_assert_uint_eq(f[2].line, outer_line);
	for (int i = 0; i < 3; i++)
		ck_assert_str_eq(file_name(f[i].file), "test_sym.c");
	sym_free(s);
}
END_TEST

START_TEST(says_when_it_knows_nothing)
{
	static const uint8_t other_build[20] = {1, 2, 3};
	struct sym *s = sym_new(NULL);
	size_t missing = sym_add(s, "/nonexistent/lib.so", NULL, 0);
	size_t other = sym_add(s, exe, other_build, sizeof(other_build));
	size_t here_it_is = sym_add(s, exe, NULL, 0);
	struct sym_frame f[SYM_MAX_FRAMES];

	ck_assert_uint_eq(sym_lookup(s, missing, 0x1000, f), 0);
	ck_assert_int_eq(sym_module_state(s, missing), SYM_MISSING);
	ck_assert_uint_eq(sym_lookup(s, other, 0x1000, f), 0);
	ck_assert_int_eq(sym_module_state(s, other), SYM_MISMATCH);
	ck_assert_uint_eq(sym_lookup(s, here_it_is, UINT64_MAX / 2, f), 0);
	sym_free(s);
}
END_TEST

/* The code of this program. */
extern const char __executable_start[], etext[];

/* Return some address of the code, as the file has it. */
static uint64_t some_address(unsigned int *seed)
{
	uint64_t span = (uint64_t)(etext - __executable_start);

	return (uint64_t)__executable_start - self_bias +
	       (uint64_t)rand_r(seed) % span;
}

static void check_same(const struct sym_frame *a, const struct sym_frame *b,
		       size_t n)
{
	for (size_t i = 0; i < n; i++) {
		ck_assert_pstr_eq(a[i].function, b[i].function);
		ck_assert_pstr_eq(a[i].linkage, b[i].linkage);
		ck_assert_pstr_eq(a[i].file, b[i].file);
		ck_assert_uint_eq(a[i].line, b[i].line);
	}
}

#define ADDRESSES 2000

START_TEST(says_the_same_when_asked_at_once)
{
	struct sym *one = sym_new(NULL), *all = sym_new(NULL);
	size_t module = sym_add(one, exe, NULL, 0);
	struct sym_frame f[SYM_MAX_FRAMES], g[SYM_MAX_FRAMES];
	uint64_t addresses[ADDRESSES];
	unsigned int seed = 1;
	size_t known = 0;

	ck_assert_uint_eq(sym_add(all, exe, NULL, 0), module);
	for (int i = 0; i < ADDRESSES; i++)
		addresses[i] = some_address(&seed);
	sym_prefetch(all, module, addresses, ADDRESSES);
	for (int i = 0; i < ADDRESSES; i++) {
		size_t n = sym_lookup(one, module, addresses[i], f);

		ck_assert_uint_eq(sym_lookup(all, module, addresses[i], g), n);
		check_same(f, g, n);
		known += n > 0;
	}
	ck_assert_uint_gt(known, ADDRESSES / 10);
	sym_free(one);
	sym_free(all);
}
END_TEST

/* Look addresses up in a file, and again with what was decoded dropped. */
static void check_dropping(const char *path)
{
	struct symfile_search search;
	struct symfile file;
	struct symdwarf keeps = {.file = &file}, drops = {.file = &file};
	struct symname names = {0};
	struct sym_frame f[SYM_MAX_FRAMES], g[SYM_MAX_FRAMES];
	unsigned int seed = 2;
	size_t known = 0;

	symfile_search_init(&search, NULL, NULL);
	ck_assert_int_eq(symfile_open(&file, &search, path, NULL, 0),
			 SYM_LINES);
	for (int i = 0; i < ADDRESSES; i++) {
		uint64_t address = some_address(&seed);
		size_t n = symdwarf_lookup(&keeps, &names, address, f);

		if (i % 10 == 0)
			drops.read_bytes = UINT64_MAX;
		ck_assert_uint_eq(symdwarf_lookup(&drops, &names, address, g),
				  n);
		check_same(f, g, n);
		known += n > 0;
	}
	ck_assert_uint_gt(known, ADDRESSES / 10);
	symdwarf_free(&keeps);
	symdwarf_free(&drops);
	symname_free(&names);
	symfile_close(&file);
	symfile_search_free(&search);
}

/* What was decoded goes when there is too much of it; it comes back. */
START_TEST(says_the_same_after_dropping)
{
	check_dropping(exe);
}
END_TEST

/* Also when libelf has expanded a debug file, there being no place for it. */
START_TEST(says_the_same_after_dropping_what_was_expanded)
{
	char command[3 * sizeof(exe)];

	snprintf(command, sizeof(command),
		 "objcopy --only-keep-debug --compress-debug-sections '%s' x &&"
		 "truncate -s +8K x && cp '%s' bare && strip bare &&"
		 "objcopy --add-gnu-debuglink=x bare",
		 exe, exe);
	ck_assert_int_eq(system(command), 0);
	setenv("TMPDIR", "/nonexistent", 1);
	check_dropping("bare");
	ck_assert_int_eq(unlink("x") | unlink("bare"), 0);
}
END_TEST

START_TEST(names_variables)
{
	struct sym *s = sym_new(NULL);
	size_t module = sym_add(s, exe, NULL, 0);
	uint64_t address = (uintptr_t)variable_of_test - self_bias, offset;

	for (uint64_t i = 0; i < sizeof(variable_of_test); i++) {
		const char *name =
			sym_variable(s, module, address + i, &offset);

		ck_assert_ptr_nonnull(name);
		ck_assert_str_eq(name, "variable_of_test");
		ck_assert_uint_eq(offset, i);
	}
	/* A function is none, nor what is behind the last. */
	ck_assert_ptr_null(
		sym_variable(s, module, (uintptr_t)outer - self_bias, &offset));
	ck_assert_ptr_null(sym_variable(s, module, 1ull << 40, &offset));
	ck_assert_ptr_null(
		sym_variable(s, sym_add(s, "/nowhere", NULL, 0), 8, &offset));
	sym_free(s);
}
END_TEST

START_TEST(knows_a_module_once)
{
	static const uint8_t id[2][8] = {{1}, {2}};
	struct sym *s = sym_new(NULL);
	size_t first = sym_add(s, "/a", id[0], 8);

	ck_assert_uint_ne(sym_add(s, "/b", id[0], 8), first);
	ck_assert_uint_ne(sym_add(s, "/a", id[1], 8), first);
	ck_assert_uint_ne(sym_add(s, "/a", NULL, 0), first);
	ck_assert_uint_eq(sym_add(s, "/a", id[0], 8), first);
	sym_free(s);
}
END_TEST

/* Where the vdso's build-id is; 0 bytes: there is none. */
static struct {
	const uint8_t *at;
	size_t bytes;
} vdso_id;

/* Find the build-id among the notes of the vdso. */
static int find_vdso(struct dl_phdr_info *info, size_t size, void *arg)
{
	(void)size;
	(void)arg;
	if (info->dlpi_phdr !=
	    (const void *)(getauxval(AT_SYSINFO_EHDR) + sizeof(ElfW(Ehdr))))
		return 0;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const uint8_t *p = (const uint8_t *)info->dlpi_addr +
				   info->dlpi_phdr[i].p_vaddr;
		const uint8_t *end = p + info->dlpi_phdr[i].p_memsz;

		while (info->dlpi_phdr[i].p_type == PT_NOTE && p < end) {
			const ElfW(Nhdr) *note = (const void *)p;

			p += sizeof(*note) + ((note->n_namesz + 3) & ~3u);
			if (note->n_type == NT_GNU_BUILD_ID) {
				vdso_id.at = p;
				vdso_id.bytes = note->n_descsz;
			}
			p += (note->n_descsz + 3) & ~3u;
		}
	}
	return 1;
}

START_TEST(names_the_vdso)
{
	struct sym *s = sym_new(NULL);
	struct sym_frame f[SYM_MAX_FRAMES];
	uint8_t other[64] = {0};
	size_t found = 0, module;

	dl_iterate_phdr(find_vdso, NULL);
	if (!vdso_id.bytes)
		return;
	module = sym_add(s, "[vdso]", vdso_id.at, vdso_id.bytes);
	for (uint64_t address = 0; address < 8192; address += 4)
		if (sym_lookup(s, module, address, f) &&
		    strstr(f[0].function, "clock_gettime"))
			found++;
	ck_assert_uint_gt(found, 0);
	module = sym_add(s, "[vdso]", other, vdso_id.bytes);
	ck_assert_int_eq(sym_module_state(s, module), SYM_MISMATCH);
	ck_assert_uint_eq(sym_lookup(s, module, 0x1000, f), 0);
	module = sym_add(s, "[vdso]", NULL, 0);
	ck_assert_int_eq(sym_module_state(s, module), SYM_MISSING);
	sym_free(s);
}
END_TEST

static void add(TCase *c)
{
	tcase_add_checked_fixture(c, self_find, NULL);
	tcase_add_test(c, expands_inlined_functions);
	tcase_add_test(c, says_when_it_knows_nothing);
	tcase_add_test(c, says_the_same_when_asked_at_once);
	tcase_add_test(c, says_the_same_after_dropping);
	tcase_add_test(c, says_the_same_after_dropping_what_was_expanded);
	tcase_add_test(c, names_variables);
	tcase_add_test(c, knows_a_module_once);
	tcase_add_test(c, names_the_vdso);
}

int main(void)
{
	return suite_main("sym", add);
}
