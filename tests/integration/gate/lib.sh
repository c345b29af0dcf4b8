# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# What the cases of the gate share.

# shellcheck source=tests/integration/lib.sh
. "$MT_TOP/tests/integration/lib.sh"

# Record a case of the program `leaks` as NAME.zst: make CASE [NAME]
make()
{
	MEMTRACE="out=$PWD/${2:-$1}.zst" LD_PRELOAD=$LIB "$HOST/leaks" "$1" \
		>/dev/null 2>&1
	[ -f "${2:-$1}.zst" ] || fail "$1: no trace"
}

# Check with options, and expect an exit status: gives STATUS ARGUMENTS...
gives()
{
	local want=$1

	shift
	"$REPORT" check "$@" >out 2>err
	local got=$?

	[ $got = "$want" ] ||
		fail "check $*: status $got, not $want: $(cat out err)"
}

# Expect the last check to have said a thing: says TEXT
says()
{
	grep -qF -- "$1" out || fail "not said: $1: $(cat out)"
}
