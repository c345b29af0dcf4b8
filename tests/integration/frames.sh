#!/bin/bash
# SPDX-License-Identifier: MIT
# alloca, variable arrays and longjmp, no frame pointers.
# shellcheck source=tests/integration/lib.sh
. "$MT_TOP/tests/integration/lib.sh"

both "$HOST/frames"
t=$(trace) || exit 1
sound "$t"
lossless "$t"
# 99 by each of the first two; the jumps: 10 times 1 + 2 ... + 10.
calls "$t" frames_alloc 748
