# SPDX-License-Identifier: MIT
"""Hold the recorder's stacks against libunwind's.

stacks.py [OPTIONS] LOG EVENTS: LOG is what tests/host/libunwindcheck.c wrote,
EVENTS what `memtrace-report events` printed of the same process. Thread by
thread the events are paired with the log's calls, in order, by address; where
the log has a stack, both are to be equal, frame by frame: same module, same
offset.

libunwind's stack begins inside of libunwindcheck.so. What the recorder does
not show is taken off: all up to the hook that was called first, so for
operator new also libstdc++'s and the inner hook.

These have a reason, are counted, and are bounded by options of their names,
which are 0 unless given:

 lost      The recorder says that it has no stack: a signal handler came while
           the thread was in a hook (record.c).
 guess     libunwind met code without unwind information. From there outward
           it guesses, by rules of its own (a frame pointer in whatever rbp
           holds, a linkage table): it may find frames that are none, or stop
           where the recorder's own rule for such code leads on. Inward of it,
           and it itself, are equal.
 unpaired  Events of which the log has no call.
 missing   Calls that have no event, since the libraries were set up.

A cut stack is no difference: its 1,024 frames are to be libunwind's. Anything
else fails. At least --least stacks must have been compared (1). --verbose
shows also what has a reason.
"""

import argparse
import array
import bisect
import collections
import os
import sys

GUESSED = 1 << 63
BOUNDED = ("lost", "guess", "unpaired", "missing")
MOST_FRAMES = 1024
OURS = {"libmemtrace.so", "libunwindcheck.so"}
# Calls that come to the allocator through another module, and a second hook.
THROUGH = {"new": "libstdc++.so", "new[]": "libstdc++.so",
           "delete": "libstdc++.so", "delete[]": "libstdc++.so",
           "reallocarray": "libc.so"}
ALLOCS = {"malloc", "calloc", "realloc", "reallocarray", "posix_memalign",
          "aligned_alloc", "memalign", "valloc", "pvalloc", "new", "new[]",
          "realloc_cancel"}
FREES = {"free", "cfree", "free_sized", "free_aligned_sized", "delete",
         "delete[]", "realloc_free"}


class Call:
    """One call in the log."""

    __slots__ = ("key", "modules", "pcs", "paired")

    def __init__(self, key, modules, pcs):
        self.key, self.modules, self.pcs = key, modules, pcs
        self.paired = False


class Event:
    """One event of the trace."""

    __slots__ = ("key", "kind", "stack")

    def __init__(self, key, kind, stack):
        self.key, self.kind, self.stack = key, kind, stack


class Modules:
    """The modules of a time: what is where."""

    def __init__(self, text, exe):
        self.spans = []
        for line in text.splitlines():
            start, end, bias, *path = line.split(" ", 3)
            name = os.path.basename(path[0] if path and path[0] else exe)
            if name == "linux-vdso.so.1":
                name = "[vdso]"
            self.spans.append((int(start, 16), int(end, 16), int(bias, 16),
                               name))
        self.spans.sort()

    def name(self, pc):
        """Return a frame as the events have it."""
        i = bisect.bisect(self.spans, (pc, 1 << 64)) - 1
        if i < 0 or pc > self.spans[i][1]:
            return f"{pc:#x}"
        return f"{self.spans[i][3]}+{pc - self.spans[i][2]:#x}"


def read_log(path):
    """Return the calls of each thread: {tid: [Call]}."""
    words = array.array("Q")
    with open(path, "rb") as f:
        # Only what was written: the rest of the file is a hole.
        end = os.lseek(f.fileno(), 0, os.SEEK_HOLE)
        f.seek(0)
        words.frombytes(f.read(end - end % 8))
    threads = collections.defaultdict(list)
    modules = {}
    exe = ""
    at = 0
    while at < len(words) and words[at]:
        head = words[at]
        kind, n = chr(head & 0xFF), head >> 8 & 0xFFFFFF
        body = words[at + 1:at + n]
        if kind in "em":
            text = body[1:].tobytes().rstrip(b"\0").decode()
            if kind == "e":
                exe = text
            else:
                modules[body[0]] = Modules(text, exe)
        else:
            known = modules.get(body[1]) if len(body) > 2 else None
            threads[head >> 32].append(
                Call((kind, body[0]), known, body[2:] if known else None))
        at += n
    return threads


def strip(frames, kind):
    """Return how many of libunwind's frames are inside of the recorder."""
    through = THROUGH.get(kind, " ")
    n = 0
    for i, frame in enumerate(frames):
        module = frame.rsplit("+", 1)[0]
        if module in OURS:
            n = i + 1
        elif not module.startswith(through):
            break
    return n


class Tally:
    """What came of the comparisons."""

    def __init__(self, verbose):
        self.verbose = verbose
        self.count = collections.Counter()
        self.shown = 0

    def show(self, what, kind, tid, ours, theirs, guessed):
        """Print two stacks side by side; mark what differs."""
        self.shown += 1
        if self.shown > 3:
            return
        print(f"{what}: {kind} by thread {tid}; recorded, by libunwind:")
        first = next((i for i in range(max(len(ours), len(theirs)))
                      if ours[i:i + 1] != theirs[i:i + 1]), 0)
        for i in range(max(0, first - 12),
                       min(first + 12, max(len(ours), len(theirs)))):
            a = ours[i] if i < len(ours) else ""
            b = theirs[i] if i < len(theirs) else ""
            note = " ?" if i < len(guessed) and guessed[i] else ""
            print(f"{i:5} {'!' if a != b else ' '} {a:36} {b}{note}")

    def compare(self, kind, tid, stack, call):
        """Compare two stacks."""
        self.count["compared"] += 1
        if stack == "(lost)":
            self.count["lost"] += 1
            return
        names = [call.modules.name(pc & ~GUESSED) for pc in call.pcs]
        inside = strip(names, kind)
        theirs = names[inside:]
        guessed = [pc >= GUESSED for pc in call.pcs[inside:]]
        ours = stack.split(";") if stack != "-" else []
        if ours and ours[-1] == "(cut)":
            self.count["cut"] += 1
            ours.pop()
            if len(ours) == MOST_FRAMES:
                theirs = theirs[:MOST_FRAMES]
        self.count["deepest"] = max(self.count["deepest"], len(ours))
        if ours == theirs:
            self.count["equal"] += 1
            return
        same = 0
        while same < min(len(ours), len(theirs)) and (
                ours[same] == theirs[same]):
            same += 1
        if any(guessed[:same]):
            self.count["guess"] += 1
            if self.verbose:
                self.show("guess", kind, tid, ours, theirs, guessed)
        else:
            self.count["wrong"] += 1
            self.show("not equal", kind, tid, ours, theirs, guessed)


    def take(self, tid, event, call):
        """Judge an event and the call it is of, if there is one."""
        if not call:
            self.count["unpaired"] += 1
            if self.count["unpaired"] <= 3 or self.verbose:
                print(f"thread {tid}: no call for {event.kind} "
                      f"{event.key[1]:#x} {event.stack}")
        elif call.pcs is None:
            self.count["unsampled"] += 1
        else:
            self.compare(event.kind, tid, event.stack, call)

    def rest(self, tid, calls):
        """Count a thread's calls that have no event.

        Before the first call with a stack that has one, the libraries are
        being set up, the recorder among them.
        """
        began = False
        for i, call in enumerate(calls):
            began |= call.paired and call.pcs is not None
            if call.paired:
                continue
            self.count["missing" if began else "before"] += 1
            if began and (self.count["missing"] <= 3 or self.verbose):
                print(f"thread {tid}: no event for call {i} of {len(calls)}, "
                      f"{call.key[0]} {call.key[1]:#x}", *(
                          call.modules.name(pc & ~GUESSED)
                          for pc in call.pcs or []))

    def judge(self, args):
        """Print the counts; return why they are bad, or None."""
        count = self.count
        print(f"{count['compared']} compared, {count['equal']} equal, "
              f"{count['wrong']} wrong, {count['guess']} by guess, "
              f"{count['lost']} lost; {count['cut']} cut, deepest "
              f"{count['deepest']}; {count['unsampled']} not sampled; alone: "
              f"{count['unpaired']} events, {count['missing']} calls, "
              f"{count['before']} calls before")
        if count["wrong"]:
            return f"{count['wrong']} stacks are not equal"
        for what in BOUNDED:
            if count[what] > getattr(args, what):
                return f"{count[what]} are {what}"
        if count["compared"] < args.least:
            return "not enough was compared"
        return None


def pair(calls, events):
    """Pair a thread's events with its calls, from the last to the first.

    So what comes before the recorder began cannot shift the rest. Of calls
    about one address the order is kept; between addresses a signal handler
    may change it.
    """
    last = collections.defaultdict(list)
    for call in calls:
        last[call.key].append(call)
    for event in reversed(events):
        call = last[event.key].pop() if last[event.key] else None
        if call:
            call.paired = True
        yield event, call


def read_events(path):
    """Return the events of each thread: {tid: [Event]}."""
    threads = collections.defaultdict(list)
    with open(path) as f:
        for line in f:
            field = line.rstrip("\n").split(" ", 7)
            kind, address = field[3], int(field[4], 16)
            if address and kind in ALLOCS | FREES:
                threads[int(field[2])].append(Event(
                    ("f" if kind in FREES else "a", address), kind, field[7]))
    return threads


def main():
    parser = argparse.ArgumentParser()
    for what in BOUNDED:
        parser.add_argument(f"--{what}", type=int, default=0)
    parser.add_argument("--least", type=int, default=1)
    parser.add_argument("--verbose", action="store_true")
    parser.add_argument("log")
    parser.add_argument("events")
    args = parser.parse_args()

    log = read_log(args.log)
    tally = Tally(args.verbose)
    for tid, events in read_events(args.events).items():
        for event, call in pair(log[tid], events):
            tally.take(tid, event, call)
        tally.rest(tid, log[tid])
    sys.exit(tally.judge(args))


main()
