#!/bin/bash
# SPDX-License-Identifier: MIT
# Go's pprof reads what is exported for it: each sample type adds up to the
# JSON's figure, labels and inlined frames arrive, a profile less itself is
# nothing; an import exports what it knows and no more.
# shellcheck source=tests/integration/lib.sh
. "$MT_TOP/tests/integration/lib.sh"

export PPROF_TMPDIR=$PWD HOME=$PWD

# Print the sum of a sample type, the N-th, as pprof reads it.
sum()
{
	go tool pprof -raw "$1" 2>/dev/null |
		awk -v n="$2" '/^Locations/ { exit }
			/^ +[0-9][0-9 ]*: / { s += $n }
			END { printf "%d", s }'
}

record "$MT_BUILD/examples/threads" >/dev/null || fail "no recording"
t=$(trace)
"$REPORT" export -f pprof -o end.pb.gz "$t" 2>err || fail "$(cat err)"
"$REPORT" export -f pprof "$t" 2>/dev/null | cmp - end.pb.gz ||
	fail "not the same bytes twice"
gzip -t end.pb.gz || fail "no gzip"

n=0
for figure in .totals.allocations .totals.allocated_bytes .exit.blocks \
	.exit.bytes; do
	((++n))
	is "$t" "$figure" "$(sum end.pb.gz $n)"
done
"$REPORT" export -f pprof --at peak -o peak.pb.gz "$t" || fail peak
is "$t" .peak.blocks "$(sum peak.pb.gz 3)"
is "$t" .peak.bytes "$(sum peak.pb.gz 4)"

go tool pprof -raw end.pb.gz >raw 2>err || fail "pprof -raw: $(cat err)"
grep -q '^alloc_objects/count alloc_space/bytes inuse_objects/count inuse_space/bytes\[dflt\]$' \
	raw || fail "sample types: $(grep alloc_ raw)"
grep -q "^1: .*/examples/threads [0-9a-f]* \[FN\]\[FL\]" raw ||
	fail "mappings: $(grep -A 3 '^Mappings' raw)"
awk '/^Mappings/ { exit } l && / 0x/ && !/ M=/ { exit 1 }
	/^Locations/ { l = 1 }' raw || fail "a location without a mapping"
go tool pprof -sample_index=alloc_space -top end.pb.gz >top 2>err ||
	fail "pprof -top: $(cat err)"
grep -q main top || fail "pprof -top: $(cat top)"
go tool pprof -tags -sample_index=alloc_space end.pb.gz >tags 2>err ||
	fail "pprof -tags: $(cat err)"
for tag in bytes thread thread_id; do
	grep -q "^ $tag: Total" tags || fail "no tag $tag: $(cat tags)"
done
go tool pprof -top -sample_index=alloc_objects -diff_base=end.pb.gz \
	end.pb.gz 2>err >difference || fail "pprof -diff_base: $(cat err)"
grep -q 'accounting for 0, ' difference ||
	fail "not nothing: $(cat difference)"
go tool pprof -comments end.pb.gz | grep -q '^pid: [0-9]' || fail "no pid"

# An import: Go's own profile comes out as it went in; a massif file knows no
# numbers of blocks, a heap dump no peak.
data=$MT_TOP/tests/data/import
"$REPORT" export -f pprof -o go.pb.gz "$data/go.pb.gz" || fail "go.pb.gz"
for n in 3 4; do
	[ "$(sum go.pb.gz $n)" = "$(sum "$data/go.pb.gz" $n)" ] ||
		fail "go.pb.gz: type $n is $(sum go.pb.gz $n)"
done
"$REPORT" export -f pprof --at peak -o massif.pb.gz "$data/massif.out" ||
	fail "massif.out"
go tool pprof -raw massif.pb.gz 2>/dev/null | grep -q '^inuse_space/bytes' ||
	fail "massif.out: $(go tool pprof -raw massif.pb.gz | head -n 9)"
[ "$(sum massif.pb.gz 1)" = 44096 ] || fail "massif.out: not its peak"
