# SPDX-License-Identifier: MIT
"""Hold the log of oracle.cc against the events of its trace.

compare.py LOG EVENTS: EVENTS is what `memtrace-report events` printed. Every
thread's events between its first and last operation must be those of the log:
none missing, none more, same kind, address, size and alignment, same order.
And in the order of EVENTS, across all threads, every address must alternate
between allocation and free. With two threads or more, each function has to
have given a thread the address it was given last, freed by another thread.
"""

import collections
import sys

ALLOCS = {"malloc", "calloc", "realloc", "reallocarray", "posix_memalign",
          "aligned_alloc", "memalign", "valloc", "pvalloc", "new", "new[]"}
FREES = {"free", "cfree", "free_sized", "free_aligned_sized", "delete",
         "delete[]", "realloc_free"}
FIRST_BYTES = 1000003
# The largest size that glibc keeps in a cache of the freeing thread.
CACHED_BYTES = 1032
# libstdc++ keeps this much in front of an exception.
EXCEPTION_HEAD = 128


def read_log(path):
    """Return the operations of each thread: {tid: [(kind, ...)]}."""
    threads = {}
    with open(path) as f:
        for line in f:
            tid, kind, address, size, align = line.split()
            op = (kind, int(address, 16),
                  None if size == "-" else int(size), int(align))
            threads.setdefault(int(tid), []).append(op)
    return threads


def read_events(path):
    """Return all events in order: (tid, kind, address, size, align)."""
    events = []
    with open(path) as f:
        for number, line in enumerate(f, 1):
            field = line.split()
            kind = field[3]
            if kind not in ALLOCS | FREES | {"realloc_cancel"}:
                sys.exit(f"event {number}: what is a {kind}?")
            events.append((int(field[2]), kind, int(field[4], 16),
                           int(field[5]), int(field[6])))
    return events


def check_order(events):
    """Check that addresses alternate in the global order."""
    live = {}
    for number, (tid, kind, address, _, _) in enumerate(events, 1):
        if kind in FREES:
            if live.pop(address, None) is None:
                sys.exit(f"event {number}: {kind} of {address:#x} by {tid}, "
                         "where no block is")
        elif address:
            if address in live:
                sys.exit(f"event {number}: {kind} of {address:#x} by {tid}, "
                         f"live since event {live[address]}")
            live[address] = number


def count_again(events):
    """Count the blocks given again to the thread that had them last.

    Between the two allocations, which are one after the other, another
    thread freed the block: {kind: count}, {small and large: count}.
    """
    last, freer = {}, {}
    kinds, sizes = collections.Counter(), collections.Counter()
    for tid, kind, address, size, _ in events:
        if kind in FREES:
            freer[address] = tid
        elif address and kind in ALLOCS:
            if last.get(tid) == address and freer[address] != tid:
                kinds[kind] += 1
                sizes["cached" if size <= CACHED_BYTES else "not cached"] += 1
            last[tid] = address
    return kinds, sizes


def equal(op, event):
    """Return whether an event is what an operation was."""
    kind, address, size, align = op
    return (kind, address, align) == (event[0], event[1], event[3]) and (
        size is None or size == event[2])


def skip_exception(events, at, op, must, exception):
    """Match a failed new and its exception; return the index behind them."""
    block, failed, freed = 0, False, False
    while at < len(events):
        kind, address, size, _ = events[at]
        if not failed and equal(op, events[at]):
            failed = True
        elif (not block and kind == "malloc" and
              EXCEPTION_HEAD < size <= EXCEPTION_HEAD + 64 and
              (not exception or address + EXCEPTION_HEAD == exception)):
            block = address
        elif block and not freed and kind == "free" and address == block:
            freed = True
        else:
            break
        at += 1
    if failed and bool(block) == freed and (freed or not must):
        return at
    return -1


def check_thread(tid, log, events):
    """Check that the log stands in the thread's events without a gap."""
    first = [i for i, e in enumerate(events)
             if e[0] == "malloc" and e[2] == log[0][2]]
    if not first:
        sys.exit(f"thread {tid}: its first operation is not there: {log[0]}")
    at = first[0]
    i = 0
    while i < len(log):
        op = log[i]
        if op[0] in ("throws", "may_throw"):
            i += 1
            after = skip_exception(events, at, log[i], op[0] == "throws",
                                   op[1])
        else:
            there = at < len(events) and equal(op, events[at])
            after = at + 1 if there else -1
        if after < 0:
            sys.exit(f"thread {tid}, operation {i}:\n  done {log[i]}\n  "
                     f"before {log[max(0, i - 3):i]}\n  "
                     f"recorded {events[at:at + 3]}")
        at = after
        i += 1


def main():
    threads = read_log(sys.argv[1])
    events = read_events(sys.argv[2])
    by_tid = {}
    for event in events:
        by_tid.setdefault(event[0], []).append(event[1:])
    for tid, log in threads.items():
        if log[0][2] < FIRST_BYTES or log[-1][0] != "free":
            sys.exit(f"thread {tid}: its log is not whole")
        check_thread(tid, log, by_tid.get(tid, []))
    check_order(events)
    kinds = {op[0] for log in threads.values() for op in log}
    missing = (ALLOCS | FREES | {"realloc_cancel", "throws"}) - kinds
    if missing:
        sys.exit(f"never done: {', '.join(sorted(missing))}")
    kinds, sizes = count_again(events)
    if len(threads) > 1 and (ALLOCS - set(kinds) or len(sizes) < 2):
        sys.exit(f"given again: only {dict(kinds)}, {dict(sizes)}")
    print(f"{len(threads)} threads, {len(events)} events, "
          f"{sum(kinds.values())} given again: {dict(kinds)}, {dict(sizes)}")


main()
