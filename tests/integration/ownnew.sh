#!/bin/bash
# SPDX-License-Identifier: MIT
# A program's own operator new is what libstdc++'s other forms call.
# shellcheck source=tests/integration/lib.sh
. "$MT_TOP/tests/integration/lib.sh"

both "$HOST/ownnew"
grep -q 'news 40, deletes 30' with.out || fail "not all came to the program's"
t=$(trace) || exit 1
sound "$t"
