#!/bin/bash
# SPDX-License-Identifier: MIT
# Exceptions pass through hooks and frames; failing operator new throws.
# shellcheck source=tests/integration/lib.sh
. "$MT_TOP/tests/integration/lib.sh"

both "$HOST/throws"
t=$(trace) || exit 1
sound "$t"
lossless "$t"
# 10 times 1 + 2 ... + 20 guards; 201 before the failing ones.
calls "$t" throw_alloc 2301
is "$t" .exit.blocks "$(json "$t" '[.sites[].exit_blocks] | add // 0')"
