#!/bin/bash
# SPDX-License-Identifier: MIT
# Bad frees stand in all views that have them; programs that have none are said
# to have none. badfrees_truth has the verdicts.
# shellcheck source=tests/integration/lib.sh
. "$MT_TOP/tests/integration/lib.sh"

# One line in the summary, a table, CSV; an import has no frees.
cat >prog.c <<'END'
#include <stdlib.h>
int main(void)
{
	char *volatile p = malloc(10);

	free(p);
	free(p);
}
END
cc -g -w -o prog prog.c || fail "prog does not build"
record ./prog 2>/dev/null
"$REPORT" trace.prog.*.zst >out 2>err || fail "summary: $(cat err)"
grep -q '1 free was bad (1 double): see bad-frees' out || fail "$(cat out)"
"$REPORT" bad-frees trace.prog.*.zst >out || fail "bad-frees"
for text in 'double: free of a block of 10 B' 'freed before by free in thread' \
	'allocated by malloc in thread' 'main  prog.c:7' 'main  prog.c:6' \
	'main  prog.c:4' 'the program ended there'; do
	grep -qF "$text" out || fail "no '$text' in: $(cat out)"
done
"$REPORT" bad-frees --csv trace.prog.*.zst >out
grep -q '^1,[0-9]*,"double","main","main",".*prog.c",7,' out || fail "CSV: $(cat out)"
[ "$("$REPORT" leaks --json trace.prog.*.zst | jq -c .bad_frees)" = \
	"$("$REPORT" bad-frees --json trace.prog.*.zst | jq -c .bad_frees)" ] ||
	fail "leaks --json: $("$REPORT" leaks --json trace.prog.*.zst)"
"$REPORT" leaks trace.prog.*.zst | grep -q '^ *1 .* double *main .*prog.c:7' ||
	fail "leaks: $("$REPORT" leaks trace.prog.*.zst)"
"$REPORT" bad-frees "$MT_TOP/tests/data/import/heaptrack1.txt" 2>err &&
	fail "bad-frees of an import"
grep -q heaptrack err || fail "bad-frees of an import: $(cat err)"
rm -f trace.*

# Programs that free well, whatever became of their threads and children.
clean()
{
	local trace

	rm -f trace.*
	record "$@" >/dev/null 2>&1
	for trace in trace.*.zst; do
		"$REPORT" bad-frees --json "$trace" >bad.json 2>err ||
			fail "$*: $(cat err)"
		[ "$(jq .total bad.json)" = 0 ] ||
			fail "$*: $("$REPORT" bad-frees "$trace")"
		[ "$(jq .not_judged bad.json)" = null ] ||
			fail "$*: not judged: $(jq .not_judged bad.json)"
	done
}

# The same, and of a whole recording all is known.
clean_whole()
{
	clean "$@"
	[ "$(jq .unknown bad.json)" = 0 ] || fail "$*: $(cat bad.json)"
}

export HOME=$PWD
cat >hello.cc <<'END'
#include <map>
#include <string>
int main() { std::map<std::string, int> m{{"a", 1}}; return m.size() - 1; }
END
cat >CMakeLists.txt <<'END'
cmake_minimum_required(VERSION 3.10)
project(hello CXX)
add_executable(hello hello.cc)
END
git init -q repo && cp "$MT_TOP/LICENSE" repo && git -C repo add . || exit 1
clean_whole ls -lR /usr/include/linux
clean_whole perl -e 'my %h; $h{$_ % 977} .= "x$_" for 1..20000'
clean_whole sqlite3 :memory: 'create table t(a); select * from t'
clean_whole jq -n 1
clean_whole redis-server --version
clean_whole cppcheck -q hello.cc
clean_whole "$HOST/handover"
# shellcheck disable=SC2016
clean bash -c 'for i in {1..20}; do x=$(echo $i | cat); done; echo "$x"'
clean git -C repo -c user.name=a -c user.email=a commit -qm a
clean git -C repo log --stat -p
clean python3 -c 'import json, subprocess, threading
subprocess.run(["true"])
t = threading.Thread(target=lambda: json.dumps(list(range(9999))))
t.start()
t.join()'
clean gcc -O2 -c -x c -o hello.o "$MT_TOP/examples/leak.c"
clean clang++ -O1 -c hello.cc
clean cmake -S . -B build
clean cmake --build build
for program in forks atfork plugins deepbind threads spawns; do
	clean "$HOST/$program" "$HOST"
done

# Nor are there any with another allocator, which may take what glibc refuses.
gcc -g -w -D_GNU_SOURCE -I"$MT_TOP/include" -o plain -pthread \
	"$MT_TOP/tests/badfree/plain.c" || fail "plain does not build"
for library in libjemalloc.so.2 libtcmalloc.so.4; do
	PRELOAD=$(ldconfig -p | sed -n "s|.*$library .*=> ||p" | head -n 1)
	[ "$PRELOAD" ] || continue
	clean perl -e 'my %h; $h{$_ % 977} .= "x$_" for 1..20000'
	clean sqlite3 :memory: 'create table t(a); select * from t'
	clean clang++ -O1 -c hello.cc
	clean ./plain good_handover
	for case in twice:double interior:interior data:invalid sized:size; do
		rm -f trace.*
		record ./plain "${case%:*}" >/dev/null 2>&1
		"$REPORT" bad-frees --json trace.plain.*.zst >bad.json
		[ "$(jq -r '.bad_frees[].kind' bad.json)" = "${case#*:}" ] ||
			fail "$library, $case: $(cat bad.json)"
	done
done 2>/dev/null
exit 0
