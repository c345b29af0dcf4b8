#!/bin/bash
# SPDX-License-Identifier: MIT
# A thousand short threads and two hundred at once: nothing is lost.
# shellcheck source=tests/integration/lib.sh
. "$MT_TOP/tests/integration/lib.sh"

both "$HOST/threads" 1000 200
t=$(trace) || exit 1
sound "$t"
lossless "$t"
calls "$t" short_alloc 10000
calls "$t" crowd_alloc 2000
