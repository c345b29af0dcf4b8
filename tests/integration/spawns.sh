#!/bin/bash
# SPDX-License-Identifier: MIT
# vfork, posix_spawn, system and popen: each program has its own trace.
# shellcheck source=tests/integration/lib.sh
. "$MT_TOP/tests/integration/lib.sh"

both "$HOST/spawns"
parents=0
children=0
for t in trace.spawns.*.zst; do
	sound "$t"
	lossless "$t"
	is "$t" .end exit
	if [ "$(json "$t" '[.sites[] | select(.function == "parent_alloc")]
		| length')" = 0 ]; then
		calls "$t" spawned_alloc 25
		((children++))
	else
		calls "$t" parent_alloc 500
		calls "$t" spawned_alloc 0
		((parents++))
	fi
done
[ "$parents $children" = "1 4" ] || fail "$parents parents, $children children"

# Nor are the programs recorded that it starts with follow=0.
rm -f trace.*
OPTIONS=follow=0
both "$HOST/spawns"
t=$(trace) || exit 1
calls "$t" parent_alloc 500
