# SPDX-License-Identifier: MIT
"""What the cases about samples share: tests/host/sampled.c, recorded.

$LIB and $REPORT are used. Each run has a seed of its own, so that the same
blocks are sampled every time a case is run.
"""

import glob
import json
import math
import os
import subprocess
import sys

PROGRAM, RUNS = sys.argv[1], int(sys.argv[2])
RATE = 512 << 10


def expect(what, is_so):
    if not is_so:
        sys.exit(f"not so: {what}")


def environment(options):
    return dict(os.environ, LD_PRELOAD=os.environ["LIB"],
                MEMTRACE=f"out=trace.%p.zst,{options}")


def clean():
    for name in glob.glob("trace.*"):
        os.unlink(name)


def record(what, options):
    """Run the program; return what it says of each site, and its traces."""
    clean()
    child = subprocess.Popen([PROGRAM, what], stdout=subprocess.PIPE,
                             text=True, env=environment(options))
    out = child.communicate()[0]
    expect(f"{what} ends with 0", child.returncode == 0)
    truth = {site: (int(size), int(blocks)) for site, size, blocks in
             (line.split() for line in out.splitlines())}
    own = f"trace.{child.pid}.zst"
    return truth, own, [t for t in glob.glob("trace.*.zst") if t != own]


def report(trace, *args):
    out = subprocess.run([os.environ["REPORT"], *args, "--json", trace],
                         check=True, stdout=subprocess.PIPE,
                         stderr=subprocess.DEVNULL, text=True)
    return json.loads(out.stdout)


def refused(trace, *args):
    """Run the report; return its status and what it says."""
    done = subprocess.run([os.environ["REPORT"], *args, trace],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True)
    return done.returncode, done.stdout + done.stderr


def least(n, sigmas):
    """How many of n intervals of 95 % hold the truth, chance allowed for."""
    return math.floor(0.95 * n - sigmas * math.sqrt(0.95 * 0.05 * n))
