#!/bin/bash
# SPDX-License-Identifier: MIT
# Stacks to 1,024 frames are exact, deeper ones are cut and counted.
# shellcheck source=tests/integration/lib.sh
. "$MT_TOP/tests/integration/lib.sh"

both "$HOST/deep" 1 10 100 1000
t=$(trace) || exit 1
sound "$t"
lossless "$t"
is "$t" .lost.cut_stacks 0
calls "$t" deep_alloc 12
rm -f trace.*

both "$HOST/deep" 1024 1025 5000
t=$(trace) || exit 1
sound "$t"
lossless "$t"
# Above the levels there are deep_alloc() and main() and what calls it; the
# frees are made in main().
is "$t" .lost.cut_stacks 9
calls "$t" deep_alloc 9
