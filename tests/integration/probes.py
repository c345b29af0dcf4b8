# SPDX-License-Identifier: MIT
"""Hold what the probes tell against what programs and their traces say.

probes.py HOST: tests/host/probed.cc says what the program does. $LIB and
$REPORT are used.
"""

import glob
import json
import math
import os
import re
import shutil
import subprocess
import sys
import time

HOST = sys.argv[1]
RATE = 64 << 10
# Copies: what attaches to them is told of no other test's programs. bpftrace
# 0.17 may miss a signal, but not the program at which it is to end.
LIB = os.path.join(os.getcwd(), "libmemtrace.so")
STOP = os.path.join(os.getcwd(), "stop")

GDB = """
set pagination off
set confirm off
set debuginfod enabled off
set breakpoint always-inserted on
set startup-with-shell off
set environment LD_PRELOAD {lib}
set environment MEMTRACE out={trace},{options}
break main
run {arguments}
printf "before %d %d\\n", *(short *)&{alloc}, *(short *)&{free}
break -probe-stap otel_memory:alloc
commands
silent
printf "%d: alloc %lu %lu %lu from ", $_probe_argc, $_probe_arg0, $_probe_arg1, $_probe_arg2
info symbol *(long *)($rbp + 8)
continue
end
break -probe-stap otel_memory:free
commands
silent
printf "%d: free %lu from ", $_probe_argc, $_probe_arg0
info symbol *(long *)($rbp + 8)
continue
end
break _exit
continue
printf "during %d %d\\n", *(short *)&{alloc}, *(short *)&{free}
delete
printf "after %d %d\\n", *(short *)&{alloc}, *(short *)&{free}
continue
"""
TOLD = re.compile(r"^3: alloc (\d+) (\d+) (\d+) from (.*)$"
                  r"|^1: free (\d+) from (.*)$", re.M)

BPFTRACE = """
BEGIN {{ printf("ready\\n"); }}
usdt:{lib}:otel_memory:alloc {{
    @allocs = count(); @weighted = sum(arg2);
}}
usdt:{lib}:otel_memory:free {{ @frees = count(); }}
uprobe:{stop}:main {{ exit(); }}
interval:s:250 {{ exit(); }}
"""


def expect(what, is_so):
    if not is_so:
        sys.exit(f"not so: {what}")


def report(trace, *args):
    out = subprocess.run([os.environ["REPORT"], *args, "--json", trace],
                         check=True, stdout=subprocess.PIPE,
                         stderr=subprocess.DEVNULL, text=True)
    return json.loads(out.stdout)


def debug(what, options):
    """Run the program under gdb; return what it says, what gdb was told, and
    its trace."""
    trace, log = f"{what}.zst", f"log.{what}"
    with open("script", "w") as f:
        f.write(GDB.format(lib=LIB, trace=trace, options=options,
                           arguments=f"{what} {log}",
                           alloc="otel_memory_alloc_semaphore",
                           free="otel_memory_free_semaphore"))
    said = subprocess.run(["gdb", "-nx", "-batch", "-x", "script",
                           f"{HOST}/probed"], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True,
                          stdin=subprocess.DEVNULL, timeout=300).stdout
    expect(f"it ends well: {said[-2000:]}", "exited normally" in said)
    for when, counts in (("before", "0 0"), ("during", "1 1"),
                         ("after", "0 0")):
        expect(f"semaphores {when}: {said[-2000:]}",
               f"\n{when} {counts}\n" in said)
    told = []
    for address, size, weighted, where, freed, freed_at in TOLD.findall(said):
        told.append(("free", int(freed)) if freed else
                    ("alloc", int(address), int(size), int(weighted)))
        # Nothing of ours is between the probe and the program.
        expect(f"frame pointers lead to {where or freed_at}",
               re.match(r"(main|kinds|many|reallocs|aligned|operators)\(?",
                        where or freed_at))
    with open(log) as f:
        lines = [line.split() for line in f]
    return [(kind, *map(int, rest)) for kind, *rest in lines], told, trace


def check_kinds():
    """Each block is told of, in order, and stands for itself."""
    said, told, _ = debug("kinds", "leaks=off")
    expect("there are some", len(said) > 25)
    expect(f"told {told} but it says {said}",
           told == [line + line[2:] for line in said])


def recorded(trace):
    """The events of a trace, but of what libstdc++ does before main."""
    out = subprocess.run([os.environ["REPORT"], "events", trace], check=True,
                         stdout=subprocess.PIPE, text=True).stdout
    events = []
    for line in out.splitlines():
        _, _, _, kind, address, size, _, stack = line.split()
        if "probed+" not in stack:
            continue
        if "free" in kind or "delete" in kind:
            events.append(("free", int(address, 16)))
        else:
            events.append(("alloc", int(address, 16), int(size)))
    return events


def weight(size):
    return size / -math.expm1(-size / RATE) if size else 0


def check_sample():
    """Only what is sampled is told of, and what it stands for."""
    said, told, trace = debug("many", f"sample={RATE},seed=1")
    allocs = [line for line in told if line[0] == "alloc"]
    expect(f"a sample: {len(allocs)}", 300 < len(allocs) < 1000)
    for _, address, size, weighted in allocs:
        expect(f"{size} bytes stand for {weighted}",
               abs(weighted - weight(size)) < 0.51)
    # What it is told of stands in what the program says, in that order, and
    # nothing is left out between an allocation and its free.
    live, at = set(), 0
    for line in said:
        if at < len(told) and told[at][:3] == line:
            at += 1
            live = live | {line[1]} if line[0] == "alloc" else live - {line[1]}
        else:
            expect(f"{line} is told", line[0] == "alloc"
                   or line[1] not in live)
    expect(f"the program did {told[at:at + 1]}", at == len(told))
    expect("the trace has the same", recorded(trace) == [
        line[:3] for line in told])
    t = report(trace, "--focus", "^main$")["totals"]
    weighted = sum(line[3] for line in allocs)
    print(f"sample={RATE}: {len(allocs)} allocations of "
          f"{sum(line[0] == 'alloc' for line in said)} told of, standing for "
          f"{weighted} bytes; the trace says {t['allocated_bytes']}, the "
          f"program {sum(line[2] for line in said if line[0] == 'alloc')}")
    expect("so does the trace",
           abs(weighted - t["allocated_bytes"]) <= len(allocs) / 2)


def attach():
    """Start bpftrace; None: there is no way to."""
    with open("bpftrace.out", "w") as out, open("bpftrace.err", "w") as err:
        tracer = subprocess.Popen(["bpftrace", "-f", "json", "-e",
                                   BPFTRACE.format(lib=LIB, stop=STOP)],
                                  stdout=out, stderr=err)
    for _ in range(600):
        with open("bpftrace.out") as out:
            if '"ready' in out.read():
                return tracer
        if tracer.poll() is not None:
            return None
        time.sleep(0.1)
    tracer.kill()
    sys.exit("bpftrace does not begin")


def counted(tracer):
    """End bpftrace; return what it counted."""
    subprocess.run([STOP])
    tracer.wait(60)
    maps = {}
    with open("bpftrace.out") as out:
        for line in out:
            if line.startswith('{"type": "map"'):
                maps.update(json.loads(line)["data"])
    return maps


def run(command, options, behind=""):
    """Run a program; return what it and its children recorded or lost: how
    many events, and the bytes that were allocated."""
    name, what = command.split()
    subprocess.run([f"{HOST}/{name}", what], check=True,
                   stdout=subprocess.DEVNULL,
                   env=dict(os.environ, LD_PRELOAD=f"{LIB} {behind}",
                            MEMTRACE=f"out=traced.%p.zst,{options}"))
    events = size = 0
    for trace in glob.glob("traced.*.zst"):
        r = report(trace)
        events += r["totals"]["events"] + r["lost"]["events"]
        size += r["totals"]["allocated_bytes"]
        os.unlink(trace)
    print(f"{command}, {options}: {events} events, {size} bytes")
    return events, size


def check_in_kernel():
    """bpftrace counts what the traces have of threads, of a child, of handlers
    in the midst of hooks; and nothing of what was not recorded."""
    tracer = attach()
    if not tracer:
        with open("bpftrace.err") as err:
            print(f"skipped: bpftrace cannot trace here: {err.read()}")
        return
    try:
        runs = [run("sampled threads", "leaks=off"),
                run("sampled threads", "start=off"),
                run("sampled threads", "out=/none/there/is.zst"),
                run("sampled sites", f"sample={RATE},seed=1"),
                run("sampled fork", f"sample={RATE},seed=1"),
                run("signals numbers", "leaks=off",
                    f"{HOST}/libsafealloc.so")]
        events, size = map(sum, zip(*runs))
        maps = counted(tracer)
    finally:
        tracer.kill()
    print(f"bpftrace was told {maps}")
    expect(f"of {events} events", maps["@allocs"] + maps["@frees"] == events)
    expect(f"of {size} bytes",
           abs(maps["@weighted"] - size) <= maps["@allocs"] / 2)


shutil.copy(os.environ["LIB"], LIB)
shutil.copy(f"{HOST}/probed", STOP)
check_kinds()
check_sample()
check_in_kernel()
