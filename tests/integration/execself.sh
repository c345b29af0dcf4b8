#!/bin/bash
# SPDX-License-Identifier: MIT
# exec under the same pid: a trace for each program, none overwritten.
# shellcheck source=tests/integration/lib.sh
. "$MT_TOP/tests/integration/lib.sh"

both "$HOST/execself" 3
traces=(trace.execself.*.zst)
[ ${#traces[@]} = 3 ] || fail "not 3 traces: ${traces[*]}"
sound "${traces[@]}"
for t in "${traces[@]}"; do
	lossless "$t"
	calls "$t" after_failed_exec 1
	json "$t" '([.sites[] | select(.function == "exec_alloc")
		| .exit_blocks] | add | tostring) + " " + .end' >>ends
done
ends=$(sort ends | xargs)
[ "$ends" = "10 exit 20 exec 30 exec" ] || fail "blocks and ends: $ends"
