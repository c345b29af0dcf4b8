#!/bin/bash
# SPDX-License-Identifier: MIT
# A module's files are found: by path, below a sysroot, by build-id, by debug
# link, in .gnu_debugdata, on a debuginfod server; those of another build are
# never used.
# shellcheck source=tests/integration/lib.sh
. "$MT_TOP/tests/integration/lib.sh"

look_up=$MT_BUILD/tests/unit/look_up
work=$PWD

# Check a module's state and what is known about hidden(); more arguments are
# those of look_up: finds STATE NAME ARGUMENTS...
finds()
{
	local state=$1 name=$2 got

	shift 2
	got=$("$look_up" "$@" "$hidden") || fail "look_up $*: fails"
	[ "$(head -n 1 <<<"$got")" = "$state" ] ||
		fail "look_up $*: not $state: $got"
	[[ $(tail -n 1 <<<"$got") == "$hidden $name"* ]] ||
		fail "look_up $*: not $name: $got"
}

# Everything in its place.
build whole -Wl,--build-id
id=$(id_of whole)
hidden=$(address_of whole hidden)
[ "$id" ] && [ "$hidden" ] || fail "no build-id or no symbol: $id, $hidden"
finds lines 'hidden hidden '"$work"/prog.c:3 -b "$id" whole
other=${id//[0-9]/a}
finds mismatch '?' -b "$other" whole
finds missing '?' -b "$id" "$work/gone"

# A file without a build-id is not the one that had one.
build without -Wl,--build-id=none
finds lines hidden without
finds mismatch '?' -b "$id" without

# Split it: only exports are left; then the debug file by build-id.
objcopy --only-keep-debug whole debug
strip -o bare whole
finds exports '?' -b "$id" bare
mkdir -p "debugs/.build-id/${id:0:2}"
by_id=debugs/.build-id/${id:0:2}/${id:2}.debug
cp debug "$by_id"
finds lines "hidden hidden $work/prog.c:3" -b "$id" -d "$work/debugs" bare
finds lines hidden -b "$id" -d /nonexistent:debugs bare
# ... also when the program is not there any more, or was built again.
finds lines "hidden hidden $work/prog.c:3" -b "$id" -d debugs "$work/gone"
build again -Wl,--build-id -DAGAIN -O0
finds mismatch '?' -b "$id" again
finds lines "hidden hidden $work/prog.c:3" -b "$id" -d debugs again
# One of another build under that name is not used.
objcopy --only-keep-debug again "$by_id"
finds exports '?' -b "$id" -d debugs bare
finds mismatch '?' -b "$id" -d debugs again
rm -r debugs

# By debug link, which build-ids check when there are some, else a CRC.
link()
{
	local from=$1 to=$2

	objcopy --only-keep-debug "$from" "$to.debug"
	strip -o "$to" "$from"
	objcopy --add-gnu-debuglink="$to.debug" "$to"
}
for from in whole without; do
	link $from linked
	hidden=$(address_of $from hidden)
	finds lines "hidden hidden $work/prog.c:3" linked
	mkdir .debug
	mv linked.debug .debug/
	finds lines "hidden hidden $work/prog.c:3" linked
	mkdir -p "debugs$work"
	mv .debug/linked.debug "debugs$work/"
	rmdir .debug
	finds exports '?' "$work/linked"
	finds lines "hidden hidden $work/prog.c:3" -d "$work/debugs" \
		"$work/linked"
	objcopy --only-keep-debug again "debugs$work/linked.debug"
	finds exports '?' -d "$work/debugs" "$work/linked"
	rm -r debugs
done
hidden=$(address_of whole hidden)

# .gnu_debugdata: the symbols that were stripped, without lines.
nm -D bare --format=posix --defined-only | awk '{ print $1 }' | sort >dynamic
nm whole --format=posix --defined-only |
	awk '$2 ~ /[tT]/ { print $1 }' | sort | comm -13 dynamic - >keep
objcopy -S --remove-section .comment --keep-symbols=keep debug mini 2>/dev/null
xz -f mini
objcopy --add-section .gnu_debugdata=mini.xz bare mini_bare
finds names 'hidden hidden ?:0' -b "$id" mini_bare

# A sysroot comes first; what it lacks is looked for where it was.
mkdir -p root/opt "root/usr/lib/debug/.build-id/${id:0:2}"
cp whole root/opt/prog
finds lines hidden -b "$id" -s root /opt/prog
finds missing '?' -b "$id" /opt/prog
cp again root/opt/prog
finds mismatch '?' -b "$id" -s root /opt/prog
mkdir -p "root$work"
cp again "root$work/whole"
finds lines hidden -b "$id" -s root "$work/whole"
cp bare root/opt/prog
cp debug "root/usr/lib/debug/.build-id/${id:0:2}/${id:2}.debug"
finds lines "hidden hidden $work/prog.c:3" -b "$id" -s root /opt/prog
rm -r root/usr/lib/debug/.build-id
link without prog
mkdir -p root/usr/lib/debug/opt
mv prog root/opt/
mv prog.debug root/usr/lib/debug/opt/
hidden=$(address_of without hidden)
finds lines "hidden hidden $work/prog.c:3" -s root /opt/prog
exit 0
