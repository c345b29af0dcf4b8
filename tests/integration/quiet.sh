#!/bin/bash
# SPDX-License-Identifier: MIT
# What a program can see of itself is the same: no threads, signals, files.
# shellcheck source=tests/integration/lib.sh
. "$MT_TOP/tests/integration/lib.sh"

both "$HOST/quiet"
t=$(trace) || exit 1
sound "$t"

# With few descriptors it gets the same, in the same numbers.
rm -f trace.*
both bash -c "ulimit -n 6; exec $HOST/quiet"
grep -q 'open gives 5' plain.out || fail "the test itself is wrong"
rm -f trace.*

# Started without stdin, stdout and stderr it gets their numbers as before.
plain "$HOST/closed" plain.closed <&- >&- 2>&-
record "$HOST/closed" with.closed <&- >&- 2>&-
cmp plain.closed with.closed || fail "$(cat plain.closed with.closed)"
grep -q 'open 0, mine 0' plain.closed || fail "the test itself is wrong"
