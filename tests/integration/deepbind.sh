#!/bin/bash
# SPDX-License-Identifier: MIT
# Plugins with another malloc: what we see is right, the rest no harm.
# shellcheck source=tests/integration/lib.sh
. "$MT_TOP/tests/integration/lib.sh"

both "$HOST/deepbind" "$HOST"
t=$(trace) || exit 1
sound "$t"
lossless "$t"
calls "$t" seen_alloc 1000
calls "$t" plugin_b_work 0
