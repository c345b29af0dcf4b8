# SPDX-License-Identifier: MIT
"""Kill a recorded program at random moments; hold its log against the trace.

kills.py PROGRAM RUNS: tests/host/killed.c says what the logs are. A log is
one thread's operations in order, so the trace's events of that thread, from
the log's first on, must begin with exactly those, and may have one more (the
operation that was not reported yet). $LIB and $REPORT are used.
"""

import os
import random
import signal
import struct
import subprocess
import sys
import time

FIRST_BYTES = 777777
SEED = 4711


def read_log(path):
    """Return the reported operations: (address, size or None for a free)."""
    try:
        with open(path, "rb") as f:
            data = f.read()
    except FileNotFoundError:
        return []
    words = struct.iter_unpack("<QQQ", data[: len(data) // 24 * 24])
    return [(address, size if alloc else None) for address, size, alloc in words]


def read_events(trace):
    """Return each thread's operations as read_log() does, keyed by index."""
    out = subprocess.run([os.environ["REPORT"], "events", trace], check=True,
                         stdout=subprocess.PIPE, text=True).stdout
    threads = {}
    for line in out.splitlines():
        field = line.split()
        size = int(field[5]) if field[3] == "malloc" else None
        threads.setdefault(field[1], []).append((int(field[4], 16), size))
    return threads


def check(logs, threads):
    """Return the number of operations found, or end with what was not."""
    found = 0
    for log in filter(None, logs):
        for events in threads.values():
            if log[0] in events:
                events = events[events.index(log[0]):]
                break
        else:
            sys.exit(f"{log[0]}, {len(log)} in the log: no thread has it")
        for i, op in enumerate(log):
            if i >= len(events):
                sys.exit(f"{len(log)} reported, {len(events)} in the trace")
            if events[i] != op:
                sys.exit(f"operation {i}: {op} reported, {events[i]} there")
        if len(events) > len(log) + 1:
            sys.exit(f"{len(log)} reported, {len(events)} in the trace")
        found += len(log)
    return found


def main():
    program, runs = sys.argv[1], int(sys.argv[2])
    rng = random.Random(SEED)
    total = empty = 0
    for run in range(runs):
        names = [f"log.{run}.{i}" for i in range(1 + run % 3)]
        trace = f"trace.{run}.zst"
        env = dict(os.environ, LD_PRELOAD=os.environ["LIB"],
                   MEMTRACE=f"out={trace}")
        child = subprocess.Popen([program] + names, env=env)
        time.sleep(rng.uniform(0.001, 0.08))
        child.send_signal(signal.SIGKILL)
        child.wait()
        logs = [read_log(name) for name in names]
        if not os.path.exists(trace):
            if any(logs):
                sys.exit(f"run {run}: no trace")
            empty += 1
            continue
        if os.path.getsize(trace):
            subprocess.run(["zstd", "-tq", trace], check=True)
        elif any(logs):
            sys.exit(f"run {run}: an empty trace")
        else:
            empty += 1
            continue
        total += check(logs, read_events(trace))
        for name in names + [trace, trace + ".live"]:
            if os.path.exists(name):
                os.remove(name)
    print(f"{runs} runs, {empty} killed before the trace; {total} operations")
    if total < runs * 100:
        sys.exit("too few operations to have shown anything")


main()
