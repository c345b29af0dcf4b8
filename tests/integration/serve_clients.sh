#!/bin/bash
# SPDX-License-Identifier: MIT
# `serve` and clients that do not behave: who sends half a request, or nothing,
# who does not read or goes away, many at once; and those who ask while a large
# trace is being read.
# shellcheck source=tests/integration/lib.sh
. "$MT_TOP/tests/integration/lib.sh"

sanitized && SANITIZED=1
export HOST SANITIZED=${SANITIZED:-}
exec python3 "$MT_TOP/tests/integration/serve_clients.py"
