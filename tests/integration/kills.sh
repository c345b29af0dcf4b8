#!/bin/bash
# SPDX-License-Identifier: MIT
# kill -9 at 50 random moments: all that had been reported is in the trace.
# shellcheck source=tests/integration/lib.sh
. "$MT_TOP/tests/integration/lib.sh"

exec python3 "$MT_TOP/tests/integration/kills.py" "$HOST/killed" 50
