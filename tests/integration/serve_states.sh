#!/bin/bash
# SPDX-License-Identifier: MIT
# `serve` goes on from what it has replayed: what it answers is what the report
# makes of the whole trace at that instant, and costs what came since.
# shellcheck source=tests/integration/lib.sh
. "$MT_TOP/tests/integration/lib.sh"

sanitized && SANITIZED=1
export HOST SANITIZED=${SANITIZED:-}
exec python3 "$MT_TOP/tests/integration/serve_states.py"
