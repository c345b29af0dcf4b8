#!/bin/bash
# SPDX-License-Identifier: MIT
# A bounded trace: what it says of the whole run is what an unbounded one says
# of it.
# shellcheck source=tests/integration/lib.sh
. "$MT_TOP/tests/integration/lib.sh"

exec python3 "$MT_TOP/tests/integration/ring.py" "$HOST/ring"
