# SPDX-License-Identifier: MIT
"""The truth suite's cases: what each states, built, run and judged; run and
bench, beside this, are made of it. case.h says what a case is."""

import glob
import json
import os
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.environ.get("MT_BUILD", HERE + "/../../build")
LIB = BUILD + "/libmemtrace.so"
REPORT = BUILD + "/memtrace-report"
LOST = ("definite", "indirect")
KINDS = (*LOST, "possible", "held_at_exit")
CASE = re.compile(r"/\* Expect: ([^/]*?) \*/\nCASE\((\w+)\)")
PART = re.compile(r"(?P<n>\d+) (?P<count>process|unchecked)|(?P<any>\w+) any|"
                  r"(?P<kind>\w+) (?P<blocks>\d+) blocks? (?P<bytes>\d+) bytes"
                  r"(?: in (?P<function>\w+))?|none")


class Case:
    """A case, and what it states."""

    def __init__(self, source, name, text):
        self.source, self.name, self.text = source, name, text
        self.want = {kind: (0, 0) for kind in KINDS}
        self.functions, self.any = [], []
        self.count = {"process": 1, "unchecked": 0}
        for part in re.sub(r"\s+\*?\s*", " ", text).split("; "):
            m = PART.match(part)
            if not m or (m["kind"] or m["any"] or KINDS[0]) not in KINDS:
                sys.exit(f"{source}: {name}: what is '{part}'?")
            if m["count"]:
                self.count[m["count"]] = int(m["n"])
            elif m["any"]:
                self.any.append(m["any"])
            elif m["kind"]:
                self.want[m["kind"]] = int(m["blocks"]), int(m["bytes"])
                if m["function"]:
                    self.functions.append((m["kind"], m["function"]))

    @property
    def lost(self):
        return sum(self.want[kind][0] for kind in LOST)

    @property
    def doubtful(self):
        """Blocks that may be called lost by who cannot know better."""
        if "held_at_exit" in self.any:
            return sys.maxsize
        return self.want["held_at_exit"][0] + self.want["possible"][0]


def read_cases(part=""):
    """List the cases whose names have a part."""
    found = []
    for source in sorted(glob.glob(HERE + "/*.c") + glob.glob(HERE + "/*.cc")):
        with open(source, encoding="utf-8") as file:
            text = file.read()
        cases = CASE.findall(text)
        if len(cases) != text.count("\nCASE("):
            sys.exit(f"{source}: a CASE without its Expect")
        found += [Case(source, name, want) for want, name in cases
                  if part in name]
    return found


def start_builds(compiler, level, directory):
    """Start building all sources into a directory."""
    for source in glob.glob(HERE + "/*.c") + glob.glob(HERE + "/*.cc"):
        base, suffix = os.path.splitext(os.path.basename(source))
        cc = compiler
        if suffix == ".cc":
            cc = {"gcc": "g++", "clang": "clang++"}.get(cc, cc)
        plugin = base == "plugin"
        yield subprocess.Popen(
            [cc, "-g", "-w", level, source, "-pthread", "-o",
             f"{directory}/{base}" + ".so" * plugin] +
            ["-shared", "-fPIC"] * plugin)


def build_programs(build, directory):
    """Build all sources, as COMPILER:LEVEL says, into a directory."""
    for compiler in list(start_builds(*build.split(":"), directory)):
        if compiler.wait():
            sys.exit("cannot build the cases")


def program_of(directory, case):
    """Return the program that a case is in."""
    base = os.path.splitext(os.path.basename(case.source))[0]
    return f"{directory}/{base}"


def run_program(*argv, **env):
    """Return (status, stdout, stderr) of a command."""
    with subprocess.Popen(argv, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE,
                          env={**os.environ, **env}) as process:
        out, err = process.communicate(timeout=60)
    return process.returncode, out, err


def read_verdict(traces):
    """Add up the verdicts of some traces."""
    got = {kind: [0, 0] for kind in KINDS}
    got.update(process=0, unchecked=0, functions=set())
    for trace in sorted(traces):
        one = json.loads(subprocess.run(
            [REPORT, "leaks", "--json", trace], check=True,
            stdout=subprocess.PIPE).stdout)
        got["process"] += 1
        got["unchecked"] += one["checked"] is not True
        for kind in KINDS:
            got[kind][0] += one[kind]["blocks"]
            got[kind][1] += one[kind]["bytes"]
        got["functions"] |= {(leak["kind"], leak["function"])
                             for leak in one["leaks"]}
    return got


def compare(case, got):
    """List what is wrong with a verdict."""
    wrong = []
    for kind, want in case.want.items():
        if kind not in case.any and tuple(got[kind]) != want:
            wrong.append(f"{kind} {got[kind][0]}/{got[kind][1]}, "
                         f"not {want[0]}/{want[1]}")
    for what, want in case.count.items():
        if got[what] != want:
            wrong.append(f"{what} {got[what]}, not {want}")
    for kind, function in case.functions:
        if (kind, function) not in got["functions"]:
            wrong.append(f"no {kind} leak in {function}")
    return wrong


def record(*argv, scratch):
    """Record a command; return what it did, and the verdict."""
    did = run_program(*argv, LD_PRELOAD=LIB, MEMTRACE=f"out={scratch}/%p.zst")
    return did, read_verdict(glob.glob(scratch + "/*.zst"))


def count_false(case, got):
    """Count the blocks that are called lost and are not."""
    return sum(max(0, got[kind][0] - case.want[kind][0])
               for kind in LOST if kind not in case.any)


def judge_case(directory, case):
    """Run a case; return what is wrong, blocks lost, found, and false."""
    program = program_of(directory, case)
    plain = run_program(program, case.name)
    with tempfile.TemporaryDirectory(dir=directory) as scratch:
        recorded, got = record(program, case.name, scratch=scratch)
    wrong = [] if plain == recorded else ["output or status changed"]
    wrong += compare(case, got)
    found = sum(min(got[kind][0], case.want[kind][0]) for kind in LOST)
    return wrong, case.lost, found, count_false(case, got)
