#!/bin/bash
# SPDX-License-Identifier: MIT
# What is said of leaks is the same bytes for the same trace; and for another
# run of the same program, but for times, pids and addresses.
# shellcheck source=tests/integration/lib.sh
. "$MT_TOP/tests/integration/lib.sh"

# Print all that is said of leaks, in each form, of the trace $1.
say_all()
{
	local view form

	for view in leaks 'leaks --tree' 'leaks --kind all' growth bad-frees \
		'why make'; do
		for form in '' --json --csv; do
			# shellcheck disable=SC2086 # words
			echo "== $view $form: $(say $view $form "$1")"
		done
	done
	for form in '' --json --tap --github; do
		echo "== check $form"
		# shellcheck disable=SC2086 # none, or a word
		say check $form --leaks all --sarif sarif --junit junit \
			--gen-suppressions rules "$1"
		cat sarif junit rules
	done
	say check --leaks all --update-baseline base "$1"
	cat base
}

# Run the report, and print its status behind what it says.
say()
{
	case $1 in
	why)
		set -- why "${@:3:$#-3}" "${@: -1}" "$2"
		;;
	esac
	"$REPORT" "$@" 2>&1
	echo "status $?"
}

# What is of a run is not of the program; rates of growth and CSV have more of
# the time in them than can be told from the rest.
same_run()
{
	awk '/^== /{skip = /^== growth/ || / --csv:/} !skip' "$1" |
		sed -E '/"bytes_per_hour"/d; s/0x[0-9a-f]+/ADDRESS/g
		s/(pid|tid|thread)"?:? [0-9]+/ID/g
		s/[0-9]+(\.[0-9]+)? (ns|us|ms|s)\b/TIME/g
		s/time(stamp)?="[^"]+"/TIME/g; s/_ns": [0-9]+/_ns": TIME/g'
}

for case in chain tree ring interior kept; do
	for run in 1 2; do
		MEMTRACE="out=$PWD/t.zst" LD_PRELOAD=$LIB \
			"$HOST/leaks" $case >/dev/null 2>&1
		[ -f t.zst ] || fail "$case: no trace"
		say_all t.zst >$run.1
		say_all t.zst >$run.2
		cmp $run.1 $run.2 || fail "$case: the same trace, other bytes"
		same_run $run.1 >run.$run
		rm t.zst
	done
	grep -q 'breached: 1 process' run.1 || [ $case = kept ] ||
		fail "$case: nothing is said: $(cat run.1)"
	diff run.1 run.2 >difference || fail "$case: $(head -20 difference)"
done
