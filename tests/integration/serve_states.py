# SPDX-License-Identifier: MIT
"""What `memtrace-report serve` keeps between answers; see serve_states.sh.

A program is stopped at random moments, wherever its threads are just then.
What is served of it is then held against a report that replays the whole.
"""

import gzip
import os
import re
import signal
import subprocess
import time

from served import HOST, Recorded, Server, check, metrics_of, report

PAGES = (("heap", ()), ("allocs", ("--at", "total")), ("peak", ("--at", "peak")))
# Of metrics, what depends on when they are gathered, and on the process.
OTHERS = ("process_", "memtrace_running", "memtrace_gathered")


def plain(text):
    """Samples without the labels that tell processes apart."""
    return {re.sub(r'pid="\d+",program="[^"]*",?', "", key).replace("{}", ""):
            value for key, value in metrics_of(text).items()
            if key != "types" and not key.startswith(OTHERS)}


def in_order(fresh, served):
    """The first line that differs of two profiles as text."""
    for a, b in zip(fresh, served):
        if a != b:
            return f"{a}, served {b}"
    return f"{len(fresh)} lines, served {len(served)}"


def samples(bytes_):
    """A profile as lines, to say what is wrong with it."""
    with open("compared.pb.gz", "wb") as f:
        f.write(bytes_)
    return report("--csv", "-n", "0", "compared.pb.gz").decode().splitlines()


def close(fresh, served, key):
    """Of a bounded trace the recorder has sorted lifetimes by a clock that it
    knew less well."""
    return "lifetime_seconds_bucket" in key and \
        abs(fresh - served) <= 2 + fresh / 1000


def fresh_profiles(trace, folds):
    """Profiles of the whole. `export` tells sizes and threads apart, and so
    has of a folded trace the rest only."""
    if not folds:
        return [report("export", "-f", "pprof", *options, trace)
                for _, options in PAGES]
    server = Server(trace)
    fresh = [server.get(f"/debug/pprof/{page}").bytes for page, _ in PAGES]
    server.end()
    return fresh


def compare(server, trace, pid, folds):
    """Hold all that is served of a stopped program against a fresh replay."""
    for (page, _), fresh in zip(PAGES, fresh_profiles(trace, folds)):
        served = server.get(
            f"/debug/pprof/{page}?pid={pid}&{time.monotonic()}").bytes
        if gzip.decompress(fresh) != gzip.decompress(served):
            check(False, f"{trace}: {page}: "
                  + in_order(samples(fresh), samples(served)))
    served = [line for line in server.fresh("/metrics").splitlines()
              if line.startswith("#") or f'pid="{pid}"' in line]
    served = plain("\n".join(served))
    fresh = plain(report("export", "-f", "prometheus", trace).decode())
    check(fresh.keys() == served.keys(),
          f"{trace}: metrics: {fresh.keys() ^ served.keys()}")
    last = server.__dict__.setdefault("last", {}).setdefault(pid, {})
    for key, value in fresh.items():
        # Once events are folded, sizes come when they are sealed, but what was
        # said stays so: no counter falls.
        if folds and "allocation_size" in key:
            value = max(value, last.get(key, 0))
        check(value == served[key] or
              (folds and close(value, served[key], key)),
              f"{trace}: {key}: {value}, served {served[key]}")
    last.update(served)


def state_of(pid):
    with open(f"/proc/{pid}/stat", encoding="utf-8") as f:
        return f.read().rsplit(")", 1)[1].split()[0]


def stop(program):
    program.process.send_signal(signal.SIGSTOP)
    while state_of(program.pid) != "T":
        time.sleep(0.001)


def run_for(program, seconds):
    program.process.send_signal(signal.SIGCONT)
    time.sleep(seconds)
    stop(program)


def begin(directory, *command, options=""):
    """Start a program, and stop it once it has a trace."""
    program = Recorded(directory, *command, options=options)
    while not os.path.exists(program.trace):
        time.sleep(0.01)
    time.sleep(0.1)
    stop(program)
    return program


def check_threads(directory):
    """Several threads, of which some end; two programs, which run in turn."""
    programs = [begin(directory, f"{HOST}/busy", "4", "2000"),
                begin(directory, f"{HOST}/busy", "3", "3000", "0.15")]
    server = Server(directory)
    for i in range(8):
        program = programs[i % 2]
        run_for(program, (0.02, 0.1, 0.3)[i % 3])
        compare(server, program.trace, program.pid, False)
    for program in programs:
        program.process.kill()
        program.process.wait()
        compare(server, program.trace, program.pid, False)
    server.end()


def check_hot(directory):
    """Threads that are stopped in the middle of what they do."""
    program = begin(directory, f"{HOST}/busy", "6", "0")
    server = Server(program.trace)
    for _ in range(5):
        run_for(program, 0.02)
        compare(server, program.trace, program.pid, False)
    program.process.kill()
    program.process.wait()
    server.end()


def check_ring(directory, pause, seconds):
    """A trace that is folded between requests; or all of it is."""
    program = begin(directory, f"{HOST}/busy", "3", pause,
                    options=",size=1M")
    server = Server(program.trace)
    folded = 0
    while folded < 3:
        run_for(program, seconds)
        compare(server, program.trace, program.pid, True)
        folded += b'"folded_events"' in report("--json", program.trace)
    program.process.kill()
    program.process.wait()
    compare(server, program.trace, program.pid, True)
    server.end()


def check_sample(directory):
    """Estimates, too, and a rate that is changed meanwhile."""
    program = begin(directory, f"{HOST}/busy", "2", "500",
                    options=",sample=4K")
    server = Server(program.trace)
    for i in range(4):
        run_for(program, 0.2)
        compare(server, program.trace, program.pid, False)
        if i == 1:
            program.process.send_signal(signal.SIGCONT)
            report("ctl", str(program.pid), "rate", "64K")
    program.process.kill()
    program.process.wait()
    server.end()


def check_replaced(directory):
    """Another process writes a trace of the same name."""
    server = Server(f"{directory}/same.zst")
    for _ in range(2):
        for name in os.listdir(directory):
            os.unlink(f"{directory}/{name}")
        told = Recorded(directory, options=f",out={directory}/same.zst")
        told.tell("a 10 100")
        stop(told)
        compare(server, f"{directory}/same.zst", told.pid, False)
        told.process.kill()
        told.process.wait()
    server.end()


def cpu_of(pid):
    """The CPU time in seconds of a process and those under it, that ended or
    not; also of those that its children had."""
    with open(f"/proc/{pid}/stat", encoding="utf-8") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    children = subprocess.run(("pgrep", "-P", str(pid)), check=False,
                              capture_output=True, text=True).stdout.split()
    return sum(int(n) for n in fields[11:15]) / os.sysconf("SC_CLK_TCK") + \
        sum(cpu_of(child) for child in children)


def check_cost(directory):
    """An answer costs what came since the one before it."""
    program = begin(directory, f"{HOST}/busy", "1", "0")
    while os.path.getsize(program.trace) < 30 << 20:
        run_for(program, 0.2)
    time.sleep(0.2)
    server = Server(program.trace)
    spent = []
    for _ in range(4):
        before = cpu_of(server.process.pid)
        server.fresh("/metrics")
        server.get(f"/debug/pprof/allocs?{time.monotonic()}")
        spent.append(cpu_of(server.process.pid) - before)
        run_for(program, 0.001)
        time.sleep(0.2)
    check(spent[0] > 0.2, f"too little to tell: {spent}")
    check(max(spent[2:]) < spent[0] / 4, f"it is all replayed: {spent}")
    program.process.kill()
    program.process.wait()
    server.end()


def check_keeper(directory):
    """Who keeps the states may die: another one replays the whole."""
    told = Recorded(directory)
    told.tell("a 10 100")
    stop(told)
    server = Server(told.trace)
    for _ in range(3):
        compare(server, told.trace, told.pid, False)
        keeper = subprocess.check_output(
            ("pgrep", "-P", str(server.process.pid)), text=True).split()
        check(len(keeper) == 1, f"keepers: {keeper}")
        os.kill(int(keeper[0]), signal.SIGKILL)
        while state_of(keeper[0]) != "Z":
            time.sleep(0.001)
    server.end()
    told.process.kill()
    told.process.wait()


def main():
    for number, case in enumerate((
            check_threads, check_hot, lambda d: check_ring(d, "10000", 0.1),
            lambda d: check_ring(d, "0", 0.4), check_sample, check_replaced,
            check_cost, check_keeper)):
        directory = f"d{number}"
        os.mkdir(directory)
        case(directory)


if __name__ == "__main__":
    main()
