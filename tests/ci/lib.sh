# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# What the cases of CI share: a test suite with one test that leaks and one
# that does not. Both print, and pass when nobody looks at their heap.

# shellcheck source=tests/integration/lib.sh
. "$MT_TOP/tests/integration/lib.sh"
PATH=$MT_BUILD:$PATH
unset LSAN_OPTIONS MAKEFLAGS MAKELEVEL MFLAGS
export CTEST_OUTPUT_ON_FAILURE=1

# Write the two tests: leaky.c loses 3 blocks of 100 bytes, tidy.c none.
write_tests()
{
	cat >leaky.c <<-'END'
		#include <stdio.h>
		#include <stdlib.h>
		#include <string.h>
		__attribute__((noinline)) void *lose_it(int n)
		{
			void *volatile block = malloc(n);
			memset(block, 1, n);
			block = NULL;
			return block;
		}
		int main(void)
		{
			for (int i = 0; i < 3; i++)
				lose_it(100);
			puts("leaky: out");
			fputs("leaky: err\n", stderr);
			return 0;
		}
	END
	cat >tidy.c <<-'END'
		#include <stdio.h>
		#include <stdlib.h>
		int main(int argc, char **argv)
		{
			void *volatile block = malloc(argc);
			free(block);
			puts("tidy: out");
			fprintf(stderr, "tidy: err %d\n", argc);
			return argv[argc] != NULL;
		}
	END
}

# Check that nothing was left behind in the directory that $TMPDIR names.
nothing_left()
{
	[ -z "$(ls -A "$TMPDIR")" ] || fail "left in TMPDIR: $(ls "$TMPDIR")"
}

export TMPDIR=$PWD/tmp
mkdir "$TMPDIR"
