#!/bin/bash
# SPDX-License-Identifier: MIT
# Compressed debug info says the same as it did before it was compressed and
# takes no memory for what is not looked at, wherever it is found; where it
# can't be expanded into a file, it still says the same; damaged, nothing false.
# shellcheck source=tests/integration/lib.sh
. "$MT_TOP/tests/integration/lib.sh"

look_up=$MT_BUILD/tests/unit/look_up
export TMPDIR=$PWD/tmp
mkdir "$TMPDIR"

# 64 MiB of debug info that nobody looks at.
cat >prog.c <<'END'
__asm__(".section .debug_macro,\"\",@progbits\n"
	".fill 0x4000000, 1, 0x61\n"
	".previous\n");
static __attribute__((noinline, used)) int hidden(int n)
{
	return n * 3;
}
int main(int argc, char **argv)
{
	(void)argv;
	return hidden(argc);
}
END
build whole -Wl,--build-id
id=$(id_of whole)
hidden=$(address_of whole hidden)
objcopy --compress-debug-sections=zlib whole gz
[ "$(stat -c %s gz)" -lt 1000000 ] || fail "objcopy compresses nothing"

# Look hidden() up: peak MiB, state, what is known: asked ARGUMENTS...
asked()
{
	python3 -c 'import resource, subprocess, sys
out = subprocess.check_output(sys.argv[1:], text=True)
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
print(peak // 1024, *out.split())' "$look_up" "$@" "$hidden"
	[ -z "$(ls "$TMPDIR")" ] || fail "leaves $(ls "$TMPDIR")"
}

# Check what is said in less than so many MiB: says MIB STATE REST ARGUMENTS...
says()
{
	local most=$1 state=$2 rest=$3 got

	shift 3
	got=$(asked "$@") || fail "look_up $* fails"
	[ "${got#* }" = "$state $hidden $rest" ] || fail "$*: $got"
	[ "${got%% *}" -lt "$most" ] || fail "$*: ${got%% *} MiB"
}
known="hidden hidden $PWD/prog.c:6"

says 40 lines "$known" -b "$id" whole
says 40 lines "$known" -b "$id" gz
# The debug file, by build-id; by debug link where there is none.
objcopy --only-keep-debug gz debug
strip -o bare gz
mkdir -p "debugs/.build-id/${id:0:2}"
mv debug "debugs/.build-id/${id:0:2}/${id:2}.debug"
says 40 lines "$known" -b "$id" -d "$PWD/debugs" bare
says 40 lines "$known" -b "$id" -d "$PWD/debugs" gone
build without -Wl,--build-id=none -Wl,--compress-debug-sections=zlib
hidden=$(address_of without hidden)
objcopy --only-keep-debug without linked.debug
strip -o linked without
objcopy --add-gnu-debuglink=linked.debug linked
says 40 lines "$known" linked
hidden=$(address_of whole hidden)

# No place for a file, or none for so long a one.
TMPDIR=/nonexistent says 200 lines "$known" -b "$id" gz
(
	trap '' XFSZ
	ulimit -f 1000
	says 200 lines "$known" -b "$id" gz
) || exit 1

# Its bytes changed, its length changed, cut short.
at=$((0x$(readelf -SW gz | sed -n 's/.* \.debug_info  *[A-Z]* *[0-9a-f]* \([0-9a-f]*\) .*/\1/p')))
((at > 0)) || fail "no .debug_info in gz"
for off in 8 15 24 40 60; do
	cp gz bad
	printf '\xa5' | dd of=bad bs=1 seek=$((at + off)) conv=notrunc 2>/dev/null
	got=$(asked bad) || fail "byte $off: look_up fails"
	[[ $got =~ ^[0-9]+\ (lines|names)\ $hidden\ hidden\ hidden ]] ||
		fail "byte $off: $got"
done
for bytes in 64 $((at + 30)) $(($(stat -c %s gz) - 8)); do
	head -c "$bytes" gz >bad
	asked bad >got || fail "cut at $bytes: look_up fails"
done
exit 0
