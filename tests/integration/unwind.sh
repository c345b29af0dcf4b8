#!/bin/bash
# SPDX-License-Identifier: MIT
# The stacks of the trace are those that libunwind finds, frame by frame; and
# each call that reaches the allocator is an event, no more, no less.
#
# By hand, on larger programs, or on one of your own:
#
#   MT_UNWIND=large tests/run -t 3000 integration/unwind
#   MT_UNWIND='PROGRAM ARGUMENTS' UNWIND_SAMPLE=1 tests/run integration/unwind
#
# and MT_UNWIND_COUNTS=FILE gets the counts. libunwindcheck.c has the rest.
# shellcheck source=tests/integration/lib.sh
. "$MT_TOP/tests/integration/lib.sh"

total=0

# Compare all stacks of a command, of all processes; COMPARE has options.
same()
{
	local t name

	rm -f trace.* stacks.*
	(
		export UNWIND_LOG=$PWD/stacks
		PRELOAD="$HOST/libunwindcheck.so ${BEHIND:-}"
		become_recorded "$@"
	) >out 2>err
	grep '^memtrace:' err && fail "$*: the recorder complains"
	for t in trace.*.zst; do
		[ -f "$t" ] || fail "$*: no trace"
		name=${t#trace.} name=${name%.zst}
		events "$t" >events || exit 1
		[ "${MAY_LOSE:-}" ] || lossless "$t"
		# shellcheck disable=SC2046
		python3 "$MT_TOP/tests/oracle/stacks.py" $(json "$t" \
			'"--missing \(.lost.events) --lost \(.lost.stacks)"') \
			"stacks.$name" events >result 2>&1 || {
			cat result
			fail "$*: $name: not what libunwind finds"
		}
		[ -z "${MT_UNWIND_COUNTS:-}" ] ||
			echo "$name: $(cat result)" >>"$MT_UNWIND_COUNTS"
		((total += $(sed -n 's/ compared.*//p' result)))
	done
	rm -f trace.* stacks.*
}

# The nasty ones. What handlers do while the thread is in a hook has no stack,
# or is counted only.
nasty()
{
	same "$HOST/frames"
	same "$HOST/rules"
	UNWIND_SAMPLE=1 same "$HOST/paths"
	same "$HOST/gone"
	same "$HOST/throws"
	same "$HOST/fibers"
	same "$HOST/deep" 10 1000 1024 1025 1026 5000
	same "$HOST/altstack"
	same "$HOST/nocfi"
	same "$HOST/plugins" "$HOST" reused
	same "$HOST/threads" 200 50
	UNWIND_SAMPLE=100 same "$HOST/handover"
	same "$HOST/tls_end"
	same "$HOST/ends" exit
	MAY_LOSE=1 BEHIND=$HOST/libsafealloc.so UNWIND_SAMPLE=400 \
		same "$HOST/signals" counts
}

# Real ones: C and C++, with processes and threads of their own.
real()
{
	# shellcheck disable=SC2016
	same bash -c 'x=$(for i in {1..30}; do echo $i; done | sort -r |
		head -n 5); echo "$x"'
	# shellcheck disable=SC2016
	same perl -e 'my %h; $h{$_ % 977} .= "x$_" for 1..4000;
		print map { $h{$_} } sort keys %h'
	PYTHONMALLOC=malloc same /usr/bin/python3 -c 'import json, threading
def work(k):
	out[k] = len(json.dumps([{"a": i} for i in range(100)]))
out = {}
threads = [threading.Thread(target=work, args=(k,)) for k in range(3)]
[t.start() for t in threads]
[t.join() for t in threads]'
	same sqlite3 :memory: 'create table t(a, b);
		with recursive n(i) as (select 1 union all select i + 1 from n
			where i < 1000)
		insert into t select i, hex(i * 7919 % 1000) from n;
		create index x on t(b);
		select b, count(*), sum(a) from t group by b order by 3 desc;'
	git init -q repo || exit 1
	cp "$MT_TOP/LICENSE" repo
	same git -C repo add .
	same git -C repo -c user.name=a -c user.email=a commit -qm one
	same git -C repo log --stat -p
	seq 200000 >numbers
	same xz -T2 --block-size=200000 numbers
	same zstd -q -T2 -B500000 numbers.xz
	same gcc -O2 -D_GNU_SOURCE -I"$MT_TOP/include" -S -o hello.s \
		"$MT_TOP/tests/host/quiet.c"
	! command -v cppcheck >/dev/null ||
		same cppcheck -q "$MT_TOP/tests/host/quiet.c"
}

# The same in large: minutes.
large()
{
	cat >a.cc <<-'END'
		#include <algorithm>
		#include <map>
		#include <regex>
		#include <string>
		int main(int argc, char **argv)
		{
			std::map<std::string, int> m;
			for (int i = 0; i < argc; i++)
				m[argv[i]] = std::regex_match(argv[i],
						std::regex("a+b"));
			return std::count_if(m.begin(), m.end(),
				[](const auto &p) { return p.second; });
		}
	END
	same g++ -O2 -S -o a.s a.cc
	! command -v clang++ >/dev/null || same clang++ -O2 -S -o a.s a.cc
	! command -v cppcheck >/dev/null ||
		same cppcheck -q "$MT_TOP/analyzer"
	same git -C "$MT_TOP" log --stat -p
	PYTHONMALLOC=malloc same /usr/bin/python3 -m json.tool --sort-keys \
		<(python3 -c 'print([[i, [i] * 9] for i in range(9999)])')
}

export HOME=$PWD GIT_CONFIG_NOSYSTEM=1 PYTHONDONTWRITEBYTECODE=1
case ${MT_UNWIND:-} in
'') nasty && real ;;
large) large ;;
*) eval "same $MT_UNWIND" ;;
esac
((total >= 20000)) || [ -n "${MT_UNWIND:-}" ] || fail "only $total compared"
