#!/bin/bash
# SPDX-License-Identifier: MIT
# Handlers around fork() allocate, a signal handler forks: each is recorded.
# shellcheck source=tests/integration/lib.sh
. "$MT_TOP/tests/integration/lib.sh"

both "$HOST/atfork"
traces=(trace.atfork.*.zst)
[ ${#traces[@]} = 11 ] || fail "not 11 traces: ${#traces[@]}"
sound "${traces[@]}"
children=0
for t in "${traces[@]}"; do
	lossless "$t"
	is "$t" .end exit
	if [ "$(json "$t" '[.sites[] | select(.function == "prepare_alloc")]
		| length')" != 0 ]; then
		calls "$t" prepare_alloc 10
		calls "$t" parent_alloc 10
		calls "$t" child_alloc 0
	else
		calls "$t" child_alloc 1
		calls "$t" parent_alloc 0
		((children++))
	fi
done
[ $children = 10 ] || fail "$children children"
