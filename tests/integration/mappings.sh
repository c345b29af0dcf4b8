#!/bin/bash
# SPDX-License-Identifier: MIT
# mmap=1 records mmap, mremap and munmap; without it there are none.
# shellcheck source=tests/integration/lib.sh
. "$MT_TOP/tests/integration/lib.sh"

both "$HOST/mappings"
t=$(trace) || exit 1
sound "$t"
[ "$(events "$t" | awk '$4 ~ /^(mmap|mremap|munmap)/' | wc -l)" = 0 ] ||
	fail "mappings without mmap=1"
rm -f trace.*
OPTIONS=mmap=1
both "$HOST/mappings"
t=$(trace) || exit 1
sound "$t"
lossless "$t"
events "$t" >all
for i in $(seq 20); do
	awk -v n=$((i * 40960)) '$4 == "mmap" && $6 == n' all | grep -q . ||
		fail "no mmap of $((i * 10)) pages"
	awk -v n=$((i * 122880)) '$4 == "mremap" && $6 == n' all | grep -q . ||
		fail "no mremap to $((i * 30)) pages"
done
[ "$(awk '$4 == "munmap" && $6 == 20480' all | wc -l)" -ge 20 ] ||
	fail "not 20 munmaps of 5 pages"
awk '$4 == "mmap" && $5 ~ /^(0x)?0$/' all | grep -q . ||
	fail "the failed mmap is not there"
