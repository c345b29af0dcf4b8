#!/bin/bash
# SPDX-License-Identifier: MIT
# The bound of the control group: how far the process was from it, and whether
# the kernel killed it over that; in a group of our own, where one can be made.
# shellcheck source=tests/integration/lib.sh
. "$MT_TOP/tests/integration/lib.sh"

v1=$(awk '$3 == "cgroup" && $4 ~ /(^|,)memory(,|$)/ { print $2; exit }' \
	/proc/mounts)
v2=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
group=
for mount in "$v2" "$v1"; do
	[ "$mount" ] || continue
	try=$mount/memtrace-test-$$
	mkdir "$try" 2>/dev/null || continue
	for max in memory.max memory.limit_in_bytes; do
		[ -w "$try/$max" ] && echo 64M >"$try/$max" 2>/dev/null &&
			group=$try && break 2
	done
	rmdir "$try"
done
[ "$group" ] || {
	echo "skipped: no control group can be made here"
	exit 0
}
trap 'rmdir "$group"' EXIT

# Run a command in the group, recorded.
grouped()
{
	(
		echo "$BASHPID" >"$group/cgroup.procs" || exit 99
		become_recorded "$@"
	) 2>err
}

# A peak of 40 MiB and what else the process has, of 64.
grouped "$HOST/crossing" 40 || fail "status $?"
"$REPORT" --json trace.*.zst | jq -e '.cgroup | .max_bytes == 67108864 and
	.most_bytes >= 41943040 and .most_bytes <= 58720256 and
	.oom_killed == "no"' >/dev/null ||
	fail "far: $("$REPORT" --json trace.*.zst | jq .cgroup)"
"$REPORT" trace.*.zst >text
grep -Eq '^limit 64.0 MiB for its cgroup, of which 4[0-9.]+ MiB was used' text ||
	fail "far: $(head text)"
grep -q '^oom' text && fail "an OOM kill"

# Killed by somebody else: not by the kernel.
rm -f trace.*
grouped "$HOST/crossing" 20 kill
"$REPORT" trace.*.zst >text || fail "no report"
grep -q '^limit' text || fail "no limit: $(head text)"
grep -q '^oom' text && fail "killed by a signal: $(head text)"

# Killed by the kernel; the next command says what held the memory.
rm -f trace.*
grouped "$HOST/crossing" fill
[ $? = 137 ] || fail "not killed"
"$REPORT" trace.*.zst >text 2>next || fail "no report"
grep -q '^oom   the kernel killed it' text || fail "$(head text)"
grep -q 'top --at exit' next || fail "no next command: $(cat next)"
"$REPORT" top --json --at exit trace.*.zst | jq -e '
	.rows[0].function == "crossing_large" and
	([.rows[].bytes] | add > 40000000)' >/dev/null ||
	fail "what held it: $("$REPORT" top --exact trace.*.zst)"
"$REPORT" --json trace.*.zst | jq -e '.cgroup.oom_killed == "yes"' \
	>/dev/null || fail "JSON"

# When the group is gone, its last notes are what is known.
rmdir "$group" || fail "the group stays"
trap '' EXIT
"$REPORT" trace.*.zst | grep -q '^oom   the kernel may have killed it' ||
	fail "gone: $("$REPORT" trace.*.zst | head)"
