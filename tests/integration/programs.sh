#!/bin/bash
# SPDX-License-Identifier: MIT
# Real programs give the same stdout, stderr and exit status as without.
# shellcheck source=tests/integration/lib.sh
. "$MT_TOP/tests/integration/lib.sh"

# Run under both, check all traces, count their allocations.
real()
{
	local t total=0

	rm -f trace.*
	both "$@"
	for t in trace.*.zst; do
		sound "$t"
		is "$t" .lost.events 0
		((total += $(json "$t" .totals.allocations)))
	done
	((total > 0)) || fail "$*: nothing recorded"
	rm -f trace.*
}

export HOME=$PWD GIT_CONFIG_NOSYSTEM=1 PYTHONDONTWRITEBYTECODE=1
export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a GIT_COMMITTER_NAME=a
export GIT_COMMITTER_EMAIL=a GIT_AUTHOR_DATE='@1 +0000'
export GIT_COMMITTER_DATE='@1 +0000'

real ls -lR /etc/dpkg /usr/include/linux
real ls /nonexistent
# shellcheck disable=SC2016
real bash -c 'x=$(for i in {1..300}; do echo $i; done | sort -r | head -n 5)
	echo "$x"; false | true; echo ${PIPESTATUS[*]}; exit 7'
# shellcheck disable=SC2016
real perl -e 'my %h; $h{$_ % 977} .= "x$_" for 1..20000;
	print length(join "", map { $h{$_} } sort keys %h), "\n"; die "end\n"'
real env PYTHONMALLOC=malloc /usr/bin/python3 -c 'import json, sys, threading
def work(k):
	out[k] = len(json.dumps([{"a": i, "b": [str(i)] * 3} for i in range(3000)]))
out = {}
threads = [threading.Thread(target=work, args=(k,)) for k in range(3)]
[t.start() for t in threads]
[t.join() for t in threads]
print(sorted(out.items()))
sys.exit(3)'
cat >hello.c <<'END'
#include <stdio.h>
#include <stdlib.h>
int main(void) { printf("%d\n", abs(-3) + undeclared_warning()); }
int undeclared_warning(void) { return 4; }
END
real gcc -Wall -O2 -S -o - hello.c
real gcc -c nonexistent.c
real sqlite3 :memory: 'create table t(a, b);
	with recursive n(i) as (select 1 union all select i + 1 from n
		where i < 3000)
	insert into t select i, hex(i * 7919 % 1000) from n;
	create index x on t(b);
	select b, count(*), sum(a) from t group by b order by 3 desc limit 5;
	select * from missing;'
git init -q repo || exit 1
cp "$MT_TOP"/LICENSE "$MT_TOP"/include/memtrace/*.h repo
real git -C repo status --porcelain
git -C repo add . || exit 1
real git -C repo commit -q --dry-run --porcelain
git -C repo commit -qm one || exit 1
real git -C repo log --stat -p
real git -C repo grep -n -i 'copyright'
real git -C repo fsck --full
real git clone -q repo /dev/null/repo
