# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# What the cases share whose judge is a browser.

# shellcheck source=tests/integration/lib.sh
. "$MT_TOP/tests/integration/lib.sh"

# Run Chromium without a screen, with a profile of its own and no network.
browse()
{
	HOME=$PWD timeout 120 chromium --headless --no-sandbox --disable-gpu \
		--no-first-run --disable-background-networking \
		--disable-component-update --disable-sync \
		--user-data-dir="$PWD/chromium" --virtual-time-budget=20000 \
		"$@" 2>chromium.err ||
		fail "chromium: $(tail -n 3 chromium.err)"
}

# Print a page as it is when its scripts have run.
page()
{
	browse --dump-dom "$@"
}
