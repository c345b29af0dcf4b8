#!/bin/bash
# SPDX-License-Identifier: MIT
# No hook changes errno, whether the call succeeds or fails.
# shellcheck source=tests/integration/lib.sh
. "$MT_TOP/tests/integration/lib.sh"

both "$HOST/errnos"
grep -q 'changed: 0' plain.out || fail "the test itself is wrong"
rm -f trace.*
OPTIONS=mmap=1
both "$HOST/errnos"
t=$(trace) || exit 1
sound "$t"
