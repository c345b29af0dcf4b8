#!/bin/bash
# SPDX-License-Identifier: MIT
# The resident set is told apart, adds up, and agrees with what the program
# knows: free lists, stacks, files, mappings of its own, blocks never touched;
# with other allocators too.
# shellcheck source=tests/integration/lib.sh
. "$MT_TOP/tests/integration/lib.sh"

# Print a figure of the last moment.
figure()
{
	jq ".moments[-1].$1" report
}

# The parts are the whole, but for what is not told apart: 64 KiB.
adds_up()
{
	jq -e '.moments | length > 0 and all(.resident_bytes ==
		.requested_bytes + .overhead_bytes + .kept_bytes -
		.absent_bytes + .mapped_bytes + .stack_bytes + .program_bytes +
		.file_bytes + .own_bytes + .other_bytes and
		.other_bytes <= 65536)' report >/dev/null ||
		fail "$*: does not add up: $(cat report)"
}

# Compare what the program said with the report, to 2 % and 512 KiB. Of other
# allocators, what mallinfo2() says means nothing.
agrees()
{
	local key known sums got

	sums=$(awk '{ sum[$1] += $2 } END { for (k in sum) print k, sum[k] }' \
		with.out)
	while read -r key known; do
		[ "$key" = kept_bytes ] && [ "$PRELOAD" ] && continue
		got=$(figure "$key")
		awk -v got="$got" -v known="$known" -v more="${more:-0}" 'BEGIN {
			off = got > known ? got - known : known - got
			exit off > known / 50 + 524288 + more }' ||
			fail "$*: $key is $got, the program says $known: $(
				cat report)"
	done <<<"$sums"
}

# Run the program with these arguments, and look.
try()
{
	rm -f trace.* mapped
	record "$HOST/memory" "$@" >with.out || fail "$*: status $?"
	"$REPORT" memory --json trace.*.zst >report || fail "$*: no report"
	adds_up "$@"
	agrees "$@"
}

try
[ "$(figure why)" = '"end"' ] || fail "not at the end: $(cat report)"
for what in free stack file mmap big large; do
	try $what
done
try free large mmap
try large stack mmap file
# The kernel counts the resident pages of threads in batches.
more=1048576 try arena large
more=1048576 try free stack file mmap big large

# In text and CSV.
"$REPORT" memory trace.*.zst >text
for line in 'live blocks, as asked for' 'kept by the allocator' \
	'never touched' "the program's mmap" 'stacks$' 'libraries' \
	'other files' "memtrace's own" 'resident set$'; do
	grep -q "$line" text || fail "no line '$line': $(cat text)"
done
[ "$("$REPORT" memory --csv trace.*.zst | wc -l)" = 2 ] || fail "CSV"

# With other allocators, theirs is the difference.
for name in libjemalloc.so.2 libtcmalloc_minimal.so.4; do
	PRELOAD=$(ldconfig -p | awk -v n=$name '$1 == n { print $NF; exit }')
	[ "$PRELOAD" ] || fail "no $name"
	more=4194304 try free
	[ "$(figure overhead_bytes)" = 0 ] || fail "$name: overhead"
	[ "$(figure requested_bytes)" -ge 4000000 ] || fail "$name: blocks"
	more=4194304 try mmap
	more=4194304 try large stack file
	"$REPORT" memory trace.*.zst | grep -q "the allocator's own" ||
		fail "$name: not said"
done
