# SPDX-License-Identifier: MIT
"""What the cases share that talk to `memtrace-report serve` and `push`."""

import http.client
import json
import os
import re
import subprocess
import sys
import time

REPORT, LIB, HOST = (os.environ[name] for name in ("REPORT", "LIB", "HOST"))


def fail(text):
    print(text)
    sys.exit(1)


def check(right, text):
    if not right:
        fail(text)


def until(true, what, seconds=20):
    """Wait for something to become true; return it."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = true()
        if value:
            return value
        time.sleep(0.05)
    fail(f"in {seconds} s not: {what}")


class Recorded:
    """A program under the recorder, which is told what to do."""

    def __init__(self, directory, *command, options=""):
        out = f"{os.path.abspath(directory)}/%e.%p.zst"
        env = dict(os.environ, LD_PRELOAD=LIB,
                   MEMTRACE=f"out={out}" + options)
        self.process = subprocess.Popen(
            command or (f"{HOST}/told",), env=env, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE)
        self.pid = self.process.pid
        name = os.path.basename((command or ("told",))[0])
        self.trace = f"{directory}/{name}.{self.pid}.zst"

    def tell(self, line):
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()
        if line != "e":
            check(self.process.stdout.readline() == b"ok\n",
                  f"{line}: no ok")

    def end(self):
        self.tell("e")
        check(self.process.wait(20) == 0, "told: not 0")


class Server:
    """A `memtrace-report serve`, on a port that it chose."""

    def __init__(self, *arguments):
        self.process = subprocess.Popen(
            (REPORT, "serve", "--listen", "0") + arguments,
            stderr=subprocess.PIPE, text=True)
        line = self.process.stderr.readline()
        found = re.search(r"serving on http://127\.0\.0\.1:(\d+)/\n", line)
        check(found, f"serve: says {line}")
        self.port = int(found[1])
        self.asked = 0

    def ask(self, path, method="GET", body=None, **headers):
        c = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        c.request(method, path, body, headers)
        answer = c.getresponse()
        answer.bytes = answer.read()
        c.close()
        return answer

    def get(self, path, status=200, **headers):
        answer = self.ask(path, **headers)
        check(answer.status == status,
              f"{path}: {answer.status} {answer.bytes[:200]}")
        return answer

    def fresh(self, path):
        """An answer that is no other one's: equal requests get one."""
        self.asked += 1
        return self.get(f"{path}?{self.asked}").bytes.decode()

    def metrics(self):
        return metrics_of(self.fresh("/metrics"))

    def traces(self):
        return json.loads(self.fresh("/status"))["traces"]

    def end(self):
        self.process.terminate()
        check(self.process.wait(5) == 0, "serve: not 0 at SIGTERM")


def metrics_of(text):
    """Samples by name and labels; the types of families are in `types`."""
    samples = {}
    samples["types"] = dict(re.findall(r"# TYPE (\S+) (\S+)", text))
    for line in text.splitlines():
        if not line.startswith("#"):
            name, value = line.rsplit(" ", 1)
            check(name not in samples, f"twice: {name}")
            samples[name] = float(value)
    return samples


def of(samples, name, pid):
    """The sum of a metric's samples of a process; None: it has none."""
    found = [value for key, value in samples.items()
             if key.startswith(name + "{") and f'pid="{pid}"' in key]
    return sum(found) if found else None


def is_counter(samples, key):
    """Whether a sample may never fall."""
    name = key.split("{")[0]
    family = re.sub(r"_(bucket|sum|count)$", "", name)
    types = samples["types"]
    return types.get(name) == "counter" or types.get(family) == "histogram"


def report(*arguments):
    """What memtrace-report prints."""
    return subprocess.run((REPORT,) + arguments, check=True,
                          capture_output=True).stdout
