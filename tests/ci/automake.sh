#!/bin/bash
# SPDX-License-Identifier: MIT
# Automake: with LOG_COMPILER, make check fails the test that leaks and no
# other.
# shellcheck source=tests/ci/lib.sh
. "$MT_TOP/tests/ci/lib.sh"

write_tests
cat >configure.ac <<'END'
AC_INIT([suite], [1])
AM_INIT_AUTOMAKE([foreign])
AC_PROG_CC
AC_CONFIG_FILES([Makefile])
AC_OUTPUT
END
cat >Makefile.am <<'END'
check_PROGRAMS = leaky tidy
TESTS = $(check_PROGRAMS)
END
{
	autoreconf -i && ./configure && make
} >setup.log 2>&1 || fail "$(cat setup.log)"

make check >plain.log 2>&1 || fail "without: $(cat plain.log)"
cp tidy.log tidy.plain
make check LOG_COMPILER='memtrace --check' >gated.log 2>&1 &&
	fail "passes: $(cat gated.log)"
grep -q '^PASS: tidy' gated.log || fail "tidy: $(cat gated.log)"
grep -q '^FAIL: leaky' gated.log || fail "leaky: $(cat gated.log)"
grep -qx ':test-result: FAIL' leaky.trs || fail "leaky: $(cat leaky.trs)"
cmp tidy.plain tidy.log || fail "tidy prints otherwise: $(cat tidy.log)"
grep -q 'leaky: out' leaky.log || fail "leaky: $(cat leaky.log)"
grep -q 'lose_it' leaky.log || fail "leaky: where is not said: $(cat leaky.log)"
grep -q 'exit status: 3' leaky.log || fail "leaky: not 3: $(cat leaky.log)"
