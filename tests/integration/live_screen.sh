#!/bin/bash
# SPDX-License-Identifier: MIT
# live on a terminal, driven by tmux: views, sorting, a filter, pause, help,
# other sizes of the terminal, a program that dies while it is watched, quit.
# shellcheck source=tests/integration/lib.sh
. "$MT_TOP/tests/integration/lib.sh"

tmux=(tmux -L "memtrace-$$" -f /dev/null)
trap '"${tmux[@]}" kill-server 2>/dev/null; kill $pid 2>/dev/null' EXIT

# Press keys.
press()
{
	"${tmux[@]}" send-keys -t live "$@"
}

screen()
{
	"${tmux[@]}" capture-pane -p -t live
}

# Wait, for ten seconds, until a line of the screen matches.
until_shown()
{
	local n

	for ((n = 0; n < 200; n++)); do
		screen >shown
		grep -qE -- "$1" shown && return
		sleep 0.05
	done
	fail "never shown: $1: $(cat shown)"
}

# Wait until no line of it does.
until_gone()
{
	local n

	for ((n = 0; n < 200; n++)); do
		screen >shown
		grep -qE -- "$1" shown || return
		sleep 0.05
	done
	fail "always shown: $1: $(cat shown)"
}

# Wait until the first row of the table matches.
until_first()
{
	local n

	for ((n = 0; n < 200; n++)); do
		screen >shown
		sed -n 7p shown | grep -qE -- "$1" && return
		sleep 0.05
	done
	fail "never first: $1: $(cat shown)"
}

mkfifo pipe
become_recorded "$HOST/grows" <pipe &
pid=$!
exec 9>pipe
until compgen -G "trace.*.zst.live" >/dev/null; do sleep 0.05; done

"${tmux[@]}" new-session -d -s live -x 100 -y 24 \
	"'$REPORT' live --interval 200ms $pid 2>err; echo status \$?; sleep 60" \
	9>&- || fail "tmux does not start"

# Sites: the large block is first by live bytes, what grows by growth, what is
# freed at once by its rate.
until_shown "grows, pid $pid: .* s, running"
until_shown 'live 3[0-9]\.[0-9] MiB in [0-9,]+ blocks +peak 3[0-9]\.[0-9] MiB +rss [0-9.]+ MiB'
until_first '^ +30\.0 MiB +1 .* start_big +grows\.c:[0-9]+'
until_shown '/s; [0-9,]+ blocks/s, [1-9][0-9,]* temporary'
press g
until_shown 'by growth$'
until_first '\+[0-9.]+ KiB .* keep_some +grows\.c'
press r
until_first '[0-9,]+ +[0-9,]+  waste +grows\.c'
press t
until_first 'waste'
press b
until_first 'keep_some'
press s
until_shown 'by growth$'
press l
until_first 'start_big'

# The other views.
press 2
until_shown 'growth/s +rate/s +temp/s +threads'
until_first "grows $pid"
press 3
until_first 'up to 32\.0 MiB'
until_shown 'up to 64 B'
until_shown 'up to 1\.0 KiB'
press 4
until_first '\+[0-9.]+ [KM]iB +[0-9,]+ .* keep_some'
until_gone 'start_big'
press Tab
until_shown 'start_big'

# A filter.
press / k e e p x BSpace Enter
until_shown '^/keep$'
until_gone 'start_big'
until_shown 'keep_some'
until_shown '^1 to 1 of 1 '
press /
until_shown '^/keep_$'
press Escape
until_shown 'start_big'

# Pause: nothing moves; and on.
press Space
until_shown 'PAUSED'
screen >before
sleep 0.6
screen >after
cmp before after || fail "it moves while it pauses: $(diff before after)"
press Space
until_gone PAUSED
sleep 0.6
screen >after
cmp -s before after && fail "it does not go on: $(cat after)"

# Help.
press ?
until_shown 'q +quit'
press x
until_shown 'start_big'

# Other sizes: small, tiny, large.
"${tmux[@]}" resize-window -t live -x 40 -y 8
until_shown 'q: quit'
[ "$(screen | wc -l)" = 8 ] || fail "small: $(screen)"
until_first '30\.0 MiB'
press Down
until_shown '^2 to 2 of'
press Up
until_shown '^1 to 1 of'
"${tmux[@]}" resize-window -t live -x 10 -y 3
sleep 0.5
"${tmux[@]}" resize-window -t live -x 120 -y 40
until_first 'start_big +grows\.c'

# It dies: that is said, and the last picture stays, which is what the report
# says.
kill -9 "$pid"
wait "$pid" 2>/dev/null
until_shown "grows, pid $pid: .* s, ended: killed"
until_shown 'it has ended'
said=$("$REPORT" --json trace.*.zst | jq .exit.blocks)
until_shown "in $(sed ':a;s/\B[0-9]\{3\}\>/,&/;ta' <<<"$said") blocks"
screen >before
sleep 0.6
screen >after
cmp before after || fail "it moves when it is dead: $(diff before after)"
press q
until_shown '^status 0$'
[ ! -s err ] || fail "it says $(cat err)"
exit 0
