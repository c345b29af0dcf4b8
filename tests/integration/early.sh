#!/bin/bash
# SPDX-License-Identifier: MIT
# Allocations before our constructor and after our destructor are recorded.
# shellcheck source=tests/integration/lib.sh
. "$MT_TOP/tests/integration/lib.sh"

export PRELOAD=$HOST/libearly.so
both "$HOST/early"
t=$(trace) || exit 1
sound "$t"
lossless "$t"
is "$t" .end exit
calls "$t" preinit_alloc 2
calls "$t" construct_alloc 1
calls "$t" early_alloc 10
calls "$t" atexit_alloc 3
calls "$t" destruct_alloc 4
calls "$t" late_alloc 7
