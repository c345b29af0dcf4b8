#!/bin/bash
# SPDX-License-Identifier: MIT
# Allocations in TLS destructors, of both kinds, are recorded.
# shellcheck source=tests/integration/lib.sh
. "$MT_TOP/tests/integration/lib.sh"

both "$HOST/tls_end"
t=$(trace) || exit 1
sound "$t"
lossless "$t"
# 8 threads: one at first, one in each of PTHREAD_DESTRUCTOR_ITERATIONS.
calls "$t" key_alloc 40
calls "$t" object_alloc 16
