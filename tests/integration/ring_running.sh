#!/bin/bash
# SPDX-License-Identifier: MIT
# A bounded trace is read while it is being recorded, by two at once: what they
# say is what the program had done at some moment meanwhile.
# shellcheck source=tests/integration/lib.sh
. "$MT_TOP/tests/integration/lib.sh"

exec python3 "$MT_TOP/tests/integration/ring_running.py" "$HOST/ring" 6
