# SPDX-License-Identifier: MIT
"""Hold bounded traces against unbounded ones, and against a program's counts.

ring.py PROGRAM: against unbounded ones; ring.py PROGRAM KILLS: against counts,
wherever the program is killed; ring.py PROGRAM --disk DIR: both, on a disk of
16 MiB that gets full before the trace has reached its bound. tests/host/ring.c
says what the program does. $LIB and $REPORT are used.
"""

import json
import os
import random
import signal
import struct
import subprocess
import sys
import time

SIZE = 1 << 20
STEPS = 300000
DISK_STEPS = 2500000
SEED = 4711
# What depends on the clock, or on who was recorded when.
TIMES = {"pid", "command", "duration_ns", "at_ns", "time_ns", "real_ns",
         "resident", "cgroup",
         "host", "lifetime_ns", "history", "options", "problems", "start_ns", "tid",
         "trace", "resident"}


def environment(trace, options):
    return dict(os.environ, LD_PRELOAD=os.environ["LIB"],
                MEMTRACE=f"out={trace},leaks=off,{options}")


def report(trace, *args):
    out = subprocess.run([os.environ["REPORT"], *args, "--json", trace],
                         check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(out.stdout)


def timeless(value):
    """Leave out what depends on the clock, or on the kernel."""
    if isinstance(value, dict):
        return {k: timeless(v) for k, v in value.items() if k not in TIMES}
    if isinstance(value, list):
        return [timeless(v) for v in value]
    return value


def expect(what, is_so):
    if not is_so:
        sys.exit(f"not so: {what}")


def differences(a, b, path=""):
    """Return the places where two values differ."""
    if isinstance(a, dict) and isinstance(b, dict):
        return [d for k in sorted(a.keys() | b.keys())
                for d in differences(a.get(k), b.get(k), f"{path}.{k}")]
    if isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
        return [d for i, (x, y) in enumerate(zip(a, b))
                for d in differences(x, y, f"{path}[{i}]")]
    return [] if a == b else [f"{path}: {a} and {b}"]


def check_same(program, threads):
    """An unbounded and a bounded run of the same say the same."""
    whole, ring = f"all.{threads}.zst", f"ring.{threads}.zst"
    for trace, options in ((whole, "size=0"), (ring, f"size={SIZE}")):
        run(program, threads, STEPS, trace, options)
    expect(f"{whole} is larger than the bound",
           os.path.getsize(whole) > 1.5 * SIZE)
    expect(f"{ring} is not", os.path.getsize(ring) < 1.5 * SIZE)
    check_equal(threads, whole, ring)


def run(program, threads, steps, trace, options):
    """Run it to its end; what it says on stderr."""
    return subprocess.run([program, str(threads), str(steps)], check=True,
                          env=environment(trace, options), text=True,
                          stderr=subprocess.PIPE).stderr


def check_equal(threads, whole, ring):
    """What the traces of two runs of the same say is the same."""
    expect("it is sound", subprocess.run(["zstd", "-tq", ring]).returncode == 0)
    for view in (["-n", "0"], ["sizes", "--total"],
                 ["top", "--at", "peak", "-n", "0"],
                 ["top", "--at", "exit", "-n", "0"]):
        a, b = (timeless(report(t, *view)) for t in (whole, ring))
        found = differences(a, b)
        expect(f"{threads} threads, {view}: {found[:5]}", not found)
    lives = [sum(row["blocks"] for row in report(t, "lifetimes")["times"])
             for t in (whole, ring)]
    expect(f"lives {lives} are the same", lives[0] == lives[1] > STEPS)
    sums = [exported(t) for t in (whole, ring)]
    expect(f"exported sums {sums} are the same", sums[0] == sums[1])
    check_history(ring)


def exported(trace):
    """Return what pprof and SQLite are told that was allocated."""
    subprocess.run([os.environ["REPORT"], "export", "-f", "pprof", "-o",
                    "sums.pb.gz", trace],
                   check=True, stdout=subprocess.DEVNULL)
    totals = report("sums.pb.gz")["totals"]
    subprocess.run([os.environ["REPORT"], "export", "-f", "sqlite", "-o",
                    "sums.db", trace],
                   check=True, stdout=subprocess.DEVNULL)
    query = "SELECT sum(allocations), sum(allocated_bytes) FROM rows"
    rows = subprocess.run(["sqlite3", "sums.db", query], check=True,
                          capture_output=True, text=True).stdout
    return [totals["allocations"], totals["allocated_bytes"], rows.strip()]


def check_history(ring):
    """Views of moments say from when on there are any, and refuse others."""
    whole, window = report(ring, "info"), report(ring, "threads")
    folded = whole["history"]["folded_events"]
    expect(f"most of the {STEPS} steps are folded", folded > STEPS)
    expect("sums count what is folded", report(ring)["history"]["counted"])
    expect("threads do not", not window["history"]["counted"])
    begins = whole["history"]["from_ns"]
    for option in (f"--from={begins // 2}ns", f"--to={begins // 2}ns",
                   f"--at={begins // 2}ns"):
        out = subprocess.run([os.environ["REPORT"], "top", option, ring],
                             stdout=subprocess.DEVNULL, text=True,
                             stderr=subprocess.PIPE)
        expect(f"{option} is refused: {out.stderr}",
               out.returncode == 1 and "history begins at" in out.stderr)
    later = report(ring, "top", f"--from={begins + 1}ns")
    expect("a later window is shown", not later["history"]["counted"])
    events = subprocess.run([os.environ["REPORT"], "events", "--no-stack",
                             ring], check=True, stdout=subprocess.PIPE)
    expect("events are those that are there",
           0 < events.stdout.count(b"\n") < folded)


def own_counts(said):
    """Return what the program's own functions did, as it counts itself."""
    sites = [s for s in said["sites"] if s["function"].startswith("allocate")]
    total = {k: sum(s[k] for s in sites)
             for k in ("allocations", "allocated_bytes", "exit_bytes",
                       "exit_blocks")}
    return (total["allocations"], total["allocations"] - total["exit_blocks"],
            total["allocated_bytes"], total["exit_bytes"],
            total["exit_blocks"])


def read_progress(path):
    with open(path, "rb") as f:
        numbers = struct.unpack("<10Q", f.read(80))
    return numbers[:5], numbers[5:]


def kill(program, turn, rng, trace, options, full):
    """Kill a run, once its trace is full; tell whether it had been folded."""
    path = f"progress.{turn}"
    child = subprocess.Popen([program, str(1 + turn % 3), "100000000", path],
                             env=environment(trace, options),
                             stderr=subprocess.DEVNULL)
    while not full(trace):
        expect("it runs", child.poll() is None)
        time.sleep(0.01)
    time.sleep(rng.random())
    child.send_signal(signal.SIGKILL)
    child.wait()
    now, then = read_progress(path)
    got = own_counts(report(trace))
    expect(f"run {turn}: {got} is {now} or {then}", got in (now, then))
    folded = report(trace, "info")["history"]["folded_events"]
    os.remove(trace)
    os.remove(trace + ".live")
    os.remove(path)
    return folded > 0


def is_at_bound(trace):
    return os.path.exists(trace) and os.path.getsize(trace) > SIZE * 0.9


def is_disk_full(trace):
    return os.statvfs(os.path.dirname(trace)).f_bavail < 32


def check_disk(program, disk):
    """A full disk is a bound as another."""
    for threads in (1, 4):
        whole, ring = f"all.{threads}.zst", f"{disk}/ring.{threads}.zst"
        run(program, threads, DISK_STEPS, whole, "size=0")
        said = run(program, threads, DISK_STEPS, ring, "size=64M")
        expect("all of it is in the trace", os.listdir(disk) == [
            os.path.basename(ring)])
        expect("it could not grow further",
               os.path.getsize(ring) < 12 * SIZE < os.path.getsize(whole))
        expect(f"one line says so: {said}", said.count("\n") == 1 and
               "its history is short: error 28;" in said)
        check_equal(threads, whole, ring)
        expect("nothing is lost", not any(report(ring)["lost"].values()))
        for name in os.listdir(disk):
            os.remove(f"{disk}/{name}")
    rng = random.Random(SEED)
    for turn in range(6):
        expect("it was folded", kill(program, turn, rng, f"{disk}/kill.zst",
                                     "size=64M", is_disk_full))


def main():
    program = sys.argv[1]
    if sys.argv[2:3] == ["--disk"]:
        check_disk(program, sys.argv[3])
        return
    if len(sys.argv) == 2:
        for threads in (1, 4):
            check_same(program, threads)
        return
    kills, rng = int(sys.argv[2]), random.Random(SEED)
    wrapped = sum(kill(program, turn, rng, f"kill.{turn}.zst", f"size={SIZE}",
                       is_at_bound) for turn in range(kills))
    print(f"{wrapped} of {kills} killed with a full ring; none lost an event")
    expect("all were", kills == wrapped > 0)


if __name__ == "__main__":
    main()
