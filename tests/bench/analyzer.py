# SPDX-License-Identifier: MIT
"""What the analyzer costs: every view on one big trace, beside the readers of
heaptrack's and pprof's own files, and how time and memory grow with a trace."""

import json
import os
import shutil
import statistics
import subprocess
import sys
import time

# What is measured: a command, and the figure that it must reach.
VIEWS = [
    ([], "1.0 s"),
    (["top", "--by", "stack"], "2.0 s"),
    (["top", "--by", "size", "--at", "total"], "2.0 s"),
    (["top", "--cumulative"], "2.0 s"),
    (["top", "--at", "MIDDLE"], "2.0 s"),
    (["top", "--lifetime", ":1ms"], "2.0 s"),
    (["top", "--where", "size > 1K && stack ~ 'Token'"], "2.0 s"),
    (["tree"], "2.0 s"),
    (["tree", "--callees"], "2.0 s"),
    (["peek", "main"], "2.0 s"),
    (["timeline"], "2.0 s"),
    (["timeline", "--quick"], "0.1 s"),
    (["sizes"], "2.0 s"),
    (["sizes", "--total"], "0.1 s"),
    (["lifetimes"], "2.0 s"),
    (["threads"], "2.0 s"),
    (["reallocs"], "2.0 s"),
    (["growth"], "2.0 s"),
    (["info"], "2.0 s"),
    (["export", "-f", "pprof", "-o", "OUT"], ""),
    (["export", "-f", "speedscope", "-o", "OUT"], ""),
    (["export", "-f", "sqlite", "-o", "OUT"], ""),
    (["export", "-f", "heaptrack", "-o", "OUT"], ""),
]


def peak_of(argv):
    """Run a command; return (seconds, peak MiB) as the kernel counts them."""
    start = time.perf_counter()
    pid = os.posix_spawnp(argv[0], argv, os.environ, file_actions=[
        (os.POSIX_SPAWN_OPEN, fd, os.devnull, os.O_WRONLY, 0)
        for fd in (1, 2)])
    _, status, usage = os.wait4(pid, 0)
    if status:
        sys.exit(f"bench: {' '.join(argv)} failed")
    return time.perf_counter() - start, usage.ru_maxrss / 1024


def measure(argv, rounds):
    runs = [peak_of(argv) for _ in range(rounds)]
    return (statistics.median(r[0] for r in runs),
            statistics.median(r[1] for r in runs))


def put(name, seconds, peak):
    print(f"  {name:44} {seconds:7.2f} s {peak:8.1f} MiB", flush=True)


def bench_views(report, trace, work, rounds, row):
    """Print what each view takes on a trace, symbols cached."""
    out = subprocess.run([report, "--json", trace], check=True,
                         stdout=subprocess.PIPE).stdout
    facts = json.loads(out)
    print(f"\nviews of {facts['totals']['events']:,} events "
          f"({trace.stat().st_size / 2**20:.1f} MiB), symbols cached")
    fill = {"OUT": str(work / "out"),
            "MIDDLE": f"{facts['duration_ns'] // 2}ns"}
    slowest, most = (0, "", ""), 0
    for words, must in VIEWS:
        words = [fill.get(word, word) for word in words]
        argv = [str(report), *words, str(trace)]
        seconds, peak = measure(argv, rounds)
        name = " ".join(words[:3]) or "(the summary)"
        put(name, seconds, peak)
        if must == "2.0 s":
            slowest = max(slowest, (seconds, name, must))
        elif must:
            row(f"{name}, 20 M events", must, "", f"{seconds:.2f} s")
        if must:
            most = max(most, peak)
    row(f"slowest view: {slowest[1]}", "2.0 s", "", f"{slowest[0]:.2f} s")
    row("most memory of a view", "150 MiB", "", f"{most:.0f} MiB")


def bench_peers(heaptrack_file, pprof_file, rounds):
    """Print what the peers take to read the same run."""
    print("beside them, the same run")
    if heaptrack_file:
        seconds, peak = measure(["heaptrack_print", "-f",
                                 str(heaptrack_file)], rounds)
        put("heaptrack_print, its own recording", seconds, peak)
    else:
        print("  heaptrack is not installed")
    if shutil.which("go") and pprof_file.exists():
        seconds, peak = measure(["go", "tool", "pprof", "-top",
                                 str(pprof_file)], rounds)
        put("go tool pprof -top, our export of it", seconds, peak)
    else:
        print("  Go's pprof is not installed")


def bench_long(report, maker, work, lengths, row):
    """Print time and memory on ever longer synthetic traces."""
    print("\nsynthetic traces, the summary")
    trace, before = work / "long.zst", None
    for events in lengths:
        subprocess.run([str(maker), str(trace), str(events)], check=True)
        seconds, peak = peak_of([str(report), str(trace)])
        put(f"{events:,} events, {trace.stat().st_size / 2**20:,.0f} MiB",
            seconds, peak)
        if before:
            row(f"{events / 1e6:,.0f} M events: memory", "300 MiB", "",
                f"{peak:.0f} MiB")
            row("... time an event, of the shorter one's", "1.0 x", "",
                f"{seconds / events / before:.2f} x")
        before = seconds / events
        trace.unlink()
