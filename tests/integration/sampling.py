# SPDX-License-Identifier: MIT
"""Hold the estimates from samples against what a program did.

sampling.py PROGRAM RUNS: tests/host/sampled.c says what the program does.
"""

import math
import os
import subprocess

from sampled import (PROGRAM, RATE, RUNS, clean, environment, expect, least,
                     record, refused, report)


def site_of(r, name):
    found = [s for s in r["sites"] if s["function"] == name]
    none = {"exit_bytes": 0, "exit_bytes_low": 0,
            "exit_bytes_high": 3.8 * RATE}
    return found[0] if found else none


def sound(r, what):
    expect(f"{what}: nothing lost", r["lost"]["events"] == 0)
    expect(f"{what}: {r['anomalies']}",
           r["anomalies"]["unknown_frees"] == 0
           and r["anomalies"]["lost_frees"] == 0)


def check_estimates(what, rate):
    """The intervals hold what is live, and the mean is it."""
    held, seen = {}, {}
    for seed in range(1, RUNS + 1):
        truth, trace, _ = record(what, f"sample={rate},seed={seed}")
        r = report(trace)
        sound(r, what)
        expect("the sample is said", r["sampled"]["rate_bytes"] == rate)
        for name, (size, _) in truth.items():
            s = site_of(r, name)
            held[name] = held.get(name, 0) + (
                s["exit_bytes_low"] <= size <= s["exit_bytes_high"])
            seen.setdefault(name, []).append(s["exit_bytes"])
        expect("what is freed is gone", site_of(r, "churned")["exit_bytes"]
               == 0)
    for name, (size, _) in truth.items():
        mean = sum(seen[name]) / RUNS
        deviation = math.sqrt(sum((x - mean) ** 2 for x in seen[name]) / RUNS)
        print(f"{what}, sample={rate}: {name}: {size} bytes live, "
              f"held {held[name]}/{RUNS}, mean {mean:.0f} "
              f"+-{deviation / math.sqrt(RUNS):.0f}")
        expect(f"{name}: held {held[name]} of {RUNS}",
               held[name] >= least(RUNS, 3))
        expect(f"{name}: mean {mean}, is {size}",
               abs(mean - size) <= 3.5 * deviation / math.sqrt(RUNS) + 1)
    live = [name for name in truth if truth[name][0]]
    together = sum(held[name] for name in live)
    print(f"{what}, sample={rate}: held {together}/{RUNS * len(live)} in all")
    expect(f"held {together} of {RUNS * len(live)} in all",
           together >= least(RUNS * len(live), 2))


def check_seed():
    """The same seed takes the same blocks, another one others."""
    sites = []
    for seed in (7, 7, 8):
        _, trace, _ = record("sites", f"sample={RATE},seed={seed}")
        sites.append({s["function"]: s["allocated_bytes"]
                      for s in report(trace)["sites"]})
    expect("a seed tells which", sites[0] == sites[1] != sites[2])


def check_fork():
    """The child draws anew, and knows nothing of what it inherited."""
    _, trace, children = record("fork", f"sample={RATE},seed=3")
    expect("one child", len(children) == 1)
    sizes = []
    for name in (trace, children[0]):
        sound(report(name), name)
        sizes.append({row["size"] for row in
                      report(name, "top", "--by", "size", "--at", "exit",
                             "--focus", "after")["rows"]})
        expect("both have a sample", 80 < len(sizes[-1]) < 200)
    expect("not the same sample", sizes[0] != sizes[1])
    expect("the child has nothing inherited",
           site_of(report(children[0]), "small")["exit_bytes"] == 0)


def check_refusals():
    """What a sample cannot tell is said so; no gate passes."""
    _, trace, _ = record("sites", f"sample={RATE},seed=1")
    for command in (["leaks"], ["bad-frees"], ["growth"], ["why", "0x10"],
                    ["reallocs"], ["memory"], ["snapshots"],
                    ["timeline", "--quick"], ["sizes", "--total"],
                    ["top", "--at", "temporary"],
                    ["export", "--format", "heaptrack"]):
        status, said = refused(trace, *command)
        expect(f"{command}: {status}: {said}",
               status == 1 and "needs every block" in said)
    status, said = refused(trace, "merge", trace)
    expect(f"merge: {said}", status == 0 and "sampled: 1 in" in said
           and "+-" in said.splitlines()[0])
    for limit in ([], ["--max-peak", "1G"], ["--max-leak-bytes", "1G"]):
        status, said = refused(trace, "check", *limit)
        expect(f"check {limit}: {status}: {said}",
               status == 4 and "only a sample" in said)
    status, said = refused(trace)
    expect(f"the heading: {said}",
           status == 0 and "sampled: 1 in 512.0 KiB" in said
           and "+-" in said.splitlines()[0] and "Temporary" not in said)
    status, said = refused(trace, "top", "--at", "exit")
    expect(f"top: {said}", status == 0 and " %" in said and "+-" in said)


def ctl(pid, *args):
    done = subprocess.run([os.environ["REPORT"], "ctl", str(pid), *args],
                          stderr=subprocess.PIPE, text=True)
    return done.returncode, done.stderr


def serve(options):
    """Start the program that works for what it is sent; it has begun."""
    clean()
    child = subprocess.Popen([PROGRAM, "wait"], stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE, env=environment(options))
    child.stdout.readline()
    return child


def told(child, *args):
    """Tell the working program something; its answer."""
    asking = subprocess.Popen([os.environ["REPORT"], "ctl", str(child.pid),
                               *args], stderr=subprocess.PIPE, text=True)
    while asking.poll() is None:
        child.stdin.write(b".")
        child.stdin.flush()
        try:
            asking.wait(0.02)
        except subprocess.TimeoutExpired:
            pass
    return asking.returncode, asking.stderr.read()


def end(child):
    child.stdin.close()
    expect("it ends well", child.wait() == 0)
    return report(f"trace.{child.pid}.zst")


def check_rate():
    """The rate of a program that runs; not where all is recorded."""
    child = serve(f"sample={RATE},seed=5")
    child.stdin.write(b"." * 20)
    expect("a rate is taken", told(child, "rate", "16K") == (0, ""))
    child.stdin.write(b"." * 20)
    status, said = told(child, "rate", "1K")
    expect(f"too low a rate: {said}", status == 1 and "4K to 1G" in said)
    status, said = told(child, "leaks")
    expect(f"no scan: {said}", status == 1 and "sample" in said)
    r = end(child)
    expect(f"both rates: {r['sampled']}",
           r["sampled"]["rate_bytes"] == 16 << 10
           and r["sampled"]["rate_bytes_max"] == RATE)
    # 40 of 5 MB each and what was sent while it was told: in the interval.
    t = r["totals"]
    expect(f"in sum: {t}", t["allocated_bytes_high"] > 200e6)
    child = serve("leaks=off")
    status, said = told(child, "rate", "64K")
    expect(f"all is recorded: {said}",
           status == 1 and "sample=SIZE was said" in said)
    expect("so nothing is sampled", "sampled" not in end(child))


def check_start():
    """Stopped from the start; started, it takes a sample."""
    child = serve("start=off,sample=16K,seed=5")
    child.stdin.write(b"." * 20)
    expect("it starts", told(child, "start") == (0, ""))
    child.stdin.write(b"." * 200)
    t = end(child)["totals"]
    expect(f"what came after: {t}", t["allocated_bytes"] > 0.9e9)
    child = serve("start=off,leaks=off")
    child.stdin.write(b"." * 20)
    expect("it starts", told(child, "start") == (0, ""))
    child.stdin.write(b"." * 4)
    t = end(child)["totals"]
    expect(f"each of what came after: {t}",
           t["allocations"] >= 4 * 5000 and t["frees"] >= 4 * 5000
           and t["allocated_bytes"] % 1000 == 0)


check_estimates("sites", RATE)
check_estimates("threads", RATE)
check_estimates("sites", 8192)
check_seed()
check_fork()
check_refusals()
check_rate()
check_start()
