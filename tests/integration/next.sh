#!/bin/bash
# SPDX-License-Identifier: MIT
# The command that the launcher and the report name as the next one runs as it
# stands, whatever the trace is called and wherever the programs are.
# shellcheck source=tests/integration/lib.sh
. "$MT_TOP/tests/integration/lib.sh"

# Run the command behind "next: " in a file, and expect the trace's heading.
follow()
{
	local command

	command=$(sed -n 's/^.*next: //p' "$1")
	[ "$command" ] || fail "no next command: $(cat "$1")"
	PATH=/usr/bin:/bin bash -c "$command" >out 2>again ||
		fail "$command: $(cat again)"
	grep -q '^true, pid ' out || fail "$command: $(cat out)"
}

for name in plain.zst 'a trace.zst' "it's \$HOME & co.zst"; do
	"$LAUNCH" -o "$PWD/$name" /bin/true 2>err || fail "status $?"
	follow err
	"$REPORT" "$name" >/dev/null 2>err || fail "$name: $(cat err)"
	follow err
done
