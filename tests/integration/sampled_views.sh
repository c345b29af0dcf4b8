#!/bin/bash
# SPDX-License-Identifier: MIT
# Each view of a sample against the same view of a full recording: its figures
# are right in the mean, and its intervals hold the true ones as often as they
# say; a diff tells growth from noise.
# shellcheck source=tests/integration/lib.sh
. "$MT_TOP/tests/integration/lib.sh"

exec python3 "$MT_TOP/tests/integration/sampled_views.py" "$HOST/sampled" \
	"${SAMPLING_RUNS:-40}"
