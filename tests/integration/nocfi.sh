#!/bin/bash
# SPDX-License-Identifier: MIT
# Code without unwind tables: stacks end there, the program is unharmed.
# shellcheck source=tests/integration/lib.sh
. "$MT_TOP/tests/integration/lib.sh"

both "$HOST/nocfi"
t=$(trace) || exit 1
sound "$t"
is "$t" .lost.events 0
calls "$t" nocfi_alloc 2000
