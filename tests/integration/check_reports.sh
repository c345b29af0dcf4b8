#!/bin/bash
# SPDX-License-Identifier: MIT
# What the gate writes for others: JUnit XML by the schema in tests/data, SARIF
# (its schema is in a package: tests/export/sarif.sh), annotations, TAP; with
# all that was breached or vacuous in each, and the same bytes every time.
# shellcheck source=tests/integration/lib.sh
. "$MT_TOP/tests/integration/lib.sh"

cd "$MT_TOP" || exit 2
work=$OLDPWD

# Record a case of the program `leaks`.
make()
{
	MEMTRACE="out=$work/$1.zst" LD_PRELOAD=$LIB "$HOST/leaks" "$1" \
		>/dev/null 2>&1
	[ -f "$work/$1.zst" ] || fail "$1: no trace"
}

# Check these, writing all there is, and expect an exit status. It is run at
# the top of the source, where paths are short.
gives()
{
	local want=$1 file

	shift
	for file in one two; do
		"$REPORT" check --junit "$work/$file.xml" \
			--sarif "$work/$file.sarif" --github "$@" \
			>"$work/$file.out" 2>"$work/err"
		local got=$?

		[ $got = "$want" ] || fail "check $*: status $got, not $want:
$(cat "$work/$file.out" "$work/err")"
	done
	for file in xml sarif out; do
		cmp "$work/one.$file" "$work/two.$file" ||
			fail "$*: not the same $file twice"
	done
	xmllint --noout --schema tests/data/junit.xsd "$work/one.xml" \
		>"$work/err" 2>&1 || fail "JUnit: $(cat "$work/err" "$work/one.xml")"
	jq -e '.version == "2.1.0"' "$work/one.sarif" >/dev/null ||
		fail "SARIF: $(cat "$work/one.sarif")"
	"$REPORT" check --tap "$@" >"$work/tap"
	[ $? = "$want" ] || fail "--tap: not $want"
}

# Check what an XPath expression of the JUnit file is: junit EXPRESSION WANT
junit()
{
	local got

	got=$(xmllint --xpath "string($1)" "$work/one.xml")
	[ "$got" = "$2" ] || fail "JUnit: $1 is '$got', not '$2'"
}

# Check what a jq expression of the SARIF file is: sarif EXPRESSION WANT
sarif()
{
	local got

	got=$(jq -c ".runs[0] | $1" "$work/one.sarif")
	[ "$got" = "$2" ] || fail "SARIF: $1 is $got, not $2"
}

for name in chain ring interior kept abort; do
	make $name 2>/dev/null
done

# All outcomes together.
gives 3 --max-peak 1G "$work"/{chain,interior,kept,abort}.zst
junit '//testsuite/@tests' 12
junit '//testsuite/@failures' 1
junit '//testsuite/@errors' 1
junit '//testsuite/@skipped' 0
junit 'count(//testcase[@name="peak"])' 4
junit '//testcase[failure]/@classname' leaks
junit '//failure/@message' '320 B in 10 blocks leaked'
junit '//testcase[error]/@classname' 'leaks (4)'
junit '//error/@message' 'not checked: it was killed'
xmllint --xpath 'string(//failure)' "$work/one.xml" |
	grep -qE '^ +chain  leaks.cc:[0-9]+$' || fail "no stack in the failure"

line=$(grep -n 'calloc(1, sizeof(node))' tests/host/leaks.cc)
line=${line%%:*}
sarif '.results | map([.ruleId, .level])' \
	'[["definite-leak","error"],["possible-leak","note"]]'
sarif '.results[0].locations[0].physicalLocation' \
	'{"artifactLocation":{"uri":"tests/host/leaks.cc","uriBaseId":"SRCROOT"},"region":{"startLine":'"$line"'}}'
sarif '.results[0].codeFlows[0].threadFlows[0].locations |
	map(.location.message.text)' '["main","chain","make"]'
sarif '.results[0].partialFingerprints | to_entries | length' 1
sarif '.results[0].stacks[0].frames[0:3] |
	map(.location.message.text)' '["make","chain","main"]'
sarif '.results[0].properties | [.bytes, .blocks]' '[320,10]'
sarif '.invocations[0] | [.executionSuccessful, .exitCode]' '[false,3]'
sarif '[.invocations[0].toolExecutionNotifications[].message.text]' \
	'["leaks (4): leaks: not checked: it was killed"]'
sarif '. as $r | [.results[] | $r.tool.driver.rules[.ruleIndex].id == .ruleId] |
	all' true

grep -qxF "::error file=tests/host/leaks.cc,line=$line,title=memtrace%3A leak::definite leak of 320 B in 10 blocks: leaks!make < leaks!chain < leaks!main" \
	"$work/one.out" || fail "no annotation: $(cat "$work/one.out")"
[ "$(grep -c '^::' "$work/one.out")" = 2 ] ||
	fail "annotations: $(cat "$work/one.out")"
[ "$(head -n 2 "$work/tap" | paste -sd ' ')" = 'TAP version 13 1..12' ] ||
	fail "TAP: $(cat "$work/tap")"
[ "$(grep -c '^ok ' "$work/tap")" = 10 ] || fail "TAP: $(cat "$work/tap")"
grep -q '^not ok 1 - leaks: leaks: 320 B in 10 blocks leaked$' "$work/tap" ||
	fail "TAP: $(cat "$work/tap")"

# A rule of all processes, and one of one, breached.
gives 3 --max-allocs 0 --max-peak 1 "$work/kept.zst"
junit '//testsuite/@failures' 2
junit '//testcase[@name="allocations"]/@classname' all
sarif '.results | map([.ruleId, .level])' \
	'[["peak","error"],["allocations","error"]]'
sarif '.invocations[0].executionSuccessful' true
[ "$(grep -c '^::error title=memtrace%3A ' "$work/one.out")" = 2 ] ||
	fail "annotations: $(cat "$work/one.out")"

# A bad free: where it was freed, freed before and allocated.
cat >"$work/twice.c" <<'END'
#include <stdlib.h>
static __attribute__((noinline)) void again(char *volatile p)
{
	free(p);
}
int main(void)
{
	char *volatile p = malloc(10);

	free(p);
	again(p);
	return 0;
}
END
${CC:-cc} -g -w -O1 -fno-builtin -o "$work/twice" "$work/twice.c" ||
	fail "does not build"
(ulimit -c 0; MEMTRACE=out=$work/twice.zst LD_PRELOAD=$LIB "$work/twice") \
	>"$work/out" 2>&1
gives 3 "$work/twice.zst"
junit '//testcase[@name="bad-frees"]/failure/@message' '1 bad free'
xmllint --xpath 'string(//failure)' "$work/one.xml" | tr -s '\n ' ' ' |
	grep -q 'double free, 1 time, .* again twice.c:4 .* freed before by main twice.c:10 .* allocated by main twice.c:8 ' ||
	fail "bad free: $(cat "$work/one.xml")"
sarif '.results | map([.ruleId, .level])' '[["bad-free","error"]]'
sarif '[.results[0] | (.locations + .relatedLocations)[] |
	.physicalLocation.region.startLine]' '[4,10,8]'
sarif '.results[0].stacks | map(.message.text)' \
	'["freed by","freed before by","allocated by"]'
grep -qxF "::error file=$work/twice.c,line=4,title=memtrace%3A bad free::double free, 1 time: twice!again < twice!main" \
	"$work/one.out" || fail "no annotation: $(cat "$work/one.out")"

# Nothing wrong, and nothing at all: that is no plan of no tests.
gives 0 "$work/kept.zst"
sarif '.results' '[]'
[ "$(grep -c '^::' "$work/one.out")" = 0 ] || fail "$(cat "$work/one.out")"
mkdir "$work/none"
gives 4 "$work/none"
junit '//testsuite/@errors' 1
grep -q '^1\.\.1$' "$work/tap" || fail "TAP: $(cat "$work/tap")"
grep -q '^not ok 1 ' "$work/tap" || fail "TAP: $(cat "$work/tap")"

# The baseline: what is in it is no new alert; fingerprints stay.
"$REPORT" check --update-baseline "$work/base" "$work/chain.zst" >/dev/null ||
	fail "no baseline"
gives 3 --baseline "$work/base" "$work"/{chain,ring}.zst
sarif '[.results[] | [.baselineState, .level, (.suppressions | length)]]' \
	'[["new","error",0],["unchanged","note",1]]'
sarif '.results[1].partialFingerprints."memtraceStack/v1"' \
	"\"$(sed -n '2s/ .*//p' "$work/base")\""

# Names that need escapes, from another directory.
cd "$work" || exit 2
mkdir 'a & <b>,#%'
cat >'a & <b>,#%/x&y.c' <<'END'
#include <stdlib.h>
#include <string.h>
static void *volatile sink;
int main(void)
{
	char zeros[4096];

	sink = malloc(100);
	sink = NULL;
	memset(zeros, 0, sizeof(zeros));
	__asm__ volatile("" : : "r"(zeros) : "memory");
	return 0;
}
END
(cd / && ${CC:-cc} -g -O1 -fno-builtin -o "$work/x&<y>" \
	"$work/a & <b>,#%/x&y.c") || fail "does not build"
program="$work/x&<y>"
MEMTRACE=out=x.zst LD_PRELOAD=$LIB "$program"
cd "$MT_TOP" || exit 2
gives 3 "$work/x.zst"
junit '//testcase/@classname' 'x&<y>'
sarif '.results[0].locations[0].physicalLocation.artifactLocation.uri' \
	"\"file://$work/a%20%26%20%3Cb%3E%2C%23%25/x%26y.c\""
grep -qF "::error file=$work/a & <b>%2C#%25/x&y.c,line=8," "$work/one.out" ||
	fail "annotation: $(cat "$work/one.out")"
cd "$work" || exit 2
"$REPORT" check --sarif near.sarif x.zst >/dev/null
[ "$(jq -r '.runs[0].results[0].locations[0].physicalLocation.artifactLocation |
	[.uri, .uriBaseId] | join(" ")' near.sarif)" = \
	'a%20%26%20%3Cb%3E%2C%23%25/x%26y.c SRCROOT' ] ||
	fail "near: $(cat near.sarif)"

# A file that can't be written is an error; what does not go together, usage.
"$REPORT" check --junit none/no/x.xml kept.zst >out 2>err
[ $? = 1 ] || fail "status of a report that can't be written: $(cat err)"
for pair in '--tap --json' '--tap --github' '--json --github'; do
	# shellcheck disable=SC2086
	"$REPORT" check $pair kept.zst >out 2>err
	[ $? = 2 ] || fail "$pair: $(cat err)"
done
exit 0
