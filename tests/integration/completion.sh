#!/bin/bash
# SPDX-License-Identifier: MIT
# What bash, zsh and fish complete: commands, the options of each and no
# others, the words of an option, traces and directories but no other file.
# Each shell is driven as it completes for a person.
# shellcheck source=tests/integration/lib.sh
. "$MT_TOP/tests/integration/lib.sh"

for shell in bash zsh fish; do
	"$REPORT" completion $shell >"completion.$shell" || fail "no $shell"
	"$shell" -n "completion.$shell" || fail "$shell: syntax"
done
"$REPORT" completion tcsh >out 2>err && fail "completes for tcsh"
grep -q "not 'tcsh'" err || fail "tcsh: $(cat err)"
[ ! -s out ] || fail "tcsh: wrote $(cat out)"

mkdir -p work/sub bin
: >work/one.zst
: >'work/two words.zst'
: >work/other.txt
ln -s "$REPORT" bin/memtrace-report
PATH=$PWD/bin:$PATH
# shellcheck source=/dev/null
. ./completion.bash
cd work || exit 2

# Print what bash completes for these words, sorted.
in_bash()
{
	# shellcheck disable=SC2034
	COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
	COMPREPLY=()
	_memtrace_report
	printf '%s\n' "${COMPREPLY[@]}" | sort | paste -sd '|'
}

# Print what fish completes for a line, sorted.
in_fish()
{
	# shellcheck disable=SC2016
	HOME=$PWD/.. fish --no-config -c '
		source ../completion.fish
		complete -C $argv[1]' "$1" | cut -f 1 | sort | paste -sd '|'
}

# Print what is on the screen after zsh was asked to complete a line: it runs
# in a pseudo-terminal, where all matches are written between < and >. Waits
# for $2 to appear, ten seconds at most.
in_zsh()
{
	# shellcheck disable=SC2016
	HOME=$PWD/.. zsh -f -c '
		zmodload zsh/zpty
		zpty z zsh -f -i
		zpty -w z "PS1= TERM=dumb; fpath=(.. \$fpath)
			autoload -Uz compinit; compinit -u -D
			source ../completion.zsh 2>/dev/null
			compdef _memtrace_report memtrace-report
			compadd() { builtin compadd -O hits \"\$@\"
				print -r -- \"<\${(j:|:)hits}>\"
				builtin compadd \"\$@\"; }
			bindkey \"^I\" complete-word; print R\"\"EADY"
		zpty -r -m z line "*READY*"
		zpty -w -n z "$1"$'\''\t'\''
		repeat 100; do
			sleep 0.1
			zpty -r -t z part && text+=$part
			[[ $text == *"$2"* ]] && break
		done
		print -r -- "$text"
		zpty -d z' zsh "$1" "$2"
}

# Check one shell's answer.
completes()
{
	[ "$2" = "$3" ] || fail "$1: completes '$2', not '$3'"
}

at='churn|exit|failure|limit|peak|snapshot|temporary|total'
completes 'bash --at' "$(in_bash memtrace-report --at '')" "$at"
completes 'bash --at=' "$(in_bash memtrace-report --at = '')" "$at"
completes 'bash --at=' "$(in_bash memtrace-report --at =)" "$at"
completes 'bash --at=pe' "$(in_bash memtrace-report --at = pe)" peak
completes 'bash --color' "$(in_bash memtrace-report --color = n)" never
completes 'bash --color one' "$(in_bash memtrace-report --color o)" one.zst
completes 'bash --sort' "$(in_bash memtrace-report top --sort '')" \
	'blocks|bytes'
completes 'bash --fo' "$(in_bash memtrace-report --fo)" --focus
completes 'bash export --fo' "$(in_bash memtrace-report export --fo)" \
	'--focus|--format'
completes 'bash -f' "$(in_bash memtrace-report export -f o)" openmetrics
completes 'bash top --so' "$(in_bash memtrace-report top --so)" --sort
completes 'bash events --so' "$(in_bash memtrace-report events --so)" ''
completes 'bash trace' "$(in_bash memtrace-report top '')" \
	'one.zst|sub|two words.zst'
completes 'bash -o' "$(in_bash memtrace-report export -o o)" \
	'one.zst|other.txt'
completes 'bash --sysroot' "$(in_bash memtrace-report --sysroot '')" sub
completes 'bash command' "$(in_bash memtrace-report ev)" events
completes 'bash first' "$(in_bash memtrace-report o)" one.zst
completes 'bash completion' "$(in_bash memtrace-report completion '')" \
	'bash|fish|zsh'
completes 'bash completion -' "$(in_bash memtrace-report completion -)" --help

completes 'fish --at' "$(in_fish 'memtrace-report --at ')" "$at"
completes 'fish --color=' "$(in_fish 'memtrace-report --color=n')" \
	--color=never
completes 'fish --sort' "$(in_fish 'memtrace-report top --sort ')" \
	'blocks|bytes'
completes 'fish --fo' "$(in_fish 'memtrace-report --fo')" --focus
completes 'fish export --fo' "$(in_fish 'memtrace-report export --fo')" \
	'--focus|--format'
completes 'fish trace' "$(in_fish 'memtrace-report top ')" \
	'one.zst|sub/|two words.zst'
completes 'fish command' "$(in_fish 'memtrace-report ev')" events
completes 'fish completion' "$(in_fish 'memtrace-report completion ')" \
	'bash|fish|zsh'

# LINE MATCHES
while IFS='#' read -r line want; do
	in_zsh "$line" "<$want>" >out
	grep -aqF -- "<$want>" out || fail "zsh '$line': $(cat -v out)"
done <<'END'
memtrace-report --at #peak|exit|total|churn|temporary|limit|failure|snapshot
memtrace-report top --sort #bytes|blocks
memtrace-report completion #bash|zsh|fish
END
in_zsh 'memtrace-report top --so' '--sort' >out
grep -aq -- '--sort' out || fail "zsh top --so: $(cat -v out)"
in_zsh 'memtrace-report events --so' '<>' >out
grep -aq '<>' out || fail "zsh events --so: $(cat -v out)"
grep -aq -- '--sort' out && fail "zsh events --so: $(cat -v out)"
exit 0
