#!/bin/bash
# SPDX-License-Identifier: MIT
# Programs that were written for LSan work unchanged: what they say of their
# blocks holds, and they get the verdict that they ask for.
# shellcheck source=tests/integration/lib.sh
. "$MT_TOP/tests/integration/lib.sh"

program=$HOST/lsan

# Without a recorder the names are not there, and nothing happens.
"$program" leak || fail "status $? without the recorder"

# CASE [off]: print the blocks by kind.
verdict()
{
	rm -f "$1.zst"
	MEMTRACE="out=$1.zst" LD_PRELOAD=$LIB "$program" "$@" >out 2>err ||
		fail "$1: status $?: $(cat out err)"
	[ ! -s err ] || fail "$1: says $(cat err)"
	"$REPORT" leaks --json "$1.zst" >"$1.json" || fail "$1: leaks fails"
	jq -r '[.checked, .definite.blocks, .indirect.blocks,
		.possible.blocks] | map(tostring) | join(" ")' "$1.json"
}

while read -r name want; do
	got=$(verdict "$name") || fail "$got"
	[ "$got" = "$want" ] || fail "$name: $got, not $want:
$("$REPORT" leaks --kind all "$name.zst")"
done <<'END'
leak true 1 2 0
disable true 1 2 0
disable_here true 1 2 0
stay_disabled true 1 2 0
ignore true 1 0 0
region true 1 3 0
region_gone true 1 2 0
END

# Turned off: that is not the same as clean.
got=$(verdict leak off) || fail "$got"
[[ $got == *__lsan_is_turned_off* ]] || fail "turned off: $got"

# A verdict while it runs. The judge is a stand-in that decides by the last
# scan, as `memtrace-report check` does.
cat >judge <<END
#!/bin/bash
[ "\$1" = check ] || exit 2
[ -z "\${LD_PRELOAD:-}" ] || exit 2
echo "report on \${*: -1}"
[ "\$("$REPORT" leaks --json "\${*: -1}" | jq .definite.blocks)" = 0 ] || exit 3
END
chmod +x judge
export MEMTRACE_REPORT=$PWD/judge
rm -f trace.*
record "$program" recoverable >out 2>err || fail "status $?: $(cat out err)"
[ "$(grep -c '^report on /.*\.zst$' err)" = 3 ] || fail "reports: $(cat err)"
[ ! -s out ] || fail "recoverable: stdout: $(cat out)"
t=$(trace) || exit 1
"$REPORT" leaks --json --scan 0 "$t" | jq -e '.definite.blocks == 0 and
	.scan.on_request' >/dev/null || fail "scan 0"
"$REPORT" leaks --json --scan 1 "$t" | jq -e '.definite.blocks == 1' \
	>/dev/null || fail "scan 1"

# The end that it asks for: with the status of its options, or of ours.
status_of()
{
	rm -f trace.*
	(become_recorded "$program" fatal >out 2>err)
	echo $?
}
[ "$(status_of)" = 42 ] || fail "__lsan_default_options: $(cat out err)"
[ "$(cat out)" = buffered ] || fail "stdout is lost: $(cat out)"
export LSAN_OPTIONS=suppressions=x:exitcode=7
[ "$(status_of)" = 7 ] || fail "LSAN_OPTIONS: $(cat out err)"
export LSAN_OPTIONS=exitcode=0
[ "$(status_of)" = 0 ] || fail "exitcode=0"
[ "$(cat out)" = 'bufferednot reached' ] || fail "exitcode=0: $(cat out)"

# Without a judge: no verdict, which is said, and the program goes on.
unset LSAN_OPTIONS
export MEMTRACE_REPORT=/nonexistent
[ "$(status_of)" = 0 ] || fail "no judge: $(cat err)"
[ "$(grep -c '^memtrace: no verdict' err)" = 1 ] || fail "no judge: $(cat err)"
"$REPORT" "$(trace)" | grep -q 'no verdict' || fail "the report does not say"
