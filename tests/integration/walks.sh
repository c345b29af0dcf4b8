#!/bin/bash
# SPDX-License-Identifier: MIT
# tree, peek, list, diff, merge and info say of a program what it did; a diff
# of two builds shows the change that was made and no other.
# shellcheck source=tests/integration/lib.sh
. "$MT_TOP/tests/integration/lib.sh"

# 10 x 100 bytes kept by low() under left(), 5 x 100 under right(), and a line
# that can be moved.
cat >walk.c <<'END'
#include <stdlib.h>
static void *kept[64];
static int n;
MOVED
__attribute__((noinline)) void low(size_t size)
{
	kept[n++] = malloc(size);
}
__attribute__((noinline)) void left(void)
{
	for (int i = 0; i < LEFT; i++)
		low(100);
	__asm__ volatile("");
}
__attribute__((noinline)) void right(void)
{
	for (int i = 0; i < 5; i++)
		low(100);
	__asm__ volatile("");
}
int main(void)
{
	left();
	right();
	__asm__ volatile("");
	return 0;
}
END
compile()
{
	sed "s,^MOVED,$2," walk.c >"$1.c"
	cc -g -O1 -fno-builtin -fno-optimize-sibling-calls "-DLEFT=$3" \
		-o "$1" "$1.c" || fail "$1 does not compile"
	MEMTRACE="out=$1.zst" LD_PRELOAD=$LIB "./$1" || fail "$1 failed"
}
compile old '' 10
compile moved '#define X 1\n\n\n' 10
compile new '/* more */' 12

# The tree: by site, then by caller; and from main downward.
tree=$("$REPORT" tree --csv old.zst | sed 's/,[0-9]*,[0-9]*,"/,"/')
[ "$(grep -c '"low"' <<<"$tree")" = 1 ] || fail "tree: $tree"
grep -q '^1500,15,100,0,"low"' <<<"$tree" || fail "tree: $tree"
grep -q '^1000,10,66.6667,1,"left"' <<<"$tree" || fail "tree: $tree"
grep -q '^500,5,33.3333,1,"right"' <<<"$tree" || fail "tree: $tree"
"$REPORT" tree --callees old.zst >text
grep -q 'main$' text && grep -q ' left > low$' text && grep -q ' right > low$' \
	text || fail "tree --callees: $(cat text)"

"$REPORT" tree -n 2 --json old.zst | jq -e '[.nodes[] | select(.depth == 1) |
	.bytes] == [1000, 500]' >/dev/null ||
	fail "tree -n: $("$REPORT" tree -n 2 --json old.zst)"

"$REPORT" peek low --json old.zst >peek.json
[ "$(jq -c '[.callers[] | [.function, .bytes]]' peek.json)" = \
	'[["left",1000],["right",500]]' ] || fail "peek: $(cat peek.json)"
[ "$(jq -c '[.function[].bytes]' peek.json)" = '[1500,1500]' ] ||
	fail "peek: $(cat peek.json)"
"$REPORT" peek nothing old.zst 2>err && fail "peek finds nothing, and says 0"
grep -q "matches 'nothing'" err || fail "peek: $(cat err)"
"$REPORT" peek '(' old.zst 2>err && fail "peek takes a broken expression"
grep -q 'no regular expression' err || fail "peek: $(cat err)"

# Source lines, and their numbers alone where the source is gone.
"$REPORT" list '^low$' old.zst >text
grep -q '1.5 KiB  *1.5 KiB  *15  *[0-9]*  *kept\[n++\] = malloc(size);$' \
	text || fail "list: $(cat text)"
"$REPORT" list 'low|left' --json old.zst >list.json
[ "$(jq -c '[.lines[] | select(.bytes > 0) | [.own_bytes, .bytes]]' list.json)" \
	= '[[1500,1500],[0,1000]]' ] || fail "list: $(cat list.json)"
mv old.c gone.c
"$REPORT" list '^low$' old.zst >text || fail "list fails without the source"
grep -q 'No such file' text && grep -q '1.5 KiB  *1.5 KiB  *15 ' text ||
	fail "list without source: $(cat text)"
"$REPORT" list '^low$' --json old.zst | jq -e '.lines[0] |
	.text == null and (.file | endswith("/old.c"))' >/dev/null ||
	fail "list --json does not name the file that is gone"
# What would keep it waiting is no source.
mkfifo old.c
timeout 20 "$REPORT" list '^low$' old.zst >text || fail "list waits for a fifo"
grep -q 'no regular file' text || fail "list of a fifo: $(cat text)"

# A function in two files is one table, each line with its file.
cat >in.h <<'END'
#include <stdlib.h>
static inline __attribute__((always_inline)) void *take(size_t n) { return malloc(n); }
END
cat >two.c <<'END'
#include "in.h"
void *kept[2];
int main(void)
{
	kept[0] = take(10);
	kept[1] = malloc(20);
	return 0;
}
END
cc -g -O1 -fno-builtin -o two two.c || fail "two.c does not compile"
MEMTRACE=out=two.zst LD_PRELOAD=$LIB ./two || fail "two failed"
[ "$("$REPORT" list '^(main|take)$' --json two.zst | jq -c '[.lines[] |
	select(.bytes > 0) | [(.file | sub(".*/"; "")), .line, .own_bytes,
	.bytes]]')" = '[["in.h",2,10,10],["two.c",5,0,10],["two.c",6,20,20]]' ] ||
	fail "list of two files: $("$REPORT" list '^(main|take)$' --json two.zst)"

# A path that no directory is known of is not taken for one from here.
cc -g -O1 -fno-builtin -ffile-prefix-map="$PWD=." -o two two.c || fail "two.c"
MEMTRACE=out=relative.zst LD_PRELOAD=$LIB ./two || fail "two failed"
for root in '' --sysroot=.; do
	"$REPORT" list '^main$' ${root:+"$root"} relative.zst >text ||
		fail "list of a relative path fails"
	grep -q 'two.c (a relative path, to no known directory)' text &&
		! grep -q 'malloc(20)' text ||
		fail "list $root takes another file: $(cat text)"
done

# A name that is no regular expression is a name.
cat >odd.cc <<'END'
#include <cstdlib>
struct odd { __attribute__((noinline)) void *operator[](int n) { return malloc(n); } };
void *kept;
int main() { odd o; kept = o[7]; return 0; }
END
c++ -g -O1 -fno-builtin -o odd odd.cc || fail "odd.cc does not compile"
MEMTRACE=out=odd.zst LD_PRELOAD=$LIB ./odd || fail "odd failed"
"$REPORT" peek 'odd::operator[]' --json odd.zst | jq -e \
	'.function[0].bytes == 7' >/dev/null || fail "peek: no name"

# A moved line is no change; two more blocks are one, found and counted.
[ "$("$REPORT" diff --json old.zst moved.zst | jq -c '[.rows[].change]')" = \
	'[0]' ] || fail "diff: a moved line is a change"
[ "$("$REPORT" diff --json old.zst new.zst |
	jq -c '[.rows[] | [.name, .old, .new, .change]]')" = \
	'[["low",1500,1700,200],["(all)",1500,1700,200]]' ] ||
	fail "diff: $("$REPORT" diff old.zst new.zst)"
"$REPORT" diff --normalize --json old.zst new.zst |
	jq -e '.rows | length == 1' >/dev/null || fail "diff --normalize"
# Text adds up: what did not change is others.
"$REPORT" diff --by function old.zst new.zst -n 1 >text
grep -q '^ *1.5 KiB  *1.7 KiB ' text || fail "diff: $(cat text)"
"$REPORT" diff old.zst moved.zst | grep -q '(1 other)$' ||
	fail "diff: $("$REPORT" diff old.zst moved.zst)"

# Two functions of one name, in two libraries: each has its own change, and
# another directory or version is none.
cat >lib.c <<'END'
#include <stdlib.h>
static __attribute__((noinline)) void *init(void)
{
	void *p = malloc(BYTES);
	__asm__ volatile("");
	return p;
}
void *NAME(void)
{
	void *p = init();
	__asm__ volatile("");
	return p;
}
END
echo 'void *aa(void), *bb(void); int main(void) { aa(); bb(); return 0; }' >use.c
libraries()
{
	mkdir "$1" || fail "no $1"
	cc -g -O1 -fno-builtin -shared -fPIC "-DBYTES=$2" -DNAME=aa \
		-o "$1/libaa.so.$1" lib.c || fail "libaa does not compile"
	cc -g -O1 -fno-builtin -shared -fPIC "-DBYTES=$3" -DNAME=bb \
		-o "$1/libbb.so.$1" lib.c || fail "libbb does not compile"
	cc -g -o "$1/use" use.c "$1/libaa.so.$1" "$1/libbb.so.$1" ||
		fail "use does not link"
	MEMTRACE="out=$1.zst" LD_PRELOAD=$LIB "$1/use" || fail "$1/use failed"
}
libraries 1 100 200
libraries 2 250 150
[ "$("$REPORT" diff --json 1.zst 2.zst | jq -c '[.rows[] | [.name, .change]]')" \
	= '[["init  libaa.so",150],["init  libbb.so",-50],["(all)",100]]' ] ||
	fail "diff of libraries: $("$REPORT" diff 1.zst 2.zst)"

"$REPORT" diff old.zst 2>err && fail "diff takes one side"
grep -q 'two sides' err || fail "diff: $(cat err)"

# Runs: the same is chance, more is not.
mkdir a b c none
for i in 1 2 3 4 5 6; do
	cp old.zst a/$i.zst
	cp moved.zst b/$i.zst
	cp new.zst c/$i.zst
done
[ "$("$REPORT" diff --json a b | jq -c '[.rows[].p]')" = '[1]' ] ||
	fail "diff: the same six runs differ"
"$REPORT" diff --json a c | jq -e '.rows[0].p < 0.05' >/dev/null ||
	fail "diff: six runs with more do not differ"
"$REPORT" diff --json a c | jq -e '.rows[0] | .old_low == 1500 and
	.old_high == 1500 and .new_low == 1700' >/dev/null ||
	fail "diff: no interval"
"$REPORT" diff a b | grep -q '~' || fail "diff: no ~"
"$REPORT" diff a c | grep -q 'too few' && fail "diff: six are too few"
mkdir few more
cp old.zst few/1.zst
cp old.zst few/2.zst
cp old.zst few/3.zst
cp c/[123].zst more
"$REPORT" diff few more | grep -q 'too few runs' ||
	fail "diff: three runs with three: $("$REPORT" diff few more)"
cp old.zst few/4.zst
cp c/4.zst more
"$REPORT" diff few more | grep -q 'too few runs' && fail "diff: four are few"
"$REPORT" diff few more | grep -q '(p=0.029)' ||
	fail "diff: four with four: $("$REPORT" diff few more)"
"$REPORT" diff a none 2>err && fail "diff takes an empty directory"
[ "$(cat err)" = 'memtrace-report: none: no .zst in it' ] ||
	fail "diff: $(cat err)"

# Other views show each file of a directory, and write none over another.
[ "$("$REPORT" a 2>/dev/null | grep -c ' in total$')" = 6 ] ||
	fail "not a summary each: $("$REPORT" a)"
"$REPORT" symbolize -o one.zst a 2>err && fail "symbolize takes six traces"
grep -q 'symbolize takes one trace' err || fail "symbolize: $(cat err)"
[ ! -e one.zst ] || fail "symbolize: a file is there"

[ "$("$REPORT" merge --json old.zst c | jq -c '[.totals.allocations,
	.peak.bytes, .exit.blocks]')" = "[$((15 + 6 * 17)),$((1500 + 6 * 1700)),$((
		15 + 6 * 17))]" ] || fail "merge: $("$REPORT" merge old.zst c)"
"$REPORT" merge old.zst c | grep -q '7 profiles together' || fail "merge"

# What is wrong with a part is said of the whole, and what a part does not know
# the whole does not know, whichever comes first.
head -c $(($(stat -c %s old.zst) - 60)) old.zst >cut.zst
cp cut.zst cut2.zst
"$REPORT" merge new.zst cut.zst >text
grep -q 'cut.zst: the file is cut short' text || fail "merge: $(cat text)"
"$REPORT" merge new.zst cut.zst cut2.zst --json | jq -e '.notes |
	any(. == "cut.zst and 1 more: the file is cut short")' >/dev/null ||
	fail "merge --json does not say what is cut short"
massif=$MT_TOP/tests/data/import/massif.out
"$REPORT" merge "$massif" old.zst >text
grep -q 'massif.out: a massif file: bytes only' text || fail "merge: $(cat text)"
grep -q 'blocks  *site\|[0-9] blocks\|[0-9] allocations' text && fail "merge knows blocks: $(cat text)"
"$REPORT" merge old.zst "$massif" | grep -q 'blocks  *site\|[0-9] blocks\|[0-9] allocations' &&
	fail "merge knows blocks when massif comes last"

"$REPORT" info --json old.zst >info.json
[ "$(jq '.streams[] | select(.stream == "events") | .records' info.json)" = \
	"$("$REPORT" --json old.zst | jq .totals.events)" ] ||
	fail "info: $(cat info.json)"
jq -e '.modules | map(.path) | any(endswith("/old"))' info.json >/dev/null ||
	fail "info: the program is no module"
jq -r '.facts[] | select(.name == "started") | .value' info.json |
	grep -Eq '^20[0-9]{2}-[01][0-9]-[0-3][0-9]T[0-9:]{8}Z$' ||
	fail "info does not say when: $(cat info.json)"

# Raw bytes are those that the columns decompress to: what zstd makes of the
# whole file is theirs, as it skips the heads.
[ "$(jq '[.streams[].raw_bytes] | add' info.json)" = \
	"$(zstd -dcq old.zst | wc -c)" ] || fail "info: $(jq -c .streams info.json)"

# What is known of a module's symbols, and where.
symbols()
{
	"$REPORT" info --json "$@" | jq -r '.modules[] |
		select(.path | test("/(old|new)$")) |
		"\(.symbols) \(.symbols_in)"'
}
is_known()
{
	local want=$1

	shift
	[ "$(symbols "$@")" = "$want" ] ||
		fail "info $*: $(symbols "$@"), not $want"
}
cp old whole
is_known 'lines file' old.zst
"$REPORT" symbolize -o named.zst old.zst || fail "symbolize"
strip --strip-debug --keep-file-symbols -o old whole
is_known 'names file' old.zst
strip -o old whole
is_known 'exports file' old.zst
objcopy --only-keep-debug whole old.debug
objcopy --add-gnu-debuglink=old.debug old
is_known 'lines debug file' old.zst
rm old.debug
cp new old
is_known 'mismatch null' old.zst
rm old
is_known 'missing null' old.zst
is_known 'lines trace' named.zst
mv whole old

# One of a thing is not several, in any heading.
cat >one.c <<'END'
#include <stdlib.h>
#include <sys/mman.h>
void *volatile kept;
int main(void)
{
	kept = malloc(4096);
	return mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		    0) == MAP_FAILED;
}
END
gcc -O1 -g -o one one.c
MEMTRACE=out=one.zst "$LAUNCH" ./one 2>said || fail "one: $(cat said)"
grep -q ' 1 event, none dropped' said || grep -q ' [2-9] events, ' said ||
	fail "one: $(cat said)"
for view in '' top tree leaks 'peek main' 'diff one.zst'; do
	# shellcheck disable=SC2086
	"$REPORT" $view one.zst >>text || fail "$view of one"
done
grep -q 'in 1 block ' text || fail "one block: $(cat text)"
grep -q ' 1 allocation,' text || fail "one allocation: $(cat text)"
grep -wE '1 (blocks|calls|allocations|sites|others|functions|runs)' text &&
	fail "one of a thing is several"
exit 0
