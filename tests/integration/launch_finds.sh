#!/bin/bash
# SPDX-License-Identifier: MIT
# The launcher finds programs as a shell does, follows #! lines, and tells
# beforehand what cannot be recorded.
# shellcheck source=tests/integration/lib.sh
. "$MT_TOP/tests/integration/lib.sh"

mkdir bin denied
printf '#!/bin/sh\necho mine "$@"\n' >bin/tool
printf '#!%s/bin/tool\n' "$PWD" >nested
printf 'echo no line\n' >bare
printf '#!/not/there\n' >orphan
ln -s orphan link
cp bin/tool denied/tool
chmod +x bin/tool nested bare orphan
chmod -x denied/tool

# $PATH is searched, and what may not be executed in it is passed over.
PATH=$PWD/denied:$PWD/bin:$PATH "$LAUNCH" -o t.zst tool a 'b c' >out 2>err ||
	fail "status $?: $(cat err)"
[ "$(cat out)" = 'mine a b c' ] || fail "not as a shell runs it: $(cat out)"
"$LAUNCH" -o n.zst ./nested x >out 2>err || fail "status $?: $(cat err)"
[ "$(cat out)" = "mine ./nested x" ] || fail "script of a script: $(cat out)"

refuses 127 'no such program' no-such-program
refuses 127 'no such program' ./no/such/program
refuses 126 'Permission denied' denied/tool
refuses 126 'Is a directory' ./bin
refuses 126 'neither' ./bare
refuses 127 '/not/there' ./orphan
refuses 127 '/not/there' ./link
PATH=$PWD/denied "$LAUNCH" tool >out 2>err
[ $? = 126 ] || fail "one that is not executable: $(cat err)"

# Another C library's loader.
cp "$HOST/deep" musl
loader=$(readelf -p .interp musl | sed -n 's,.* /,/,p')
python3 - "$loader" <<'END' || fail "no interpreter to change"
import sys
image = open("musl", "rb").read()
old = sys.argv[1].encode()
new = b"/lib/ld-musl-x.so.1".ljust(len(old), b"\0")[:len(old)]
assert old in image
open("musl", "wb").write(image.replace(old, new, 1))
END
refuses 125 'another C library' ./musl

# A command line that is wrong.
refuses 125 'no program' --mmap
refuses 125 '--frees' --fres ls
refuses 125 'comma' --out=a,b.zst ls
refuses 125 'level' --level=99 ls
refuses 125 'level' --level=x ls
refuses 125 'out' --out=x.%q ls
refuses 125 'no such option' -x ls
refuses 125 'a file is needed' -o

# What is preloaded already stays, behind the recorder; options add up.
LD_PRELOAD=/none.so MEMTRACE=frees=off "$LAUNCH" -o v.zst --mmap -- \
	bash -c 'echo "$LD_PRELOAD"; echo "$MEMTRACE"' >out 2>/dev/null
grep -qx "$LIB:/none.so" out || fail "LD_PRELOAD: $(cat out)"
grep -qx "frees=off,out=v.zst,mmap=on,out=$PWD/v.zst" out ||
	fail "MEMTRACE: $(cat out)"
