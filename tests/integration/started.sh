#!/bin/bash
# SPDX-License-Identifier: MIT
# A process killed while its recording starts leaves a trace that reads: empty.
# shellcheck source=tests/integration/lib.sh
. "$MT_TOP/tests/integration/lib.sh"

# A page of reserved space, and a live file that has not described itself.
{
	printf '\x5e\x2a\x4d\x18\xf8\x0f\x00\x00'
	head -c 4088 /dev/zero
} >t.zst
head -c 131072 /dev/zero >t.zst.live
zstd -tq t.zst || fail "the test itself is wrong"
[ "$(json t.zst '[.end, .totals.allocations, .exit.blocks] | @csv')" \
	= '"killed",0,0' ] || fail "not an empty recording: $(cat t.zst.json)"

# The same without the live file; but not any skippable frame.
rm t.zst.live t.zst.json
[ "$(json t.zst .end)" = killed ] || fail "not read without the live file"
{
	printf '\x5f\x2a\x4d\x18\xf8\x0f\x00\x00'
	head -c 4088 /dev/zero
} >other.zst
"$REPORT" other.zst 2>err && fail "another's file is read"
grep -q 'not a memtrace trace' err || fail "not refused: $(cat err)"
