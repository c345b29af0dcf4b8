#!/bin/bash
# SPDX-License-Identifier: MIT
# jemalloc and tcmalloc, linked and preloaded, and a malloc of its own.
# shellcheck source=tests/integration/lib.sh
. "$MT_TOP/tests/integration/lib.sh"

check()
{
	local t

	both "$@"
	t=$(trace) || exit 1
	sound "$t"
	lossless "$t"
	calls "$t" mixed_malloc 20000
	calls "$t" mixed_calloc 20000
	calls "$t" mixed_realloc 20000
	calls "$t" mixed_memalign 20000
	calls "$t" mixed_aligned 20000
	rm -f trace.*
}

check "$HOST/mixed"
check "$HOST/mixed_jemalloc"
check "$HOST/mixed_tcmalloc"
PRELOAD=libjemalloc.so.2 check "$HOST/mixed"
PRELOAD=libtcmalloc_minimal.so.4 check "$HOST/mixed"
PRELOAD=$HOST/libsafealloc.so check "$HOST/mixed"

both "$HOST/ownmalloc"
both "$HOST/ownmalloc" "$HOST/libplugin_a.so"
