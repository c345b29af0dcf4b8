#!/bin/bash
# SPDX-License-Identifier: MIT
# Handlers on an alternate stack: each allocation is there with its stack.
# shellcheck source=tests/integration/lib.sh
. "$MT_TOP/tests/integration/lib.sh"

both "$HOST/altstack"
t=$(trace) || exit 1
sound "$t"
lossless "$t"
calls "$t" alt_alloc 100
