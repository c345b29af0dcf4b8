#!/bin/bash
# SPDX-License-Identifier: MIT
# The trace is what the program did: event by event, thread by thread.
# shellcheck source=tests/integration/lib.sh
. "$MT_TOP/tests/integration/lib.sh"

# THREADS OPERATIONS, each
while read -r threads operations; do
	rm -f trace.*
	record "$MT_BUILD/tests/oracle/oracle" "$threads" "$operations" log \
		>out 2>err || fail "oracle: status $?: $(cat err)"
	[ "$(cat out)$(cat err)" = 'done' ] || fail "oracle: $(cat out err)"
	t=$(trace) || exit 1
	sound "$t"
	lossless "$t"
	is "$t" .lost.cut_stacks 0
	events "$t" >recorded
	python3 "$MT_TOP/tests/oracle/compare.py" log recorded ||
		fail "$threads threads: not what was done"
done <<END
1 100000
2 40000
8 10000
64 2000
END
