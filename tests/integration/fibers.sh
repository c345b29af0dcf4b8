#!/bin/bash
# SPDX-License-Identifier: MIT
# Fibers on 16 KiB stacks: unwound, and the recorder leaves them room.
# shellcheck source=tests/integration/lib.sh
. "$MT_TOP/tests/integration/lib.sh"

both "$HOST/fibers"
t=$(trace) || exit 1
sound "$t"
lossless "$t"
calls "$t" fiber_alloc 32000
