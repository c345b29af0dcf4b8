#!/bin/bash
# SPDX-License-Identifier: MIT
# DuckDB reads the CSV of `top`, with the sums that the JSON has and the
# database of `export --format sqlite` too. Its package lacks the reader of
# SQLite's files, which it would have to load from elsewhere.
# shellcheck source=tests/integration/lib.sh
. "$MT_TOP/tests/integration/lib.sh"

npm install --prefix "$PWD/x" --no-audit --no-fund \
	@duckdb/node-api@1.5.6-r.1 >npm.out 2>&1 || fail "$(cat npm.out)"
record "$MT_BUILD/examples/threads" >/dev/null || fail "threads: status $?"
mv "$(trace)" t.zst
sound t.zst
"$REPORT" export -f sqlite -o t.db t.zst || fail "sqlite: status $?"

cat >x/sum.mjs <<'END'
import { DuckDBInstance } from '@duckdb/node-api';

const duck = await (await DuckDBInstance.create(':memory:')).connect();
const answer = await duck.runAndReadAll(
	`SELECT sum(bytes)::BIGINT, ${process.argv[3]}
	FROM read_csv('${process.argv[2]}', header = true)`);
console.log(answer.getRows()[0].join('|'));
END

# AT SUM_OF_COLUMN COLUMNS_OF_THE_DATABASE VALUES_OF_THE_JSON
while read -r at column ours json; do
	for by in site stack module; do
		"$REPORT" top --by $by --at "$at" --csv t.zst >$by.csv ||
			fail "top --by $by --at $at: status $?"
		got=$(node x/sum.mjs $by.csv "sum($column)::BIGINT") ||
			fail "$at by $by: DuckDB fails"
		want=$(json t.zst "$json")
		[ "$got" = "$want" ] || fail "$at by $by: $got, not $want"
		[ "$(sqlite3 t.db "SELECT $ours FROM rows")" = "$want" ] ||
			fail "$at: sqlite has $(sqlite3 t.db \
				"SELECT $ours FROM rows"), not $want"
	done
done <<'END'
total calls sum(allocated_bytes),sum(allocations) "\(.totals.allocated_bytes)|\(.totals.allocations)"
peak blocks sum(peak_bytes),sum(peak_blocks) "\(.peak.bytes)|\(.peak.blocks)"
exit blocks sum(exit_bytes),sum(exit_blocks) "\(.exit.bytes)|\(.exit.blocks)"
END
