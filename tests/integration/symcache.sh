#!/bin/bash
# SPDX-License-Identifier: MIT
# Looked-up names are kept by build-id for the next run; a cache that is
# damaged, foreign, out of date, not writable or not wanted does no harm.
# shellcheck source=tests/integration/lib.sh
. "$MT_TOP/tests/integration/lib.sh"

look_up=$MT_BUILD/tests/unit/look_up
unset MEMTRACE_CACHE
export XDG_CACHE_HOME=$PWD/xdg HOME=$PWD/home

build prog -Wl,--build-id
id=$(id_of prog)
hidden=$(address_of prog hidden)
main=$(address_of prog main)
file=xdg/memtrace/$id.sym

# Check what is said about hidden(): says STATE REST [PROGRAM]
says()
{
	local got

	got=$("$look_up" -b "$id" "${3:-prog}" "$hidden")
	[ "$got" = "$1"$'\n'"$hidden $2" ] ||
		fail "not $1, $2: $got (line ${BASH_LINENO[0]})"
}
known="hidden hidden $PWD/prog.c:3"

# A file of its own, which later serves without the program.
says lines "$known"
[ -f "$file" ] && [ "$(ls xdg/memtrace)" = "$id.sym" ] || fail "no cache"
cp "$file" good
says lines "$known" gone
cmp -s "$file" good || fail "the cache was written again"
# An address that is not in it is not known then, and added when it can be.
"$look_up" -b "$id" gone "$main" | grep -q "^$main ?$" || fail "main is known?"
"$look_up" -b "$id" prog "$main" | grep -q "^$main main" || fail "no main"
"$look_up" -b "$id" gone "$main" | grep -q "^$main main" || fail "main is lost"
says lines "$known" gone

# One byte changed, anywhere; cut short; longer; another's. It is replaced.
cp "$file" good
size=$(stat -c %s good)
for at in 0 9 14 20 40 60 80 $((size / 2)) $((size - 20)) $((size - 1)); do
	printf '\xa5' | dd of="$file" bs=1 seek=$at conv=notrunc 2>/dev/null
	says missing '?' gone
	says lines "$known"
	says lines "$known" gone
done
for damage in "head -c 100 good" "head -c $((size - 1)) good" "cat good good" \
	"true" "cat $look_up"; do
	$damage >"$file"
	says missing '?' gone
	says lines "$known"
	says lines "$known" gone
done
other=${id//[0-9]/a}
cp good "xdg/memtrace/$other.sym"
"$look_up" -b "$other" gone "$hidden" | grep -q missing ||
	fail "the cache of another build is used"
rm -r xdg

# More is known once there is debug info.
strip -o bare prog
says exports '?' bare
[ -f "$file" ] || fail "no cache of a stripped program"
says exports '?' gone
says lines "$known"
says lines "$known" bare
# Less is known later: nothing of that is kept.
cp "$file" good
"$look_up" -b "$id" bare "$main" >/dev/null
cmp -s "$file" good || fail "what is not known was kept"
rm -r xdg

# No cache: not wanted, no place, a place that is not writable or no directory.
MEMTRACE_CACHE=off says lines "$known"
[ ! -e xdg ] || fail "MEMTRACE_CACHE=off leaves $(find xdg)"
XDG_CACHE_HOME='' HOME='' says lines "$known"
XDG_CACHE_HOME=relative says lines "$known"
[ ! -e relative ] || fail "a relative XDG_CACHE_HOME is used"
[ -f "home/.cache/memtrace/$id.sym" ] || fail "not in ~/.cache"
: >plain
XDG_CACHE_HOME=$PWD/plain says lines "$known"
XDG_CACHE_HOME=/proc/nothing says lines "$known"
mkdir -p xdg/memtrace/"$id.sym"
says lines "$known"
[ "$(ls xdg/memtrace)" = "$id.sym" ] || fail "temporary files are left"

# Files that were not used for long are removed, others are not.
rm -r xdg
mkdir -p xdg/memtrace
touch -d '40 days ago' xdg/memtrace/{aa.sym,bb.sym.x12345,other}
touch -d '20 days ago' xdg/memtrace/cc.sym
says lines "$known"
[ "$(ls xdg/memtrace)" = "$(printf '%s\n' "$id.sym" cc.sym other | sort)" ] ||
	fail "there are $(ls xdg/memtrace)"
touch -d '40 days ago' "$file"
says lines "$known" gone
[ "$(find "$file" -mtime -1)" ] || fail "that it was used is not noted"

# What has no build-id is not kept.
rm -r xdg
"$look_up" prog "$hidden" >/dev/null
[ ! -e xdg ] || fail "kept without a build-id: $(find xdg)"
exit 0
