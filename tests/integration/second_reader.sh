#!/bin/bash
# SPDX-License-Identifier: MIT
# A second reader finds the same events, histograms that fit, stacks as deep.
# shellcheck source=tests/integration/lib.sh
. "$MT_TOP/tests/integration/lib.sh"

# Record a program and read its trace with both readers.
read_twice()
{
	local t

	rm -f trace.*
	both "$@"
	t=$(trace) || exit 1
	[ ! -e "$t.live" ] || fail "a live file is left"
	events "$t" >printed
	python3 "$MT_TOP/tests/oracle/reader.py" "$t" printed >depths ||
		fail "$*: $(cat depths)"
}

read_twice "$HOST/throws"
read_twice "$HOST/threads" 100 20
read_twice "$HOST/steps"

# Three allocations at so many levels, below the same few frames.
read_twice "$HOST/deep" 50 100 1000
above=$(awk '$2 == 3 && $1 > 50 { print $1 - 50; exit }' depths)
((above >= 4 && above < 20)) || fail "frames: $(cat depths)"
for level in 50 100 1000; do
	grep -qx "$((level + above)) 3 0" depths ||
		fail "$level levels: $(cat depths)"
done

# Exactly 1,024 frames are kept, one more is not.
read_twice "$HOST/deep" $((1024 - above)) $((1025 - above)) 5000
grep -qx "1024 9 6" depths || fail "the deepest: $(tail -n 3 depths)"
