#!/bin/bash
# SPDX-License-Identifier: MIT
# A plain makefile: LD_PRELOAD around make test, and one verdict behind it.
# shellcheck source=tests/ci/lib.sh
. "$MT_TOP/tests/ci/lib.sh"

write_tests
cat >Makefile <<'END'
CFLAGS = -g -O2
TESTS = leaky tidy
test: $(TESTS)
	@for t in $(TESTS); do ./$$t || exit 1; done
END
make leaky tidy >build.log || fail "$(cat build.log)"
make test >plain.out 2>plain.err || fail "without: $(cat plain.err)"

# Run the suite under the recorder, traces in $1: gate TESTS DIR
suite()
{
	mkdir "$2"
	LD_PRELOAD=$LIB MEMTRACE="out=$PWD/$2/%e.%p.zst" \
		make test TESTS="$1" >with.out 2>with.err
}

suite 'leaky tidy' traces || fail "with: $(cat with.err)"
cmp plain.out with.out || fail "not the same output"
cmp plain.err with.err || fail "not the same stderr"
memtrace-report check traces >report
[ $? = 3 ] || fail "no breach: $(cat report)"
grep -q lose_it report || fail "where is not said: $(cat report)"
suite tidy tidy-traces || fail "tidy: $(cat with.err)"
memtrace-report check tidy-traces >report || fail "tidy: $(cat report)"
mkdir none
memtrace-report check none >report 2>&1
[ $? = 4 ] || fail "nothing is not vacuous: $(cat report)"
