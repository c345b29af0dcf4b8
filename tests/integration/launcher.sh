#!/bin/bash
# SPDX-License-Identifier: MIT
# The launcher: what it passes on, what it prints, what it refuses.
# shellcheck source=tests/integration/lib.sh
. "$MT_TOP/tests/integration/lib.sh"

printf 'int main(void) { return 0; }\n' >static.c
gcc -static -o static static.c || fail "no static program"
cp "$HOST/deep" setuid
chmod u+s setuid
cp "$HOST/deep" narrow
printf '\1' | dd of=narrow bs=1 seek=4 conv=notrunc status=none
printf '\3' | dd of=narrow bs=1 seek=18 conv=notrunc status=none
refuses 125 static ./static
refuses 125 setuid ./setuid
refuses 125 32-bit ./narrow
refuses 127 nothere ./nothere
refuses 126 static.c ./static.c
refuses 125 level --leval=3 -- "$HOST/deep" 5
refuses 125 size --size=100K -- "$HOST/deep" 5
refuses 125 onn --mmap=onn -- "$HOST/deep" 5

# Whatever the program is given, it gets, and its output stays its own.
"$LAUNCH" -o a.zst --level=3 -- "$HOST/deep" 5 --level=7 -o >out 2>err ||
	fail "status $?"
[ "$(cat out)" = 'done' ] || fail "stdout: $(cat out)"
calls a.zst deep_alloc 9
for word in a.zst events memtrace-report; do
	grep -q -- "$word" err || fail "$word is not in: $(cat err)"
done
"$LAUNCH" bash -c 'cat; echo err >&2; exit 42' <err >out2 2>err2
[ $? = 42 ] || fail "not status 42"
cmp err out2 || fail "stdin or stdout is not the same"
grep -qx err err2 || fail "stderr is lost"
ls memtrace.bash.*.zst >/dev/null || fail "no trace of bash"

# The program's environment is as it was, but for the two variables.
env | grep -vE '^(LD_PRELOAD|MEMTRACE|_)=' | sort >before
"$LAUNCH" -o e.zst env 2>/dev/null | grep -vE '^(LD_PRELOAD|MEMTRACE|_)=' |
	sort >after
cmp before after || fail "$(diff before after)"

# Signals to it reach the program, which decides.
"$LAUNCH" -o s.zst bash -c 'trap "echo caught; exit 5" TERM; echo ready
	for i in {1..100}; do sleep 0.1; done' >out 2>err &
launcher=$!
until grep -q ready out; do sleep 0.02; done
kill -TERM $launcher
wait $launcher
[ $? = 5 ] || fail "not the status that the handler gave"
grep -q caught out || fail "the signal did not arrive"
