# SPDX-License-Identifier: MIT
"""What the analyzer costs: every view on one big trace, beside the readers of
heaptrack's and pprof's own files, and how time and memory grow with a trace."""

import os
import shutil
import statistics
import subprocess
import sys
import time

VIEWS = [
    "", "top --by stack", "top --by size --at total", "top --at 50%",
    "top --cumulative", "tree", "tree --callees", "peek main", "timeline",
    "sizes", "sizes --total", "lifetimes", "threads", "reallocs", "info",
    "top --lifetime :1ms", "top --where 'size > 1K && stack ~ \"Token\"'",
    "export -f pprof -o OUT", "export -f folded -o OUT",
    "export -f sqlite -o OUT", "export -f heaptrack -o OUT",
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


def arguments(view, work, half_ns):
    """Split a view's words; names of files and moments are filled in."""
    view = view.replace("OUT", str(work / "out")).replace("50%", f"{half_ns}ns")
    return __import__("shlex").split(view)


def bench_views(report, trace, work, rounds, totals, row):
    """Print what each view takes on a trace, symbols cached."""
    print(f"\nviews of {totals['events']:,} events "
          f"({trace.stat().st_size / 2**20:.1f} MiB), symbols cached")
    worst = (0, "")
    peak_ns = totals["duration_ns"] // 2
    for view in VIEWS:
        words = arguments(view, work, peak_ns)
        if view.startswith(("export", "sizes", "info", "reallocs", "threads",
                            "lifetimes", "timeline", "tree", "peek", "top")):
            argv = [str(report), words[0], *words[1:]]
        else:
            argv = [str(report)]
        if words[:1] == ["peek"]:
            argv = [str(report), "peek", "main"]
        argv.append(str(trace))
        peak_of(argv)
        seconds, peak = measure(argv, rounds)
        put(view or "(the summary)", seconds, peak)
        if not view:
            row("summary, symbols cached", "1.0 s", "", f"{seconds:.2f} s")
        elif view == "sizes --total":
            row("sizes --total, by the index", "0.1 s", "",
                f"{seconds:.2f} s")
        elif not view.startswith("export"):
            worst = max(worst, (seconds, view))
    row("slowest other view", "2.0 s", "", f"{worst[0]:.2f} s ({worst[1]})")


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
