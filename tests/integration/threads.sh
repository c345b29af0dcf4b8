#!/bin/bash
# SPDX-License-Identifier: MIT
# A thousand short threads and two hundred at once, and 17,000 short
# ones: nothing is lost.
# shellcheck source=tests/integration/lib.sh
. "$MT_TOP/tests/integration/lib.sh"

both "$HOST/threads" 1000 200
t=$(trace) || exit 1
sound "$t"
lossless "$t"
calls "$t" short_alloc 10000
calls "$t" crowd_alloc 2000

# So many that only the first have records: the others' events are there, and
# what is written down of threads stays bounded.
rm -f trace.*
record "$HOST/threads" 17000 1 || fail "17,000 threads: $?"
t=$(trace) || exit 1
sound "$t"
lossless "$t"
calls "$t" short_alloc 170000
"$REPORT" threads -n 0 --json "$t" >threads.json || fail "no threads"
[ "$(jq '.threads | length' threads.json)" = 17002 ] ||
	fail "threads: $(jq '.threads | length' threads.json)"
meta=$("$REPORT" info --json "$t" |
	jq '.streams[] | select(.stream == "meta, in bytes") | .records')
((meta < 16384 * 100)) || fail "meta: $meta bytes"
