/* SPDX-License-Identifier: MIT */
/* mixed.c linked with tcmalloc. */
/* Build: -Wl,--no-as-needed -l:libtcmalloc_minimal.so.4 */
#include "mixed.c"
