#!/bin/bash
# SPDX-License-Identifier: MIT
# dlopen and dlclose in a loop while others allocate: no deadlock.
# shellcheck source=tests/integration/lib.sh
. "$MT_TOP/tests/integration/lib.sh"

for _ in 1 2 3; do
	rm -f trace.*
	both "$HOST/plugin_storm" "$HOST"
	t=$(trace) || exit 1
	sound "$t"
	lossless "$t"
	calls "$t" storm_alloc 30000
	calls "$t" walk_alloc 2000
	calls "$t" plugin_a_work 300
	calls "$t" plugin_a_construct 300
done
