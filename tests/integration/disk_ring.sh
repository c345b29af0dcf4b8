#!/bin/bash
# SPDX-License-Identifier: MIT
# The disk gets full before a trace has reached its bound: the trace goes round
# in what it has, and says of the whole run what an unbounded one says of it,
# also after kill -9.
# shellcheck source=tests/integration/lib.sh
. "$MT_TOP/tests/integration/lib.sh"

# Mount in a mount namespace of our own; users other than root need another.
if [ -z "${IN_NAMESPACE:-}" ]; then
	export IN_NAMESPACE=1
	unshare -m true 2>/dev/null && exec unshare -m bash "$0"
	unshare -rm true 2>/dev/null && exec unshare -rm bash "$0"
	echo "skipped: nothing can be mounted here"
	exit 0
fi

mkdir small
mount -t tmpfs -o size=16m tmpfs small || fail "no tmpfs"
trap 'umount small' EXIT
python3 "$MT_TOP/tests/integration/ring.py" "$HOST/ring" --disk small ||
	exit 1

# The scan at the end has a place, too.
"$LAUNCH" -o small/t.zst "$HOST/ring" 4 2500000 2>err || fail "status $?"
grep -q 'its history is short' err || fail "the disk is not full: $(cat err)"
"$REPORT" check small/t.zst >out || fail "no verdict: $(cat out)"
