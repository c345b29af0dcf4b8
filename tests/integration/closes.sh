#!/bin/bash
# SPDX-License-Identifier: MIT
# The program closes every descriptor: its files and the trace stay whole.
# shellcheck source=tests/integration/lib.sh
. "$MT_TOP/tests/integration/lib.sh"

for how in range loop daemon; do
	rm -rf trace.* files
	mkdir files
	both "$HOST/closes" $how files/f
	for file in files/*; do
		[ "$(cat "$file")" = mine ] || fail "$how: $file is changed"
	done
	total=0
	for t in trace.closes.*.zst; do
		sound "$t"
		lossless "$t"
		((total += $(json "$t" '[.sites[]
			| select(.function == "closed_alloc")
			| .allocations] | add // 0')))
	done
	[ $total = 60001 ] || fail "$how: $total allocations, not 60001"
done
