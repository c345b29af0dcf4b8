#!/bin/bash
# SPDX-License-Identifier: MIT
# Each forked process has a trace of its own that names its parent.
# shellcheck source=tests/integration/lib.sh
. "$MT_TOP/tests/integration/lib.sh"

both "$HOST/forks"
traces=(trace.forks.*.zst)
# One parent, four threads with five children each, each first one forks.
[ ${#traces[@]} = 25 ] || fail "not 25 traces: ${#traces[@]}"
sound "${traces[@]}"
declare -A role
for t in "${traces[@]}"; do
	is "$t" .lost.events 0
	case $(json "$t" '[.sites[].function] | @text') in
	*'"grandchild_alloc"'*)
		calls "$t" grandchild_alloc 5
		calls "$t" child_alloc 0
		calls "$t" parent_alloc 0
		is "$t" .end exit
		role[$t]=grandchild ;;
	*'"child_alloc"'*)
		calls "$t" child_alloc 10
		calls "$t" parent_alloc 0
		role[$t]=child ;;
	*)
		calls "$t" parent_alloc 20000
		is "$t" .end exit
		role[$t]=parent ;;
	esac
done
[ "$(printf '%s\n' "${role[@]}" | sort | uniq -c | xargs)" = \
	"20 child 4 grandchild 1 parent" ] || fail "roles: ${role[*]}"
for t in "${traces[@]}"; do
	parent=$(json "$t" '.parent_trace // empty')
	parent=${parent##*/}
	case ${role[$t]} in
	parent) [ -z "$parent" ] || fail "$t has a parent: $parent" ;;
	child) [ "${role[$parent]:-}" = parent ] ||
		fail "$t: its parent is '$parent'" ;;
	grandchild) [ "${role[$parent]:-}" = child ] ||
		fail "$t: its parent is '$parent'" ;;
	esac
done
