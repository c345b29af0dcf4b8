#!/bin/bash
# SPDX-License-Identifier: MIT
# A sample of the blocks: what is estimated from it is what the program knows
# of itself, as often as the report says; what it cannot tell is refused, and
# no gate passes on it; its rate can be changed while the program runs.
# shellcheck source=tests/integration/lib.sh
. "$MT_TOP/tests/integration/lib.sh"

exec python3 "$MT_TOP/tests/integration/sampling.py" "$HOST/sampled" \
	"${SAMPLING_RUNS:-20}"
