#!/bin/bash
# SPDX-License-Identifier: MIT
# A bounded trace that is full, after kill -9 at random moments: what it says of
# the whole run is what the program itself had counted. `make check-kills` has
# more of them.
# shellcheck source=tests/integration/lib.sh
. "$MT_TOP/tests/integration/lib.sh"

exec python3 "$MT_TOP/tests/integration/ring.py" "$HOST/ring" "${KILLS:-25}"
