#!/bin/bash
# SPDX-License-Identifier: MIT
# Whatever form debug info has, with both compilers where they are there: a
# function in a namespace that is not exported, and one inlined into it.
# shellcheck source=tests/integration/lib.sh
. "$MT_TOP/tests/integration/lib.sh"

cat >forms.cc <<'END'
volatile int sink;
namespace ns {
struct T {
	__attribute__((always_inline)) int inlined(int n)
	{
		sink = n;
		return sink;
	}
};
static __attribute__((noinline, used)) int hidden(int n)
{
	T t;

	return t.inlined(n) + 1;
}
}
int main(int argc, char **)
{
	return ns::hidden(argc);
}
END

# Look up the store in inlined(), the one instruction of line 6.
check()
{
	local compiler=$1 hidden found

	command -v "$compiler" >/dev/null || return 0
	rm -f -- *.dwo forms.o
	"$compiler" -O1 -c forms.cc "${@:2}" -o forms.o 2>err &&
		"$compiler" "${@:2}" -o forms forms.o 2>>err ||
		fail "$*: does not build: $(cat err)"
	hidden=$(nm -C forms | sed -n 's/^0*\(.*\) t ns::hidden(int).*/\1/p')
	[ "$hidden" ] || fail "$*: no symbol: $(nm -C forms)"
	found=$(for at in {0..16}; do
		"$MT_BUILD/tests/unit/look_up" forms $((0x$hidden + at)) |
			sed '1d;s/^0x[^ ]* //' | paste -sd' '
	done)
	grep -qE "^(ns::T::)?inlined [^ ]* $PWD/forms.cc:[67] ns::hidden [^ ]*hidden[^ ]* $PWD/forms.cc:14$" \
		<<<"$found" || fail "$*: $found"
}

for compiler in g++ clang++; do
	for flags in '' -gdwarf-4 -gdwarf-5 -gz -gsplit-dwarf \
		-fdebug-types-section -g1 -ffunction-sections -flto; do
		[ "$compiler$flags" != clang++-flto ] || continue
		# shellcheck disable=SC2086
		check $compiler -g $flags
	done
done
exit 0
