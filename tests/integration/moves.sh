#!/bin/bash
# SPDX-License-Identifier: MIT
# chroot, chdir, setuid and umask after start: the trace is not harmed.
# shellcheck source=tests/integration/lib.sh
. "$MT_TOP/tests/integration/lib.sh"

# chroot needs a root; only the real one can become somebody else.
setuid=setuid
if [ "$(id -u)" != 0 ]; then
	exec unshare -r bash "$0"
fi
awk '{ n += $3 } END { exit n <= 65534 }' /proc/self/uid_map || setuid=chdir
chmod 755 .
mkdir -p jail
# HOW ARGUMENT
while read -r how arg; do
	mkdir traces
	chmod 777 traces
	cd traces || exit 1
	# In a new root the child has no place for a trace.
	both_said "$HOST/moves" "$how" ${arg:+"$arg"}
	[ "$how" = chroot ] || cmp plain.err with.err || fail "$how: stderr"
	parents=0
	for t in trace.moves.*.zst; do
		sound "$t"
		is "$t" .lost.events 0
		if [ "$(json "$t" .end)" = exit ]; then
			calls "$t" moved_alloc 60001
			((parents++))
		else
			# The child's, where it could have one.
			calls "$t" moved_alloc 60000
			is "$t" .end _exit
		fi
	done
	cd ..
	[ $parents = 1 ] || fail "$how: $parents traces of the parent"
	[ -z "$(ls jail)" ] || fail "$how: $(ls jail) in the new root"
	rm -rf traces
done <<END
chdir
umask
$setuid
chroot $PWD/jail
END
