#!/bin/bash
# SPDX-License-Identifier: MIT
# What is kept of a stack is not read once that stack may be gone.
# shellcheck source=tests/integration/lib.sh
. "$MT_TOP/tests/integration/lib.sh"

both "$HOST/gone"
t=$(trace) || exit 1
sound "$t"
lossless "$t"
calls "$t" gone_alloc 40
