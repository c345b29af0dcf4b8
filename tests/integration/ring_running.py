# SPDX-License-Identifier: MIT
"""Read bounded traces of a program that runs, and hold them against its counts.

ring_running.py PROGRAM SECONDS: tests/host/ring.c says what the program does.
$LIB and $REPORT are used.
"""

import json
import os
import random
import signal
import struct
import subprocess
import sys
import threading
import time

from ring import expect, own_counts, read_progress

SIZE = 1 << 20
SEED = 815
# The views, and how often each is asked for.
VIEWS = [[], [], [], ["sizes"], ["top", "-n", "0"], ["lifetimes"],
         ["leaks"]]


def start(program, threads, trace, path, size=SIZE):
    env = dict(os.environ, LD_PRELOAD=os.environ["LIB"],
               MEMTRACE=f"out={trace},leaks=off,size={size}")
    child = subprocess.Popen([program, str(threads), "100000000", path],
                             env=env, stderr=subprocess.PIPE)
    while not (os.path.exists(trace) and os.path.getsize(trace) > size * 0.9):
        expect("it runs", child.poll() is None)
        time.sleep(0.01)
    time.sleep(0.2)
    return child


def report(trace, view):
    out = subprocess.run([os.environ["REPORT"], *view, "--json", trace],
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                         text=True)
    return out.returncode, out.stdout, out.stderr


class Reader(threading.Thread):
    """Read in a loop; keeps the first thing that was not so."""

    def __init__(self, number, trace, path, until):
        super().__init__()
        self.rng = random.Random(SEED + number)
        self.trace, self.path, self.until = trace, path, until
        self.reports, self.folded, self.wrong = 0, 0, None

    def check(self, view):
        now, _ = read_progress(self.path)
        status, out, err = report(self.trace, view)
        _, then = read_progress(self.path)
        if status or err:
            return f"{view}: status {status}, {err}"
        said = json.loads(out)
        if said.get("damage"):
            return f"{view}: damage {said['damage']}"
        if view:
            return None
        got = own_counts(said)
        if not all(a <= b <= c for a, b, c in zip(now[:3], got[:3], then[:3])):
            return f"{got} is not between {now} and {then}"
        if any(said["anomalies"].values()):
            return f"anomalies {said['anomalies']}"
        self.folded = said["history"] and said["history"]["folded_events"]
        return None

    def run(self):
        while not self.wrong and time.time() < self.until:
            self.wrong = self.check(self.rng.choice(VIEWS))
            self.reports += 1


def read_running(program, threads, seconds):
    trace, path = f"run.{threads}.zst", f"progress.{threads}"
    child = start(program, threads, trace, path)
    readers = [Reader(i, trace, path, time.time() + seconds) for i in range(2)]
    for r in readers:
        r.start()
    for r in readers:
        r.join()
    expect("it still runs", child.poll() is None)
    child.send_signal(signal.SIGKILL)
    child.wait()
    for r in readers:
        expect(f"{threads} threads, report {r.reports}: {r.wrong}", not r.wrong)
        expect(f"{r.reports} reports are some", r.reports > 3)
        expect("the ring was full", r.folded > 0)
    got = own_counts(json.loads(report(trace, [])[1]))
    expect(f"{got} is {read_progress(path)}", got in read_progress(path))
    return sum(r.reports for r in readers)


def kill_while_read(program, run, rng):
    """A report of a program that is killed meanwhile is whole all the same."""
    trace, path = f"dies.{run}.zst", f"progress.dies.{run}"
    child = start(program, 1 + run % 3, trace, path)
    now, _ = read_progress(path)
    reader = subprocess.Popen([os.environ["REPORT"], "--json", trace],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    time.sleep(rng.random() * 0.03)
    child.send_signal(signal.SIGKILL)
    child.wait()
    out, err = reader.communicate()
    _, then = read_progress(path)
    expect(f"run {run}: {reader.returncode}, {err}",
           reader.returncode == 0 and not err)
    got = own_counts(json.loads(out))
    expect(f"run {run}: {got} is between {now} and {then}",
           all(a <= b <= c for a, b, c in zip(now[:3], got[:3], then[:3])))


# Of the live file: the head, the mailbox in it, its hold, the directory; the type
# of the image.
HEAD, MAILBOX, HOLD, DIRECTORY, IMAGE = 131072, 131072 - 512, 272, 104, 8


def steps(live):
    """Return how many steps the heap image has made."""
    with open(live, "rb") as f:
        head = f.read(HEAD)
        regions, = struct.unpack_from("<I", head, DIRECTORY - 8)
        for i in range(regions):
            kind, index, offset, _ = struct.unpack_from(
                "<IIQQ", head, DIRECTORY + 24 * i)
            if (kind, index) == (IMAGE, 0):
                f.seek(offset + 8)
                return struct.unpack("<Q", f.read(8))[0] >> 32
    return 0


def moves(live, path, hold_ns):
    """Tell whether events are folded while a hold is set, and some come."""
    with open(live, "r+b") as f:
        f.seek(MAILBOX + HOLD)
        f.write(struct.pack("<Q", hold_ns and time.monotonic_ns() + hold_ns))
    time.sleep(0.002)
    before, (now, _) = steps(live), read_progress(path)
    while read_progress(path)[0][0] < now[0] + 5000:
        time.sleep(0.001)
    return steps(live) != before


def check_hold(program):
    """Who reads can hold the folding up, for two seconds and no more."""
    path, live = "progress.held", "held.zst.live"
    child = start(program, 1, "held.zst", path, size=4 * SIZE)
    # When the machine is busy, space may run out: then it is folded.
    for _ in range(20):
        held = [moves(live, path, s * 10**9) for s in (0, 1, 3600)]
        if held == [True, False, True]:
            break
        time.sleep(0.1)
    child.send_signal(signal.SIGKILL)
    child.wait()
    expect(f"{held} without, held, held for too long",
           held == [True, False, True])


def main():
    program, seconds = sys.argv[1], float(sys.argv[2])
    check_hold(program)
    rng = random.Random(SEED)
    for run in range(24):
        kill_while_read(program, run, rng)
    for threads in (1, 4):
        read_running(program, threads, seconds)


main()
