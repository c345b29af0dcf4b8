#!/bin/bash
# SPDX-License-Identifier: MIT
# The man page has every command and option that --help has, and no others.
# shellcheck source=tests/integration/lib.sh
. "$MT_TOP/tests/integration/lib.sh"

page=$MT_TOP/man/memtrace-report.1

# Print the commands that --help lists.
commands()
{
	"$REPORT" --help | sed -n '/^usage:/,/^memtrace-report COMMAND/p' |
		sed -n 's/^  \([a-z][a-z-]*\) .*/\1/p'
}

# Print the options that the help on all commands lists.
options()
{
	local command

	for command in $(commands); do
		"$REPORT" "$command" --help
	done | grep -oE '^ +(-[a-z], )?--[a-z-]+|^  -[a-z]' |
		grep -oE -- '-[a-z-]+'
}

commands | sort -u >commands.help
options | sort -u >options.help
[ "$(wc -l <commands.help)" -ge 4 ] || fail "commands: $(cat commands.help)"
[ "$(wc -l <options.help)" -ge 20 ] || fail "options: $(cat options.help)"

# A command stands below .Nm in the synopsis.
sed -n '/^\.Sh SYNOPSIS/,/^\.Sh DESC/p' "$page" |
	sed -n '/^\.Nm/{n;s/^\.Cm \([a-z-]*\)$/\1/p}' | sort -u >commands.page
grep -v '^\.\\"' "$page" | grep -oE 'Fl (\\-)?[a-z][a-z-]*' |
	sed 's/^Fl /-/; s/\\//' | sort -u >options.page
for what in commands options; do
	diff $what.help $what.page >out ||
		fail "$what, < only in --help, > only in the page: $(cat out)"
done

# The same of the launcher: its options, and the keys of $MEMTRACE.
page=$MT_TOP/man/memtrace.1
"$LAUNCH" --help | sed -n 's/^  --\([a-z]*\)=.*/\1/p' | sort >options.help
sed -n '/^\.It Ev MEMTRACE/,/^\.It Ev LSAN/p' "$page" |
	sed -n 's/^\.It Cm \([a-z]*\) .*/\1/p' | sort >options.page
[ "$(wc -l <options.help)" -ge 8 ] || fail "keys: $(cat options.help)"
diff options.help options.page >out ||
	fail "keys, < only in --help, > only in the page: $(cat out)"
for word in --check selftest; do
	"$LAUNCH" --help | grep -q -- "$word" || fail "$word: not in --help"
	grep -q -- "\\(Fl \\\\\\|^\\.Cm \\)${word#-}" "$page" ||
		fail "$word: not in the page"
done
