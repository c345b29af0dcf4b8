#!/bin/bash
# SPDX-License-Identifier: MIT
# Unloaded modules stay named; addresses used again get the new name.
# shellcheck source=tests/integration/lib.sh
. "$MT_TOP/tests/integration/lib.sh"

both "$HOST/plugins" "$HOST" reused
t=$(trace) || exit 1
sound "$t"
lossless "$t"
[ "$(cat reused)" -gt 0 ] || fail "no plugin came where the other had been"
calls "$t" plugin_a_work 200
calls "$t" plugin_b_work 200
calls "$t" plugin_a_construct 50
calls "$t" plugin_b_construct 50
is "$t" '[.sites[] | select(.function == "plugin_b_work")
	| .module | sub(".*/"; "")] | unique | .[]' libplugin_b.so
