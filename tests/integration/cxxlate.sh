#!/bin/bash
# SPDX-License-Identifier: MIT
# C++ that comes late and out of sight has its operators, and they are seen.
# shellcheck source=tests/integration/lib.sh
. "$MT_TOP/tests/integration/lib.sh"

both "$HOST/cxxlate" "$HOST"
t=$(trace) || exit 1
sound "$t"
lossless "$t"
# Two turns of a hundred: three forms of new, two of new[] that succeed.
events "$t" | grep 'libcxxlate' >seen
while read -r kind count; do
	[ "$(grep -c -F " $kind 0x" seen)" -ge "$count" ] ||
		fail "$kind: not $count"
done <<END
new 600
new[] 400
delete 600
delete[] 400
END
