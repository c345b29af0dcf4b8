#!/bin/bash
# SPDX-License-Identifier: MIT
# `push`: what a server of profiles gets, once and again and again, adds up to
# what the trace has; what it refuses is said.
# shellcheck source=tests/integration/lib.sh
. "$MT_TOP/tests/integration/lib.sh"

export HOST
exec python3 "$MT_TOP/tests/integration/push.py"
