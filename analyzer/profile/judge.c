/* SPDX-License-Identifier: MIT */
/*
 * Whose a frame is: lists of names, by what each language's tools call things.
 */
#include "judge.h"

#include <string.h>

#include "util.h"

/* Modules of the runtimes, by how their file's name begins. */
static const char *const runtime_modules[] = {
	"libmemtrace.so", "libc.so",	 "libc-2",
	"libstdc++.so",	  "libc++.so",	 "libc++abi.so",
	"libgcc_s.so",	  "ld-linux",	 "ld-2",
	"ld-musl",	  "libpthread",	 "libdl.so",
	"libdl-2",	  "librt.so",	 "libunwind.so",
	"libjemalloc",	  "libtcmalloc", "libmimalloc",
	"[vdso]",	  "linux-vdso",	 NULL,
};

/* How the linkage names of library internals begin. */
static const char *const library_linkage[] = {
	"_Znw",		  "_Zna",   "_Zdl",    "_Zda",	 "_ZSt",
	"_ZNSt",	  "_ZNKSt", "_ZNSa",   "_ZNKSa", "_ZNSs",
	"_ZNKSs",	  "_ZNSi",  "_ZNSo",   "_ZNSd",	 "_ZN9__gnu_cxx",
	"_ZNK9__gnu_cxx", "__cxa_", "__rust_", "__rg_",	 "__rdl_",
	"__rustc",	  NULL,
};

/*
 * How their demangled names begin, behind the '<' of Rust's "<T as Trait>";
 * with "void " where C++'s templates have it.
 */
static const char *const library_names[] = {
	"std::",      "__gnu_cxx::", "operator new", "operator delete",
	"void std::", "alloc::",     "core::",	     "hashbrown::",
	"__rustc::",  NULL,
};

/* What the paths of their templates' and generics' source hold. */
static const char *const library_files[] = {
	"/include/c++/", "/usr/lib/gcc/", "/rustc/", "/lib/rustlib/src/", NULL,
};

/* Functions that stand for malloc in many programs, and a program's start. */
static const char *const wrapper_names[] = {
	"malloc",	  "calloc",
	"realloc",	  "reallocarray",
	"free",		  "cfree",
	"posix_memalign", "aligned_alloc",
	"memalign",	  "valloc",
	"pvalloc",	  "strdup",
	"strndup",	  "asprintf",
	"vasprintf",	  "xmalloc",
	"xcalloc",	  "xrealloc",
	"xreallocarray",  "xzalloc",
	"xstrdup",	  "xstrndup",
	"xmemdup",	  "xmallocz",
	"xmemdupz",	  "do_xmalloc",
	"do_xmallocz",	  "x2realloc",
	"x2nrealloc",	  "xnmalloc",
	"xnrealloc",	  "xcharalloc",
	"safe_malloc",	  "safe_realloc",
	"g_malloc",	  "g_malloc0",
	"g_malloc_n",	  "g_malloc0_n",
	"g_realloc",	  "g_realloc_n",
	"g_try_malloc",	  "g_try_realloc",
	"g_strdup",	  "g_strndup",
	"g_memdup",	  "g_memdup2",
	"g_slice_alloc",  "g_slice_alloc0",
	"_start",	  NULL,
};

static bool starts_with_any(const char *s, const char *const *prefixes)
{
	for (; s && *prefixes; prefixes++)
		if (util_starts(s, *prefixes))
			return true;
	return false;
}

/* Tell whether a frame is of a language's own library. */
static bool is_library(const struct sym_frame *f)
{
	const char *name = f->function + strspn(f->function, "<&");

	if (starts_with_any(f->linkage, library_linkage) ||
	    starts_with_any(name, library_names))
		return true;
	for (const char *const *part = library_files; *part; part++)
		if (f->file && strstr(f->file, *part))
			return true;
	return false;
}

/* Tell whether a frame of the program's modules is to be passed over. */
static bool is_wrapper(const struct sym_frame *f)
{
	if (is_library(f))
		return true;
	for (const char *const *name = wrapper_names; *name; name++)
		if (strcmp(*name, f->function) == 0)
			return true;
	return false;
}

bool judge_is_runtime(const char *path, const char *allocator, const char *exe)
{
	if (allocator && strcmp(path, allocator) == 0 &&
	    !(exe && strcmp(path, exe) == 0))
		return true;
	return starts_with_any(util_basename(path), runtime_modules);
}

enum judge_kind judge_frame(const struct sym_frame *f)
{
	if (!f->function)
		return JUDGE_NAMELESS;
	return is_wrapper(f) ? JUDGE_WRAPPER : JUDGE_PROGRAM;
}
