# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# What the integration cases share. A case runs in an empty directory; its
# traces are named trace.PROGRAM.PID.zst there. Every helper ends the case
# with a line that says what was wrong.
#
# PRELOAD  libraries to preload behind the recorder (in both runs)
# OPTIONS  more of $MEMTRACE

set -u
# shellcheck disable=SC2034
HOST=$MT_BUILD/tests/host
PRELOAD=${PRELOAD:-}
OPTIONS=${OPTIONS:-}

# End the case with a line of why.
fail()
{
	echo "$*"
	exit 1
}

# Turn this shell into a command under the recorder.
become_recorded()
{
	export LD_PRELOAD="$LIB${PRELOAD:+ $PRELOAD}"
	export MEMTRACE="out=$PWD/trace.%e.%p.zst${OPTIONS:+,$OPTIONS}"
	exec "$@"
}

# Turn this shell into a command without the recorder.
become_plain()
{
	export LD_PRELOAD="$PRELOAD"
	exec "$@"
}

# Run a command under the recorder.
record()
{
	(become_recorded "$@")
}

# Run a command without it.
plain()
{
	(become_plain "$@")
}

# Run "$@" twice, without and with the recorder: stdout, stderr and exit
# status must be the same. They stay in plain.* and with.*.
both()
{
	both_but_stderr "$@"
	cmp plain.err with.err || {
		diff plain.err with.err | head -n 20
		fail "$*: not the same stderr with the recorder"
	}
}

# The same, but for one line that the recorder may say.
both_said()
{
	both_but_stderr "$@"
	grep -v '^memtrace: ' with.err | diff plain.err - ||
		fail "$*: not the same stderr with the recorder"
	[ "$(grep -c '^memtrace: ' with.err)" -le 1 ] ||
		fail "$*: says $(cat with.err)"
}

both_but_stderr()
{
	local what

	# In shells whose words on killed children are dropped.
	(
		(become_plain "$@" >plain.out 2>plain.err)
		echo $? >plain.status
		(become_recorded "$@" >with.out 2>with.err)
		echo $? >with.status
	) 2>/dev/null
	for what in status out; do
		cmp plain.$what with.$what && continue
		diff plain.$what with.$what | head -n 20
		fail "$*: not the same $what with the recorder: $(cat with.err)"
	done
}

# Print the name of the one trace there is.
trace()
{
	local found=(trace.*.zst)

	[ -f "${found[0]}" ] || fail "no trace" >&2
	[ ${#found[@]} = 1 ] || fail "not one trace: ${found[*]}" >&2
	echo "${found[0]}"
}

# Check that traces are whole zstd streams and that the report reads them.
sound()
{
	local file

	for file in "$@"; do
		zstd -tq "$file" || fail "$file: zstd -t fails"
		"$REPORT" --json "$file" >"$file.json" 2>report.err ||
			fail "$file: report fails: $(cat report.err)"
		grep -v '^$' report.err && fail "$file: report complains"
		jq -e '.version' "$file.json" >/dev/null ||
			fail "$file: --json is not what it should be"
	done
}

# Print a jq expression of a trace's --json.
json()
{
	[ -f "$1.json" ] || "$REPORT" --json "$1" >"$1.json" ||
		fail "$1: report fails" >&2
	jq -r "$2" "$1.json"
}

# Check that a jq expression of a trace's --json gives a value.
is()
{
	local value

	value=$(json "$1" "$2")
	[ "$value" = "$3" ] || fail "$1: $2 is $value, not $3"
}

# Check how many allocations a function made by itself.
calls()
{
	is "$1" "[.sites[] | select(.function == \"$2\") | .allocations] | add // 0" "$3"
}

# Check that nothing was lost.
lossless()
{
	is "$1" '.lost.events' 0
	is "$1" '.lost.stacks' 0
}

# Print a trace's events.
events()
{
	"$REPORT" events "$1" || fail "$1: report events fails" >&2
}

# Check that the launcher refuses to run "$3...": exit status $1, a line
# that holds $2, no trace.
refuses()
{
	local status=$1 word=$2 got before

	shift 2
	before=$(echo ./*.zst*)
	"$LAUNCH" "$@" >out 2>err
	got=$?
	[ $got = "$status" ] || fail "$*: status $got, not $status: $(cat err)"
	[ ! -s out ] || fail "$*: ran: $(cat out)"
	[ "$(wc -l <err)" -le 2 ] || fail "$*: says $(cat err)"
	[[ $(head -n 1 err) == "memtrace: "*"$word"* ]] ||
		fail "$*: says $(cat err)"
	[ "$(echo ./*.zst*)" = "$before" ] || fail "$*: left a trace"
}

# Tell whether our own programs are built with ASan, whose runtime wants to be
# the first library: then they do not run under the recorder.
sanitized()
{
	nm "$LAUNCH" | grep -q __asan_init
}

# Build a program from prog.c, which is made here: build NAME FLAGS... It
# exports shown() and main(), and has hidden() on line 3.
build()
{
	local name=$1

	shift
	[ -f prog.c ] || cat >prog.c <<-'END'
		static __attribute__((noinline, used)) int hidden(int n)
		{
			return n * 3;
		}
		__attribute__((noinline)) int shown(int n)
		{
			return hidden(n) + 1;
		}
		int main(int argc, char **argv)
		{
			(void)argv;
			return shown(argc);
		}
	END
	${CC:-cc} -g -O1 -rdynamic "$@" -o "$name" prog.c ||
		fail "$name does not build"
}

# Print the build-id of a file.
id_of()
{
	readelf -n "$1" | sed -n 's/.*Build ID: //p'
}

# Print the address of a function in a file: address_of FILE NAME
address_of()
{
	nm "$1" | sed -n "s/^0*\(.*\) [tT] $2\$/0x\1/p"
}
