# SPDX-License-Identifier: MIT
"""Hold each view of samples against the same view of a full recording.

sampled_views.py PROGRAM RUNS: of each row that the full recording has, the
estimates of RUNS samples are right in the mean, and their intervals hold the
true figure in 95 % of them, as far as chance allows.
"""

import csv
import gzip
import io
import json
import math
import os
import re
import sqlite3
import subprocess

from sampled import RATE, RUNS, expect, least, record, refused, report

FULL = "leaks=off"


def recorded(name, what, options):
    """Record the program to a file of a name."""
    _, trace, _ = record(what, options)
    os.replace(trace, name)
    return name


def by(table, keys, figures):
    """The rows of a table by what names them, as a reader of a report."""
    return lambda r: {
        (table, *(row[k] for k in keys), figure): row
        for row in r[table] for figure in figures}


def tree(r):
    """A node is known by the names from main on."""
    path, found = {0: ()}, {}
    for row in r["nodes"]:
        path[row["id"]] = path[row["parent"]] + (row["function"],)
        for figure in ("bytes", "blocks"):
            found[("nodes", *path[row["id"]], figure)] = row
    return found


def site(row):
    return row["function"], row["line"]


LINES = by("lines", ("file", "line"), ("own_bytes", "bytes", "blocks"))
NAMES = "^(small|mixed|large|zeroed|grown|aligned)$"

# What is asked, and how its answer is taken apart. Not the peak, which is the
# highest of the estimates.
VIEWS = {
    "tree": (["tree", "--callees", "--at", "exit"], tree),
    "allocated": (["tree", "--at", "total"], tree),
    "peek": (["peek", "^sites$", "--at", "exit"],
             by("callees", ("function",), ("bytes", "blocks"))),
    "list": (["list", NAMES, "--at", "exit"], LINES),
    "calls": (["list", "^churned$", "--at", "total"], LINES),
    "sizes": (["sizes"],
              by("classes", ("max_size",),
                 ("allocations", "allocated_bytes", "exit_blocks"))),
    # How long they lived is another time in each run, but of those that live.
    "lifetimes": (["lifetimes"],
                  lambda r: {("not freed", figure): row for row in r["times"]
                             if row["freed"] == "not freed"
                             for figure in ("blocks", "bytes")}),
    "threads": (["threads"],
                lambda r: {("thread", figure): r["threads"][0] for figure in
                           ("allocated_bytes", "allocations", "frees",
                            "live_bytes", "live_blocks")}
                | {("pair", figure): r["pairs"][0]
                   for figure in ("blocks", "bytes")}),
    "timeline": (["timeline"],
                 lambda r: {("end", figure): r["buckets"][-1] for figure in
                            ("last_bytes", "last_blocks")}),
    "top": (["top", "--at", "exit"],
            lambda r: {("rows", *site(row), figure): row
                       for row in r["rows"]
                       for figure in ("bytes", "blocks")}),
}


class Figure:
    """A figure of the full recording, and what samples said of it."""

    def __init__(self, truth):
        self.truth, self.held, self.seen = truth, 0, []

    def take(self, row, figure, blind):
        value, low, high = (row.get(figure + end, none) for end, none
                            in zip(("", "_low", "_high"), blind))
        expect(f"{low} <= {value} <= {high}", low <= value <= high)
        self.held += low <= self.truth <= high
        self.seen.append(value)

    def check(self, what):
        runs = len(self.seen)
        mean = sum(self.seen) / runs
        deviation = math.sqrt(sum((x - mean) ** 2 for x in self.seen) / runs)
        expect(f"{what}: held {self.held} of {runs}",
               self.held >= least(runs, 3))
        # What is in few samples has no mean yet.
        expect(f"{what}: mean {mean}, is {self.truth}",
               sum(x > 0 for x in self.seen) < runs / 2
               or abs(mean - self.truth)
               <= 3.5 * deviation / math.sqrt(runs) + 1)


class Figures:
    """The figures of a view."""

    def __init__(self, truth):
        self.of = {key: Figure(n) for key, n in truth.items()}

    def take(self, rows, blind=(0, 0, 3.8 * RATE)):
        """Take what a sample says; of what it has not, what it may be."""
        for key, figure in self.of.items():
            if key in rows or blind:
                figure.take(rows.get(key, {}), key[-1], blind or (0, 0, 0))

    def check(self, what):
        # A chain of callers has the same samples all along.
        several = {tuple(f.seen): f for f in self.of.values()}.values()
        held = sum(f.held for f in several)
        asked = sum(len(f.seen) for f in several)
        print(f"{what}: {len(several)} figures, {held} of {asked} held, "
              f"{100 * held / asked:.1f} %")
        expect(f"{what} has figures", asked)
        for key, figure in self.of.items():
            if figure.seen:
                figure.check(f"{what}: {key}")
        expect(f"{what}: {held} of {asked} held", held >= least(asked, 3))


def live(trace):
    """What each site has live, and all of them."""
    rows = report(trace, "top", "--at", "exit")["rows"]
    sites = {row["function"]: row["bytes"] for row in rows
             if row["bytes"] >= RATE}
    return {"(all)": sum(row["bytes"] for row in rows), **sites}


def changes(r):
    return {(row["name"], figure): row for row in r["rows"]
            for figure in ("old", "new", "change")}


def verdicts(r):
    return {row["name"]: row["verdict"] for row in r["rows"]}


class Diffs:
    """Diffs of samples: of a program with itself, and with one that grew."""

    ARGS = ("diff", "--at", "exit")

    def __init__(self):
        old, new = live("full.zst"), live("more.zst")
        truth = {(name, figure): n for name in new for figure, n in
                 (("old", old[name]), ("new", new[name]),
                  ("change", new[name] - old[name]))}
        self.both, self.half = Figures(truth), Figures(truth)
        self.alarms = self.asked = 0
        self.found = {"grew": 0, "shrank": 0, "noise": 0}

    def take(self, seed):
        one = recorded("one.zst", "sites", f"sample={RATE},seed={seed}")
        other = recorded("other.zst", "sites",
                         f"sample={RATE},seed={1000 + seed}")
        more = recorded("grown.zst", "more",
                        f"sample={RATE // 8},seed={2000 + seed}")
        # What is quite the same in both has no row.
        self.both.take(changes(report(more, *self.ARGS, one)), None)
        self.half.take(changes(report(more, *self.ARGS, "full.zst")), None)
        same = verdicts(report(other, *self.ARGS, one))
        self.alarms += sum(v != "noise" for v in same.values())
        self.asked += len(same)
        fine = recorded("fine.zst", "sites",
                        f"sample={RATE // 8},seed={3000 + seed}")
        self.found[verdicts(report(more, *self.ARGS, fine))["small"]] += 1

    def check(self):
        print(f"diff: {self.alarms} of {self.asked} rows of the same program "
              f"are called changed; of what doubled {self.found}")
        self.both.check("diff of samples")
        self.half.check("diff with a full recording")
        expect(f"{self.alarms} false alarms of {self.asked}",
               self.alarms <= 0.06 * self.asked)
        expect(f"what doubled grew: {self.found}",
               self.found["grew"] >= least(RUNS, 2))


def true_figures(rows):
    return {key: row[key[-1]] for key, row in rows.items() if row[key[-1]]}


def check_views():
    """All views of the same samples, and diffs between them."""
    recorded("full.zst", "sites", FULL)
    recorded("more.zst", "more", FULL)
    figures = {name: Figures(true_figures(parse(report("full.zst", *args))))
               for name, (args, parse) in VIEWS.items()}
    diffs = Diffs()
    for seed in range(1, RUNS + 1):
        diffs.take(seed)
        for name, (args, parse) in VIEWS.items():
            figures[name].take(parse(report("one.zst", *args)))
    for name, of in figures.items():
        of.check(name)
    diffs.check()


def check_sums():
    """Rows add up to their total, and its interval is not their sum."""
    r = report("one.zst", "tree", "--callees", "--at", "exit")
    whole = r["nodes"][0]
    rows = {}
    for row in r["nodes"]:
        rows.setdefault(row["parent"], []).append(row)
    for row in r["nodes"]:
        below = rows.get(row["id"])
        expect("children add up", not below or row["bytes"]
               == sum(child["bytes"] for child in below))
    leaves = [row for row in r["nodes"] if row["id"] not in rows]
    expect("the whole is known better than its parts",
           whole["bytes_high"] - whole["bytes_low"]
           < sum(row["bytes_high"] - row["bytes_low"] for row in leaves))


def check_forms():
    """Text has the +-, CSV the ends; of a full recording nothing has."""
    for args in (["tree"], ["peek", "sites"], ["list", "small"], ["sizes"],
                 ["lifetimes"], ["threads"], ["timeline", "-n", "5"],
                 ["diff", "one.zst"], ["diff", "full.zst"]):
        status, said = refused("one.zst", *args)
        expect(f"{args}: {said}", status == 0 and " +- " in said
               and "sampled: 1 in 512.0 KiB; figures are estimates" in said)
        _, said = refused("one.zst", *args, "--csv")
        head = next(csv.reader(io.StringIO(said)))
        expect(f"{args}: {head}", sum(k.endswith("_low") for k in head)
               == sum(k.endswith("_high") for k in head) > 0)
    for args in (["tree"], ["peek", "sites"], ["list", "small"], ["sizes"],
                 ["lifetimes"], ["threads"], ["timeline", "-n", "5"],
                 ["diff", "full.zst"]):
        status, said = refused("full.zst", *args)
        expect(f"{args}: {said}", status == 0 and "+-" not in said)
        _, said = refused("full.zst", *args, "--csv")
        expect(f"{args}: {said}", "_low" not in said)


def check_lifetimes():
    """The quantiles have intervals; what was allocated meanwhile is in none."""
    r = report("one.zst", "lifetimes")
    expect("quantiles", all(q["under_ns_low"] <= q["under_ns"]
                            <= q["under_ns_high"] for q in r["quantiles"]))
    expect("no bytes meanwhile", "allocated_meanwhile" not in r)
    full = report("full.zst", "lifetimes")
    expect("a full recording has them", "allocated_meanwhile" in full
           and "under_ns_low" not in full["quantiles"][0])
    _, said = refused("one.zst", "timeline")
    peak = next(line for line in said.splitlines() if line.startswith("peak"))
    expect(f"the peak: {peak}", peak.count(" +-") == 2)


def check_diff_text():
    """Text says what is noise, and what grew is above it."""
    status, said = refused("other.zst", "diff", "--at", "exit", "one.zst")
    expect(f"noise: {said}", status == 0
           and "~: within the noise of the samples" in said
           and all(" ~ " in line for line in said.splitlines()
                   if line.endswith(("small", "mixed", "(all)"))))
    _, said = refused("grown.zst", "diff", "--at", "exit", "fine.zst")
    rows = said.splitlines()
    first = next(i for i, line in enumerate(rows) if "change" in line) + 1
    expect(f"growth stands first: {said}", rows[first].endswith("small")
           and " ~ " not in rows[first])
    _, said = refused("full.zst", "diff", "--at", "exit", "--sort", "blocks",
                      "one.zst")
    expect(f"of blocks: {said}", " +- " in said)


def exported(name):
    """Export the sample in a format; the text of the file, or its name."""
    done = subprocess.run([os.environ["REPORT"], "export", "-f", name, "-o",
                           f"x.{name}", "one.zst"], stderr=subprocess.PIPE,
                          text=True)
    expect(f"{name}: {done.stderr}", done.returncode == 0)
    if name in ("pprof", "sqlite"):
        return f"x.{name}"
    with open(f"x.{name}", encoding="utf-8") as f:
        return f.read()


def check_exports():
    """Each format has the estimates, and says so where it can."""
    r = report("one.zst")
    peak, end = r["peak"]["bytes"], r["exit"]["bytes"]
    all_bytes = r["totals"]["allocated_bytes"]
    said = f"sampled: 1 in {RATE} bytes; values are estimates"
    equal = []

    folded = exported("folded")
    equal.append(("folded", peak, sum(int(line.rsplit(" ", 1)[1])
                                      for line in folded.splitlines())))
    speedscope = json.loads(exported("speedscope"))
    expect("speedscope says it", said in speedscope["name"])
    equal += [("speedscope", n, sum(p["weights"])) for n, p in
              zip((peak, end, all_bytes), speedscope["profiles"])]
    callgrind = exported("callgrind")
    expect("callgrind says it", said in callgrind)
    equal.append(("callgrind", f"{peak} {end} {all_bytes}",
                  " ".join(re.search("totals: (.*)", callgrind)[1]
                           .split()[:3])))
    massif = exported("massif")
    expect("massif says it", said in massif)
    live = [int(n) for n in re.findall("mem_heap_B=([0-9]+)", massif)]
    trees = [int(n) for n in re.findall("^n[0-9]+: ([0-9]+)", massif, re.M)]
    equal += [("massif", peak, max(live)), ("massif", end, live[-1]),
              ("massif's trees", [peak, end], trees)]
    dhat = json.loads(exported("dhat"))
    expect("dhat says it", said in dhat["mode"])
    equal += [("dhat", n, sum(p[key] for p in dhat["pps"])) for n, key in
              ((all_bytes, "tb"), (peak, "gb"), (end, "eb"))]
    expect("dhat: no more at the peak than ever",
           all(p["mb"] >= p["gb"] and p["mbk"] >= p["gbk"]
               for p in dhat["pps"]))
    chrome = json.loads(exported("chrome"))["traceEvents"]
    expect("chrome says it", said in chrome[0]["args"]["labels"])
    equal.append(("chrome", peak, max(e["args"]["bytes"] for e in chrome
                                      if e["name"] == "live bytes")))
    expect("svg says it", said in exported("svg"))
    check_pprof(exported("pprof"), said, end, all_bytes)
    check_sqlite(exported("sqlite"), r)
    for name in ("prometheus", "openmetrics"):
        expect(f"{name} says it", re.search(
            f"sample_interval_bytes.* {RATE}$", exported(name), re.M))
    for name, truth, n in equal:
        expect(f"{name}: {n}, not {truth}", n == truth)
    status, why = refused("one.zst", "export", "-f", "heaptrack")
    expect(f"heaptrack: {why}", status == 1 and "needs every block" in why)


def check_pprof(name, said, end, all_bytes):
    with gzip.open(name) as f:
        expect("pprof says it", said.encode() in f.read())
    r = report(name)
    expect("pprof has the estimates", r["exit"]["bytes"] == end
           and r["totals"]["allocated_bytes"] == all_bytes)


def check_sqlite(name, r):
    """Its sums are the report's, and so is what variances come to."""
    db = sqlite3.connect(name)

    def of(sql):
        return db.execute(sql).fetchone()

    expect("rate", of("SELECT value FROM meta WHERE key = 'rate_bytes'")
           == (RATE,))
    expect("rows", of("SELECT sum(peak_bytes), sum(exit_bytes) FROM rows")
           == (r["peak"]["bytes"], r["exit"]["bytes"]))
    expect("timeline", of("SELECT max(max_bytes) FROM timeline")
           == (r["peak"]["bytes"],))
    expect("lifetimes", of("SELECT sum(blocks) FROM histogram_lifetimes")
           == (r["totals"]["allocations"],))
    off = 1.96 * math.sqrt(of("SELECT sum(exit_bytes) FROM variances")[0])
    wide = (r["exit"]["bytes_high"] - r["exit"]["bytes_low"]) / 2
    expect(f"variances: {off}, {wide}", abs(off - wide) < 0.1 * wide)
    expect("a full recording has none", not sqlite_of("full.zst"))


def sqlite_of(trace):
    subprocess.run([os.environ["REPORT"], "export", "-f", "sqlite", "-o",
                    "x.full", trace], check=True)
    return sqlite3.connect("x.full").execute(
        "SELECT count(*) FROM variances").fetchone()[0]


check_views()
check_sums()
check_forms()
check_lifetimes()
check_diff_text()
check_exports()
