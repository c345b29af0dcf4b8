#!/bin/bash
# SPDX-License-Identifier: MIT
# Meson: meson test --wrapper fails the test that leaks and no other.
# shellcheck source=tests/ci/lib.sh
. "$MT_TOP/tests/ci/lib.sh"

write_tests
cat >meson.build <<'END'
project('suite', 'c')
foreach name : ['leaky', 'tidy']
  test(name, executable(name, name + '.c'))
endforeach
END
meson setup build >setup.log 2>&1 || fail "meson setup: $(cat setup.log)"
meson compile -C build >compile.log 2>&1 || fail "$(cat compile.log)"

# Print what meson has noted of a test: result of NAME's field in jq.
of()
{
	jq -r "select(.name == \"$1\") | $2" build/meson-logs/testlog"$3".json
}

meson test -C build >plain.log || fail "without: $(cat plain.log)"
[ "$(of leaky .result '')" = OK ] || fail "without: $(cat plain.log)"
tidy=$(of tidy '.stdout + .stderr' '')
meson test -C build --wrapper 'memtrace --check' >gated.log &&
	fail "passes: $(cat gated.log)"
log=-memtrace
[ -f build/meson-logs/testlog$log.json ] || log=
[ "$(of tidy .result $log)" = OK ] || fail "tidy: $(cat gated.log)"
[ "$(of leaky .result $log)" = FAIL ] || fail "leaky: $(cat gated.log)"
[ "$(of leaky .returncode $log)" = 3 ] || fail "leaky: $(cat gated.log)"
[ "$(of tidy '.stdout + .stderr' $log)" = "$tidy" ] ||
	fail "tidy prints otherwise: $(of tidy . $log)"
[[ "$(of leaky .stderr $log)" == *"lose_it"* ]] ||
	fail "leaky: where is not said: $(of leaky . $log)"
