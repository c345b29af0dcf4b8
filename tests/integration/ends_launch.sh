#!/bin/bash
# SPDX-License-Identifier: MIT
# The launcher sees the signal that ended the program, and passes it on.
# shellcheck source=tests/integration/lib.sh
. "$MT_TOP/tests/integration/lib.sh"

while read -r how status end; do
	rm -f trace.*
	"$LAUNCH" -o "$PWD/trace.%e.%p.zst" -- "$HOST/ends" "$how" >out 2>err
	[ $? = "$status" ] || fail "$how: not status $status"
	[ "$(head -n 1 out)" = end ] || fail "$how: stdout: $(cat out)"
	t=$(trace) || exit 1
	sound "$t"
	calls "$t" end_alloc 500
	is "$t" .end "$end"
	grep -q "$t" err || fail "$how: the trace is not named: $(cat err)"
done <<END
return 9 exit
_exit 9 _exit
abort 134 signal
segv 139 signal
term 143 signal
kill 137 killed
END
