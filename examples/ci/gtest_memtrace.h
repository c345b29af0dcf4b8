/* SPDX-License-Identifier: MIT */
/*
 * For GoogleTest: tells memtrace which test is running, so that a leak has the
 * name of its test. In main(), before RUN_ALL_TESTS():
 *
 *     testing::UnitTest::GetInstance()->listeners().Append(
 *             new memtrace_listener);
 *
 * With --gtest_repeat=3 what a test keeps beyond its first run, more of it
 * each time, is a leak as well.
 */
#include <gtest/gtest.h>
#include <memtrace/memtrace.h>
#include <string>

class memtrace_listener : public testing::EmptyTestEventListener
{
	void OnTestStart(const testing::TestInfo &test) override
	{
		std::string name = test.test_suite_name();

		name += '.';
		name += test.name();
		memtrace_test_begin(name.c_str());
	}

	void OnTestEnd(const testing::TestInfo &) override
	{
		memtrace_test_end();
	}
};
