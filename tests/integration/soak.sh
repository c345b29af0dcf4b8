#!/bin/bash
# SPDX-License-Identifier: MIT
# Services under load for SOAK_SECONDS: see soak.py. `make soak` takes longer.
# shellcheck source=tests/integration/lib.sh
. "$MT_TOP/tests/integration/lib.sh"

export HOST
exec python3 "$MT_TOP/tests/integration/soak.py" "${SOAK_SECONDS:-15}"
