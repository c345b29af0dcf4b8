# SPDX-License-Identifier: MIT
"""Watch services under load for a long time: nothing drifts, nothing is lost.

soak.py SECONDS: redis-server under redis-benchmark, and a program whose threads
come and go, each with the smallest trace there is; `live` on a terminal and a
scraped `serve` watch them, `ctl` has snapshots taken. Prints a table of what
was measured, its first and last values after the warm-up; each line of it is a
check. $LIB, $REPORT and $HOST are used.
"""

import json
import math
import os
import re
import signal
import statistics
import struct
import subprocess
import sys
import time

from served import HOST, LIB, REPORT, Server, fail, metrics_of, of, until

SIZE = 1 << 20
PAGE = os.sysconf("SC_PAGESIZE")
KIB = 1024
HZ = os.sysconf("SC_CLK_TCK")
# A tenth of the time is left out at the beginning.
WARM_UP = 0.1
KEYS = 2000
# What the segments take that are open at once, 446 KB each, is never given
# back: on a busy machine there may come some more.
OPEN = 2 * 1024 * KIB
# When folding overtakes `live` it reads the trace anew beside what it has: so
# much more once, and no more in a minute than in 20 s.
ANEW = 16 * 1024 * KIB
# What clients do all the time: in a bounded number of keys, each bounded.
LOADS = ("SET text:__rand_int__ text-of-__rand_int__ EX 2",
         "GET text:__rand_int__",
         "SET number:__rand_int__ 1 PX 700",
         "RPUSH list:__rand_int__ element",
         "LTRIM list:__rand_int__ -20 -1",
         "HSET hash:__rand_int__ field __rand_int__",
         "ZADD scores 1 member:__rand_int__",
         "DEL hash:__rand_int__ text:__rand_int__")
# Offsets in the live file's head: man/memtrace-format.5.
META_BYTES, PCS, NODES = 48, 56, 64
PC_BYTES, NODE_BYTES = 16, 8


def report(*args):
    out = subprocess.run((REPORT,) + args, capture_output=True, text=True)
    if out.returncode or out.stderr:
        fail(f"{args}: status {out.returncode}: {out.stderr}")
    return json.loads(out.stdout)


def proc(pid, name):
    with open(f"/proc/{pid}/{name}", encoding="utf-8",
              errors="replace") as f:
        return f.read()


def resident(pid):
    return int(proc(pid, "statm").split()[1]) * PAGE


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def cpu_seconds(pid):
    field = proc(pid, "stat").rsplit(")", 1)[1].split()
    return sum(int(x) for x in field[11:15]) / HZ


def mapped(pid, *names):
    """Resident bytes of the mappings of files whose names hold one of these."""
    total, ours = 0, False
    for line in proc(pid, "smaps").splitlines():
        if re.match(r"[0-9a-f]+-[0-9a-f]+ ", line):
            ours = any(name in line for name in names)
        elif ours and line.startswith("Rss:"):
            total += int(line.split()[1]) * KIB
    return total


def size_class(size):
    """What jemalloc makes of a size: four classes a doubling, from 128 on."""
    if size <= 8:
        return 8
    step = 16
    while size > 8 * step:
        step *= 2
    return -(-size // step) * step


def most_meta_log(seconds):
    """The first 16,384 threads have three records each; those of the resident
    set, 100 a second, become half as many each time there are 8,192 more."""
    return (16384 * 72 + 8192 * 32 * (1 + math.log2(1 + seconds / 80)) +
            64 * KIB)


class Service:
    """A recorded program with the smallest trace."""

    def __init__(self, name, *command, **how):
        env = dict(os.environ, LD_PRELOAD=LIB, MALLOC_CONF="narenas:1",
                   MEMTRACE=f"out=traces/{name}.zst,size={SIZE},leaks=off")
        self.name, self.trace = name, f"traces/{name}.zst"
        self.process = subprocess.Popen(command, env=env,
                                        stderr=subprocess.PIPE, **how)
        self.pid = self.process.pid
        until(lambda: os.path.exists(self.trace + ".live"), f"{name} records")

    def head(self, offset):
        with open(self.trace + ".live", "rb") as f:
            f.seek(offset)
            return struct.unpack("<Q", f.read(8))[0]

    def meta_log(self):
        return self.head(META_BYTES)

    def definitions(self):
        return (self.meta_log() + self.head(PCS) * PC_BYTES +
                self.head(NODES) * NODE_BYTES)

    def look(self):
        trace = os.path.getsize(self.trace)
        live = os.path.getsize(self.trace + ".live")
        return {"trace": trace,
                "trace's events": trace - self.definitions(),
                "live file": live - self.meta_log(),
                "resident": resident(self.pid),
                "descriptors": descriptors(self.pid),
                "our mappings": mapped(self.pid, self.trace + ".live",
                                       "libmemtrace") - self.meta_log(),
                "meta log": self.meta_log(),
                "stack nodes": self.head(NODES)}

    def own_bytes(self):
        """What the report says of our memory. A look at it is known for as
        long as the history goes back: here for less than a second."""
        for _ in range(10):
            subprocess.run((REPORT, "ctl", str(self.pid), "snapshot"),
                           check=True, stdout=subprocess.DEVNULL)
            out = subprocess.run((REPORT, "memory", "--json", self.trace),
                                 capture_output=True, text=True)
            if not out.returncode:
                return json.loads(out.stdout)["moments"][-1]["own_bytes"]
        fail(f"{self.name}: {out.stderr}")

    def ended(self):
        err = self.process.stderr.read()
        if self.process.wait(60) or err:
            fail(f"{self.name}: status {self.process.returncode}: {err}")


class Redis(Service):
    socket = "redis.sock"

    def __init__(self):
        super().__init__("redis", "redis-server", "--port", "0",
                         "--unixsocket", self.socket, "--save", "",
                         "--appendonly", "no", "--loglevel", "warning",
                         "--enable-debug-command", "local",
                         stdout=subprocess.DEVNULL)
        until(lambda: os.path.exists(self.socket), "redis listens")
        self.loads = []

    def ask(self, *words):
        return subprocess.run(("redis-cli", "-s", self.socket) + words,
                              check=True, capture_output=True,
                              text=True).stdout

    def info(self, name):
        return int(re.search(rf"^{name}:(\d+)", self.ask("INFO", "all"),
                             re.M)[1])

    def load(self):
        for command in LOADS:
            self.loads.append(subprocess.Popen(
                ["nice", "-n", "5", "redis-benchmark", "-s", self.socket,
                 "-l", "-q", "-n", "100000", "-c", "2", "-P", "4",
                 "-r", str(KEYS)] + command.split(),
                stdout=subprocess.DEVNULL))

    def signal(self, number):
        for load in self.loads:
            load.send_signal(number)

    def used(self):
        """Bytes that redis has, by its own account, beyond ours: while nothing
        happens, a constant."""
        self.signal(signal.SIGSTOP)
        self.ask("DEBUG", "SET-ACTIVE-EXPIRE", "0")
        for _ in range(10):
            before = self.info("used_memory")
            rows = report("top", "--by", "size", "--at", "exit", "-n", "0",
                          "--json", self.trace)["rows"]
            if self.info("used_memory") == before:
                break
        else:
            fail("redis does not stand still")
        ours = sum(size_class(r["size"]) * r["blocks"] for r in rows)
        self.ask("DEBUG", "SET-ACTIVE-EXPIRE", "1")
        self.signal(signal.SIGCONT)
        return before, ours

    def unload(self):
        self.signal(signal.SIGKILL)
        for load in self.loads:
            load.wait()


class Live:
    """`memtrace-report live` on a terminal of tmux's."""

    def __init__(self, pid):
        self.tmux = ("tmux", "-L", f"memtrace-soak-{os.getpid()}", "-f",
                     "/dev/null")
        self.run("new-session", "-d", "-s", "live", "-x", "100", "-y", "30",
                 f"exec '{REPORT}' live {pid}")
        self.pid = int(self.run("display", "-p", "-t", "live", "#{pane_pid}"))

    def run(self, *words):
        return subprocess.run(self.tmux + words, check=True,
                              capture_output=True, text=True).stdout

    def screen(self):
        return self.run("capture-pane", "-p", "-t", "live")

    def close(self):
        subprocess.run(self.tmux + ("kill-server",), capture_output=True)


class Table:
    """What was measured, line by line, and whether it is as it should be."""

    def __init__(self):
        self.lines, self.wrong = [], []

    def line(self, name, first, last, good, bound):
        mark = "" if good else "  WRONG"
        self.lines.append(f"{name:32}{first:>15,.0f}{last:>15,.0f}"
                          f"  {bound}{mark}")
        if not good:
            self.wrong.append(name)

    def drift(self, name, values, share, plus):
        """The last tenth is at most a share and `plus` above the first; the
        least of each counts: a look that comes in the middle of work sees
        what that takes for a moment."""
        n = max(4, len(values) // 10)
        first, last = min(values[:n]), min(values[-n:])
        most = first * (1 + share) + plus
        self.line(name, first, last, last <= most, f"at most {most:,.0f}")

    def most(self, name, values, most):
        self.line(name, values[0], max(values), max(values) <= most,
                  f"at most {most:,.0f}")

    def equal(self, name, first, last):
        self.line(name, first, last, first == last, "the same")

    def show(self):
        print(f"{'':32}{'first':>15}{'last':>15}")
        print("\n".join(self.lines))
        if self.wrong:
            fail("not so: " + ", ".join(self.wrong))


class Soak:
    def __init__(self, seconds):
        os.mkdir("traces")
        self.seconds = seconds
        self.redis = Redis()
        self.comes = Service("comes", f"{HOST}/comes", stdin=subprocess.PIPE)
        self.live = Live(self.redis.pid)
        self.serve = Server("traces")
        self.looks, self.accounts, self.own = [], [], []

    def watchers(self):
        return {"live": self.live.pid, "serve": self.serve.process.pid}

    def look(self):
        """Measure everything once."""
        now = {f"{s.name}: {k}": v for s in (self.redis, self.comes)
               for k, v in s.look().items()}
        for name, pid in self.watchers().items():
            now[f"{name}: resident"] = resident(pid)
            now[f"{name}: descriptors"] = descriptors(pid)
            now[f"{name}: CPU"] = cpu_seconds(pid)
        now["time"] = time.monotonic()
        now["commands"] = self.redis.info("total_commands_processed")
        scraped = metrics_of(self.serve.get("/metrics").bytes.decode())
        for s in (self.redis, self.comes):
            if of(scraped, "memtrace_running", s.pid) != 1:
                fail(f"serve: {s.name} does not run")
        if "running" not in self.live.screen():
            fail(f"live shows {self.live.screen()}")
        self.looks.append(now)

    def checkpoint(self):
        """Hold our account against redis's own, and have our memory noted."""
        self.accounts.append(self.redis.used())
        self.own.append({s.name: s.own_bytes() - s.meta_log()
                         for s in (self.redis, self.comes)})

    def run(self):
        self.redis.load()
        time.sleep(1)
        start = time.monotonic()
        pause = max(2, self.seconds / 30)
        while time.monotonic() < start + self.seconds:
            if time.monotonic() > start + pause * len(self.accounts):
                self.checkpoint()
            self.look()
            time.sleep(1)
        self.checkpoint()
        self.redis.signal(signal.SIGSTOP)

    def rate(self, looks):
        """Commands a second, in the seconds without a checkpoint."""
        rates = [(b["commands"] - a["commands"]) / (b["time"] - a["time"])
                 for a, b in zip(looks, looks[1:])]
        return statistics.median(rates)

    def judge_looks(self, table):
        looks = self.looks[int(len(self.looks) * WARM_UP):]

        def of_all(name):
            return [look[name] for look in looks]

        for s in (self.redis, self.comes):
            trace = of_all(f"{s.name}: trace")
            table.line(f"{s.name}: trace, bytes", trace[0], trace[-1], True,
                       "")
            table.most(f"{s.name}: less definitions",
                       of_all(f"{s.name}: trace's events"), SIZE + 128 * KIB)
            table.most(f"{s.name}: meta log, bytes",
                       of_all(f"{s.name}: meta log"),
                       most_meta_log(self.seconds))
            table.drift(f"{s.name}: live file without it",
                        of_all(f"{s.name}: live file"), 0.02, 512 * KIB)
            table.drift(f"{s.name}: stack nodes",
                        of_all(f"{s.name}: stack nodes"), 0.1, 300)
            table.drift(f"{s.name}: our mappings without it",
                        of_all(f"{s.name}: our mappings"), 0.02, 512 * KIB)
            own = [o[s.name] for o in self.own]
            table.drift(f"{s.name}: our memory without it",
                        own[int(len(own) * WARM_UP):], 0.02, OPEN)
        for name in ("redis", "comes", "live", "serve"):
            table.drift(f"{name}: resident", of_all(f"{name}: resident"),
                        0.05, ANEW if name == "live" else OPEN)
            table.drift(f"{name}: descriptors",
                        of_all(f"{name}: descriptors"), 0, 2)
        n = max(3, len(looks) // 10)
        rates = self.rate(looks[:n]), self.rate(looks[-n:])
        table.line("redis: commands a second", *rates,
                   rates[1] > 0.5 * rates[0], "at least half")
        for name in self.watchers():
            cpu = of_all(f"{name}: CPU")
            spent = (cpu[-1] - cpu[0]) / (looks[-1]["time"] - looks[0]["time"])
            print(f"{name}: {spent:.3f} s of CPU time a second")

    def judge_accounts(self, table):
        accounts = self.accounts[int(len(self.accounts) * WARM_UP):]
        off = [ours - used for used, ours in accounts]
        table.line("redis: used_memory", accounts[0][0], accounts[-1][0],
                   True, "")
        table.line("redis: live by us, less that", off[0], off[-1],
                   max(off) - min(off) <= 16 * KIB,
                   f"within {max(off) - min(off):,} bytes")

    def judge_end(self, table):
        """End the services; what all say of them then is the same."""
        self.redis.unload()
        subprocess.run(("redis-cli", "-s", self.redis.socket, "shutdown",
                        "nosave"), capture_output=True)
        self.redis.ended()
        self.comes.process.stdin.close()
        self.comes.ended()
        until(lambda: "it has ended" in self.live.screen(), "live: the end")
        scraped = self.serve.metrics()
        for s in (self.redis, self.comes):
            subprocess.run(("zstd", "-tq", s.trace), check=True)
            said = report("--json", s.trace)
            table.equal(f"{s.name}: allocations, by serve",
                        said["totals"]["allocations"],
                        of(scraped, "memtrace_heap_allocations_total", s.pid))
            table.equal(f"{s.name}: bytes in use, by serve",
                        said["exit"]["bytes"],
                        of(scraped, "memtrace_heap_inuse_bytes", s.pid))
            table.equal(f"{s.name}: peak, by serve", said["peak"]["bytes"],
                        of(scraped, "memtrace_heap_peak_bytes", s.pid))
            table.equal(f"{s.name}: lost, damaged, odd", 0,
                        sum(said["lost"].values()) +
                        sum(said["anomalies"].values()) +
                        bool(said["damage"]) + len(said["problems"]))
            table.line(f"{s.name}: events, of them folded",
                       said["totals"]["events"],
                       said["history"]["folded_events"],
                       said["history"]["folded_events"] > 0, "some")
            if s is self.redis:
                blocks = re.search(r"in ([0-9,]+) blocks", self.live.screen())
                table.equal("redis: blocks in use, by live",
                            said["exit"]["blocks"],
                            int(blocks[1].replace(",", "")))

    def close(self):
        self.live.close()
        for p in [self.redis.process, self.comes.process,
                  self.serve.process] + self.redis.loads:
            if p.poll() is None:
                p.kill()


def main():
    soak, table = Soak(float(sys.argv[1])), Table()
    try:
        soak.run()
        soak.judge_looks(table)
        soak.judge_accounts(table)
        soak.judge_end(table)
        table.show()
    finally:
        soak.close()


main()
