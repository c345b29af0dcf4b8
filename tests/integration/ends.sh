#!/bin/bash
# SPDX-License-Identifier: MIT
# However a program ends, all up to that instant is in what is read.
# shellcheck source=tests/integration/lib.sh
. "$MT_TOP/tests/integration/lib.sh"

# HOW END ALLOCATIONS
while read -r how end allocations; do
	rm -f trace.*
	both "$HOST/ends" "$how"
	t=$(trace) || exit 1
	sound "$t"
	lossless "$t"
	calls "$t" end_alloc "$allocations"
	is "$t" .end "$end"
done <<END
return exit 500
exit exit 500
_exit _exit 500
_Exit _exit 500
quick_exit exit 500
threads exit 1000
pthread_exit exit 1000
abort killed 500
segv killed 500
term killed 500
kill killed 500
exit_group killed 500
END
