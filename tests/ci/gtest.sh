#!/bin/bash
# SPDX-License-Identifier: MIT
# GoogleTest: with the listener of examples/ci a leak has the name of its test,
# and what grows when tests are repeated is found.
# shellcheck source=tests/ci/lib.sh
. "$MT_TOP/tests/ci/lib.sh"

cat >suite.cc <<'END'
#include <vector>
#include "gtest_memtrace.h"

static std::vector<int *> *registry;

__attribute__((noinline)) static void lose_it()
{
	int *volatile block = new int(1);
	block = nullptr;
}

TEST(Parser, Clean)
{
	std::vector<int> v(100);
	EXPECT_EQ(v.size(), 100u);
}

TEST(Parser, Loses)
{
	lose_it();
}

TEST(Registry, Grows)
{
	if (!registry)
		registry = new std::vector<int *>;
	registry->push_back(new int(2));
}

int main(int argc, char **argv)
{
	testing::InitGoogleTest(&argc, argv);
	testing::UnitTest::GetInstance()->listeners().Append(
		new memtrace_listener);
	return RUN_ALL_TESTS();
}
END
g++ -g -O1 -I"$MT_TOP/examples/ci" -I"$MT_TOP/include" -o suite suite.cc \
	-lgtest -pthread || fail "does not build"

# Run the suite under check; print each leak as "TESTS KIND".
leaks()
{
	memtrace --check=json "$@" >out 2>err
	status=$?
	sed -n '/^{/,/^}/p' err | jq -r '.leaks[] | select(.state == "new") |
		"\(.tests) \(.kind)"' | sort -u
}

./suite >plain.out || fail "fails by itself: $(cat plain.out)"
leaks ./suite --gtest_filter=-Parser.Loses >found
[ $status = 0 ] || fail "status $status: $(cat out err)"
[ ! -s err ] || fail "says: $(cat err)"
leaks ./suite --gtest_repeat=3 >found
[ $status = 3 ] || fail "status $status: $(cat out err)"
diff found - <<'END' || fail "$(cat err)"
Parser.Loses definite
Registry.Grows reachable
END
[ "$(ls "$TMPDIR" | wc -l)" = 1 ] || fail "not one trace: $(ls "$TMPDIR")"
