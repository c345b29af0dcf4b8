/* SPDX-License-Identifier: MIT */
/* mixed.c linked with jemalloc. */
/* Build: -Wl,--no-as-needed -l:libjemalloc.so.2 */
#include "mixed.c"
