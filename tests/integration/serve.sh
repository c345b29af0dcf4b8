#!/bin/bash
# SPDX-License-Identifier: MIT
# `serve`: what it answers, of programs that run, of traces that are finished,
# damaged or gone, is what the programs did and what the report says.
# shellcheck source=tests/integration/lib.sh
. "$MT_TOP/tests/integration/lib.sh"

sanitized && SANITIZED=1
export HOST SANITIZED=${SANITIZED:-}
exec python3 "$MT_TOP/tests/integration/serve.py"
