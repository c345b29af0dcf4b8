#!/bin/bash
# SPDX-License-Identifier: MIT
# What is said of leaks and of what keeps blocks: the sites with their stacks
# and siblings, what hangs off what, the chain from a root by name, and the line
# of the summary. All of it adds up, and is the same each time.
# shellcheck source=tests/integration/lib.sh
. "$MT_TOP/tests/integration/lib.sh"

MEMTRACE=out=a.zst LD_PRELOAD=$LIB "$HOST/owners" || fail "status $?"
MEMTRACE=out=kept.zst LD_PRELOAD=$LIB "$HOST/leaks" kept >/dev/null ||
	fail "status $?"
MEMTRACE=out=ring.zst LD_PRELOAD=$LIB "$HOST/leaks" ring >/dev/null ||
	fail "status $?"
MEMTRACE=out=off.zst,leaks=off LD_PRELOAD=$LIB "$HOST/owners" ||
	fail "status $?"

# Print what a command of the report writes, without what differs by run.
report()
{
	"$REPORT" "$@" >raw 2>err || fail "$*: $(cat err)"
	"$REPORT" "$@" 2>/dev/null | cmp - raw || fail "$*: not the same again"
	sed -E "s/0x[0-9a-f]+/ADDRESS/g; s/(pid|thread) [0-9]+/\1 N/g
		s/[0-9.]+ (ns|us|ms|s)\b/TIME/g; s/ +/ /g; s/ $//
		s/leaks.cc:[0-9]+/leaks.cc:LINE/g
		/^ libc\.so\.6\+/d" raw
}

# Expect what stdin has, of a command, from line 2 on.
expect()
{
	report "$@" | tail -n +2 >got
	diff - got >difference || fail "$*: $(cat difference)"
}

expect leaks a.zst <<'END'
definite 96 B in 4 blocks
indirect 4.3 KiB in 12 blocks
possible 0 B in 0 blocks
reachable 1000 B in 17 blocks

Leaks, by site; freed: its other blocks
 retained bytes blocks freed kind site
 4.4 KiB 96 B 4 196 definite request_new owners.c:68

request_new owners.c:68: definite, 96 B in 4 blocks
 hanging off 4.3 KiB in 12 blocks
 allocated from TIME to TIME, by thread N (owners)
 siblings 196 of 200 freed, half within TIME; these 4 never
 stack request_new owners.c:68
 serve owners.c:98
END
grep -q 'next: .* leaks --tree a.zst' err || fail "next: $(cat err)"

expect leaks --tree a.zst <<'END'
lost: 4.4 KiB in 16 blocks

What hangs off what
 retained own bytes own blocks site
 4.4 KiB 96 B 4 request_new owners.c:68
 3.9 KiB 3.9 KiB 4 text_new owners.c:37
 384 B 384 B 8 part_new (linked) owners.c:60
END
grep -q 'next: .* why text_new a.zst' err || fail "next: $(cat err)"

expect leaks --tree --kind reachable a.zst <<'END'
reachable: 1000 B in 17 blocks

What hangs off what
 retained own bytes own blocks site
 1000 B cache in owners
 1000 B 72 B 1 table_new owners.c:51
 928 B 128 B 8 entry_new owners.c:42
 800 B 800 B 8 text_new owners.c:37
END

expect why entry_new a.zst <<'END'
entry_new: 128 B in 8 blocks

What leads to them
 bytes blocks from the root on
 128 B 8 cache in owners -> table_new -> entry_new

One of the first of these
 bytes address pointer what
 ADDRESS +0 cache in owners
 72 B ADDRESS +8 table_new owners.c:51
 16 B ADDRESS entry_new owners.c:42
nothing else points to it
END

# By an address, into a block that others point to, too.
text=$("$REPORT" why --json text_new a.zst | jq -r '.chain[-1].address')
expect why "$(printf '0x%x' $((text + 8)))" a.zst <<'END'
ADDRESS is 8 bytes into a block of 1000 B, allocated at TIME by thread N:
 text_new owners.c:37
 request_new owners.c:71
 serve owners.c:98

Lost, with the first of these blocks
 bytes address pointer what
 24 B ADDRESS +8 request_new owners.c:68
 1000 B ADDRESS text_new owners.c:37
nothing else points to it
END
report why text_new a.zst | grep -q \
	'3.9 KiB 4 (lost) request_new -> text_new' || fail "$(cat raw)"
report why 'entry|table' a.zst | grep -q '200 B in 9 blocks' ||
	fail "$(cat raw)"
report why make ring.zst | grep -q \
	'nothing points to it but what hangs off it' || fail "$(cat raw)"
report why request_new a.zst | grep -qx 'nothing points to it' ||
	fail "$(cat raw)"

# Through blocks of one site, from a variable on.
report why make kept.zst | grep -q '96 B 3 root in leaks -> make (linked)' ||
	fail "$(cat raw)"

# Where only a pointer into a block leads to it.
MEMTRACE=out=inside.zst LD_PRELOAD=$LIB "$HOST/leaks" interior >/dev/null ||
	fail "status $?"
report leaks inside.zst >/dev/null
grep -q 'next: .* why --kind possible interior inside.zst' err ||
	fail "next: $(cat err)"
expect why --kind possible interior inside.zst <<'END'
interior: 100 B in 1 block

What leads to them
 bytes blocks from the root on
 100 B 1 sink in leaks -> interior

One of the first of these
 bytes address pointer what
 ADDRESS +0 (inside) sink in leaks
 100 B ADDRESS interior leaks.cc:LINE
nothing else points to it
END
"$REPORT" why --kind definite interior inside.zst 2>err && fail "why --kind"
grep -q "no block of a site 'interior'" err || fail "why --kind: $(cat err)"

# JSON has it all, and its sums are those of the verdict.
"$REPORT" leaks --json a.zst >a.json || fail "leaks --json"
jq -e '.checked == true and (.leaks[0] |
	.kind == "definite" and .blocks == 4 and .bytes == 96 and
	.retained_bytes == 4480 and .retained_blocks == 16 and
	.freed == 196 and .allocations == 200 and .function == "request_new" and
	.line == 68 and .median_lifetime_ns > 0 and .tid > 0 and
	.first_ns <= .last_ns) and
	(.stacks[0] | .leak == 0 and .blocks == 4 and
	 (.stack | startswith("request_new < serve < ")))' a.json >/dev/null ||
	fail "$(cat a.json)"
"$REPORT" leaks --kind all --json a.zst | jq -e '
	([.leaks[].bytes] | add) == ([.definite, .indirect, .possible,
		.reachable, .held_at_exit] | map(.bytes) | add)' >/dev/null ||
	fail "leaks --kind all: sums"
"$REPORT" leaks --tree --kind all --json a.zst | jq -e '
	. as $all | ([.tree[].bytes] | add) == 5480 and
	all(.tree[]; . as $n | .retained_bytes == .bytes +
		([$all.tree[] | select(.parent == $n.id) | .retained_bytes] |
		 add // 0))' >/dev/null || fail "leaks --tree: sums"
"$REPORT" why --json entry_new a.zst | jq -e '
	.block.kind == "reachable" and .root == "cache in owners" and
	.block.pointers == 1 and (.chain | length) == 2 and
	.chain[0].pointer_offset == 8 and
	.pointed_to_by == [{"pointers": 1,
		"from": "table_new  owners.c:51"}]' >/dev/null ||
	fail "$("$REPORT" why --json entry_new a.zst)"

# The summary says it in a line, and what to ask next.
report a.zst | grep -qx 'lost 4.4 KiB in 16 blocks: see memtrace-report leaks' ||
	fail "summary: $(cat raw)"
grep -q 'next: .* leaks a.zst' err || fail "next: $(cat err)"
report kept.zst | grep -qx 'lost 0 B in 0 blocks' || fail "$(cat raw)"
report off.zst | grep -q '^lost not checked: .*leaks=0' || fail "$(cat raw)"
report --at exit a.zst | grep -q '^lost' && fail "lost at a moment"
[ "$("$REPORT" --json a.zst | jq -c '.leaks.checked, .leaks.indirect')" = \
	'true
{"blocks":12,"bytes":4384}' ] || fail "--json"

# What to ask next, when nothing hangs off what is lost, or nothing is.
MEMTRACE=out=hidden.zst LD_PRELOAD=$LIB "$HOST/leaks" hidden >/dev/null ||
	fail "status $?"
report leaks hidden.zst >/dev/null
grep -q 'next: .* list make hidden.zst' err || fail "next: $(cat err)"
report leaks kept.zst >/dev/null
grep -q 'next: .* leaks --tree --kind reachable kept.zst' err ||
	fail "next: $(cat err)"

# What there is not.
for argument in 0x10 nobody; do
	"$REPORT" why $argument a.zst 2>err && fail "why $argument"
	grep -q 'was live when memory was looked at' err || fail "$(cat err)"
done
"$REPORT" why main off.zst 2>err && fail "why without a scan"
grep -q 'not checked: .*leaks=0' err || fail "$(cat err)"
"$REPORT" why main --thread 1 a.zst 2>err && fail "why --thread"
grep -q 'all blocks' err || fail "$(cat err)"
:
