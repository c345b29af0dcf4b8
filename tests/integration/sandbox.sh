#!/bin/bash
# SPDX-License-Identifier: MIT
# A seccomp filter that forbids the recorder its calls: it runs unharmed.
# shellcheck source=tests/integration/lib.sh
. "$MT_TOP/tests/integration/lib.sh"

both_said "$HOST/sandbox"
t=$(trace) || exit 1
sound "$t"
calls=$(json "$t" '[.sites[] | select(.function == "boxed_alloc")
	| .allocations] | add // 0')
lost=$(json "$t" .lost.events)
((calls <= 100001 && calls + lost >= 100001)) ||
	fail "$calls allocations, $lost events lost"
