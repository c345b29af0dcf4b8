#!/bin/bash
# SPDX-License-Identifier: MIT
# What others ask of `serve`: Prometheus scrapes it, as OpenMetrics too, and
# its figures are the program's; Go's pprof fetches profiles; the rules in
# examples/observe are sound, ring when they should, and with the dashboard ask
# for metrics that there are.
# shellcheck source=tests/integration/lib.sh
. "$MT_TOP/tests/integration/lib.sh"

observe=$MT_TOP/examples/observe
export PPROF_TMPDIR=$PWD HOME=$PWD
trap 'kill $(jobs -p) 2>/dev/null' EXIT

# The rules, and that their tests would see a wrong one.
promtool check rules "$observe/alerts.yml" >out 2>&1 || fail "$(cat out)"
promtool test rules "$observe/alerts_test.yml" >out 2>&1 || fail "$(cat out)"
cp "$observe/alerts_test.yml" .
while read -r from to; do
	sed "s/$from/$to/" "$observe/alerts.yml" >alerts.yml
	cmp -s alerts.yml "$observe/alerts.yml" && fail "no $from in the rules"
	promtool test rules alerts_test.yml >out 2>&1 &&
		fail "$to for $from: the rules' tests see nothing"
done <<'END'
64e6 64e9
4.\*.3600 400*3600
4.\*.3600 0
0\.25 0.01
1e9 1e1
1e6 1e3
failed_allocations frees
10m]).>.0 10m])>1e9
running.==.0 running==1
END

# A program that waits for what it is told, and one that has ended.
mkdir d
mkfifo told
OPTIONS='' record "$MT_BUILD/examples/threads" >/dev/null || fail "threads"
mv trace.* d/threads.zst
(MEMTRACE="out=$PWD/d/%e.%p.zst" LD_PRELOAD=$LIB exec "$HOST/told") \
	<told >said &
pid=$!
exec 5>told
echo 'a 1000 1000' >&5
"$REPORT" serve --listen 0 d 2>serve.err &
server=$!
for ((i = 0; i < 100; i++)); do
	[ -s said ] && grep -q serving serve.err && break
	sleep 0.1
done
url=$(sed -n 's/.*serving on //p' serve.err)
[ "$url" ] || fail "does not serve: $(cat serve.err)"

# Fetch a page.
fetch()
{
	python3 -c 'import sys, urllib.request as u
r = u.Request(sys.argv[1], headers={"Accept": sys.argv[2]})
sys.stdout.buffer.write(u.urlopen(r).read())' "$url$1" "${2:-*/*}" ||
		fail "$1 cannot be fetched"
}

fetch metrics >metrics.txt
promtool check metrics <metrics.txt >out 2>&1 || fail "$(cat out)"
[ ! -s out ] || fail "promtool: $(cat out)"
fetch metrics application/openmetrics-text >open.txt
sed '/^#/!s/$/ 1700000000/' open.txt >timed.txt
promtool tsdb create-blocks-from openmetrics timed.txt blocks >out 2>&1 ||
	fail "as OpenMetrics: $(cat out)"

# Each metric that the rules and the dashboard name is there.
jq -r '.panels[].targets[].expr, .templating.list[].query.query? // empty' \
	"$observe/grafana.json" >expressions || fail "grafana.json"
jq -e '[.panels[].id] | length == (unique | length) and length > 5' \
	"$observe/grafana.json" >/dev/null || fail "grafana.json: ids"
sed -n '/expr:/,/for:\|labels:/p' "$observe/alerts.yml" >>expressions
grep -oE '\b(memtrace|process)_[a-z_]+' expressions | sort -u >names
[ "$(wc -l <names)" -ge 12 ] || fail "names: $(cat names)"
while read -r name; do
	grep -q "^${name}[{ ]" metrics.txt || fail "$name is in no metrics"
done <names

# Prometheus.
cat >prometheus.yml <<END
global: {scrape_interval: 1s, evaluation_interval: 1s}
rule_files: ["$observe/alerts.yml"]
scrape_configs:
  - job_name: memtrace
    static_configs: [{targets: ["$(sed 's,http://\(.*\)/,\1,' <<<"$url")"]}]
END
promtool check config prometheus.yml >out 2>&1 || fail "$(cat out)"
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0))
print(s.getsockname()[1])')
prometheus --config.file=prometheus.yml --storage.tsdb.path=tsdb \
	--web.listen-address="127.0.0.1:$port" >prometheus.out 2>&1 &

# Print the value that Prometheus has of an expression, or nothing.
asks()
{
	promtool query instant -o json "http://127.0.0.1:$port" "$1" \
		2>/dev/null | jq -r '.[0].value[1] // empty'
}

# Wait until Prometheus has this value of an expression.
becomes()
{
	local i got

	for ((i = 0; i < 100; i++)); do
		got=$(asks "$1")
		[ "$got" = "$2" ] && return
		sleep 0.2
	done
	fail "$1 is $got, not $2: $(tail -n 3 prometheus.out)"
}

becomes up 1
becomes "memtrace_running{pid=\"$pid\",program=\"told\"}" 1
becomes 'memtrace_running{program="threads"}' 0
before=$(asks 'memtrace_heap_inuse_bytes{program="told"}')
echo 'a 500 2000' >&5
becomes 'memtrace_heap_inuse_bytes{program="told"}' $((before + 1000000))
becomes 'sum(memtrace_heap_allocation_size_bytes_bucket{program="told",le="2048.0"})
	- sum(memtrace_heap_allocation_size_bytes_bucket{program="told",le="1024.0"})' 500
becomes 'count(resets(memtrace_heap_allocated_bytes_total[1m]) > 0) or vector(0)' 0

# Go's pprof.
heap=${url}debug/pprof/heap
go tool pprof -top "$heap?pid=$pid" >top 2>err || fail "pprof: $(cat err)"
grep -Eq '^ +1\.91MB .* told_alloc$' top || fail "pprof -top: $(cat top)"
go tool pprof -top -sample_index=alloc_objects "$heap?pid=$pid" >top 2>err ||
	fail "pprof: $(cat err)"
grep -Eq '^ +1500 .* told_alloc$' top || fail "alloc_objects: $(cat top)"
{ sleep 1; echo 'f 500' >&5; } &
go tool pprof -top "$heap?seconds=3&pid=$pid" >top 2>err ||
	fail "pprof ?seconds: $(cat err)"
grep -Eq '^ +-976\.56kB .* told_alloc$' top || fail "?seconds=3: $(cat top)"
go tool pprof -top "${url}debug/pprof/allocs" >top 2>err ||
	fail "pprof allocs: $(cat err)"
grep -q '^Type: alloc_space' top || fail "allocs: $(cat top)"
go tool pprof -top "${url}debug/pprof/peak?pid=$pid" >top 2>err ||
	fail "pprof peak: $(cat err)"
grep -Eq '^ +1\.91MB .* told_alloc$' top || fail "peak: $(cat top)"

echo e >&5
becomes "memtrace_running{pid=\"$pid\"}" 0
kill $server
wait $server || fail "serve: status $? at SIGTERM"
[ "$(wc -l <serve.err)" = 1 ] || fail "serve says $(cat serve.err)"
