#!/bin/bash
# SPDX-License-Identifier: MIT
# Raw clones do no harm and never write into the trace of their parent.
# shellcheck source=tests/integration/lib.sh
. "$MT_TOP/tests/integration/lib.sh"

both "$HOST/rawclone"
with_parent=0
for t in trace.rawclone.*.zst; do
	sound "$t"
	if [ "$(json "$t" '[.sites[] | select(.function == "parent_alloc")]
		| length')" != 0 ]; then
		calls "$t" parent_alloc 7000
		calls "$t" cloned_alloc 0
		is "$t" .lost.events 0
		((with_parent++))
	fi
done
[ $with_parent = 1 ] || fail "$with_parent traces have the parent's allocations"
