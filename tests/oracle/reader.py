# SPDX-License-Identifier: MIT
"""A second reader of the format, which shares no code with the first.

reader.py TRACE EVENTS: decodes the segments of a finished trace as
include/memtrace/format.h and model.h describe them, and checks

 - every head's check sum, the record numbers that follow on each other, and
   that nothing but segments and space is in the file;
 - that the histogram and the counters of each segment's head are those of its
   events, and that frees by usable size never outnumber allocations;
 - that `memtrace-report events` (EVENTS) printed these very events, thread by
   thread, in the order of their times.

It prints a line for each depth of stack there is: depth, events, events cut;
then one for each frame that a code address is said to stand for: name, its
number, function, linkage name, file, line.
"""

import collections
import ctypes
import struct
import sys

SKIP_SEGMENT, SKIP_SPACE = 0x184D2A5D, 0x184D2A5E
META, PCS, NODES, EVENTS, NAMES = 1, 2, 3, 4, 5
COLUMNS = {META: 1, PCS: 1, NODES: 2, EVENTS: 5, NAMES: 1}
CUT, LOST, FIRST_NODE = 1, 2, 3
HEAD = struct.Struct("<II4sHHIIQIIB3xIQQQQQQQQQ")
MASK = (1 << 64) - 1

KINDS = {1: "malloc", 2: "calloc", 3: "realloc", 4: "reallocarray",
         5: "posix_memalign", 6: "aligned_alloc", 7: "memalign", 8: "valloc",
         9: "pvalloc", 10: "new", 11: "new[]", 12: "mmap", 13: "mremap",
         32: "free", 33: "cfree", 34: "free_sized", 35: "free_aligned_sized",
         36: "delete", 37: "delete[]", 38: "realloc_free", 39: "munmap",
         40: "mremap_free", 60: "realloc_cancel"}
MMAP_KINDS = {12, 13, 39, 40}

zstd = ctypes.CDLL("libzstd.so.1")
zstd.ZSTD_findFrameCompressedSize.restype = ctypes.c_size_t
zstd.ZSTD_getFrameContentSize.restype = ctypes.c_ulonglong
zstd.ZSTD_decompress.restype = ctypes.c_size_t
zstd.ZSTD_isError.argtypes = [ctypes.c_size_t]


def inflate(data):
    """Decompress the zstd frame that data begins with; return it, its size."""
    n = zstd.ZSTD_findFrameCompressedSize(data, ctypes.c_size_t(len(data)))
    if zstd.ZSTD_isError(n):
        sys.exit("not a zstd frame")
    out = ctypes.create_string_buffer(1 << 20)
    size = zstd.ZSTD_decompress(out, ctypes.c_size_t(len(out)), data,
                                ctypes.c_size_t(n))
    if zstd.ZSTD_isError(size):
        sys.exit("a damaged zstd frame")
    return out.raw[:size], n


def fnv1a(data):
    h = 0x811C9DC5
    for byte in data:
        h = ((h ^ byte) * 0x01000193) & 0xFFFFFFFF
    return h


class Bytes:
    """A column: bytes and varints in a row."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def byte(self):
        self.at += 1
        return self.data[self.at - 1]

    def varint(self):
        value = shift = 0
        while True:
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    def done(self):
        return self.at == len(self.data)


def size_class(size):
    """The class of a size: steps of 16 to 128, then four to a doubling."""
    if size <= 128:
        return (size + 15) // 16
    log = (size - 1).bit_length() - 1
    return 9 + (log - 7) * 4 + ((size - 1) >> (log - 2) & 3)


def free_list(size):
    return (size + 23) >> 4 if size <= 1032 else min(size_class(size) + 46, 127)


def mix(v):
    return ((v * 0x9E3779B97F4A7C15) & MASK) >> 40


def distance(origin, code):
    d = code >> 2 if not code & 2 else -(code >> 2) - 1
    return (origin + (d if code & 1 else d * 16)) & MASK


class Model:
    """What model.h remembers while it decodes a segment."""

    def __init__(self, ticks):
        self.time, self.last_free, self.fresh = ticks, 0, 0
        self.context = (0, 0)
        self.allocations = 0
        self.lists = collections.defaultdict(
            lambda: collections.deque([0] * 8, 8))
        self.deeds = {}
        self.next = {}
        self.blocks = {}

    def event(self, col, shift):
        """Decode one event: (time, stack, kind, size, align log2, address)."""
        control, stack, size, address, time = col
        ctl, step = control.byte(), time.byte()
        self.time += step + (time.varint() if step == 255 else 0)
        slot = mix((self.context[1] << 32) | self.context[0]) % 2048
        if not ctl & 1:
            self.next[slot] = stack.varint()
        node = self.next.get(slot, 0)
        self.context = (node, self.context[0])
        slot = mix(node) % 1024
        deed = self.deeds.setdefault(slot, {"stack": 0, "age": 0, "what":
                                            (0, 0, 0)})
        if not ctl & 2:
            if deed["stack"] != node:
                deed["age"] = 0
            deed["stack"] = node
            deed["what"] = (size.byte(), size.byte(), size.varint())
        kind, align, n = deed["what"]
        decode = self.alloc if kind <= 13 else self.free
        where = decode(ctl >> 2 & 3, address, kind, n, deed)
        return self.time << shift, node, kind, n, align, where

    def alloc(self, code, column, kind, size, _):
        if code == 3:
            return 0
        which = free_list(size)
        freed = self.lists[which]
        if code == 2:
            origin = self.last_free if kind == 3 else self.fresh
            where = distance(origin, column.varint())
        else:
            depth = column.byte() if code == 1 else 0
            where = freed[-1 - depth]
            del freed[len(freed) - 1 - depth]
            freed.appendleft(0)
        self.blocks[self.allocations % 8192] = (where, which)
        self.allocations += 1
        self.fresh = where + (32 if size <= 24 else (size + 23) & ~15)
        return where

    def free(self, code, column, _kind, _size, deed):
        if code == 2:
            where = distance(self.last_free, column.varint())
        else:
            age = deed["age"] if code == 0 else column.varint()
            where, which = self.blocks[(self.allocations - age) % 8192]
            deed["age"] = age
            self.lists[which].append(where)
        self.last_free = where
        return where


class Trace:
    """All streams of a finished trace."""

    def __init__(self, path):
        with open(path, "rb") as f:
            self.data = f.read()
        self.expected = collections.Counter()
        self.threads = collections.defaultdict(list)
        self.nodes = []
        self.usable = collections.Counter()
        self.pcs = 0
        self.names_log = b""
        self.segments = 0
        at = 0
        while at < len(self.data):
            at = self.frame(at)
        if at != len(self.data):
            sys.exit("the last frame is cut short")

    def frame(self, at):
        magic, size = struct.unpack_from("<II", self.data, at)
        if magic == SKIP_SPACE:
            return at + 8 + size
        if magic != SKIP_SEGMENT or at % 8:
            sys.exit(f"offset {at}: neither segment nor space")
        return self.segment(at)

    def segment(self, at):
        head = HEAD.unpack_from(self.data, at)
        (_, skip, magic, stream, columns, data_bytes, count, first, thread,
         extra_bytes, shift, check, base) = head[:13]
        raw = self.data[at:at + HEAD.size + extra_bytes]
        if stream not in COLUMNS:
            return at + 8 + skip + data_bytes
        if magic != b"MTsg" or columns != COLUMNS[stream]:
            sys.exit(f"offset {at}: a strange segment")
        if fnv1a(raw[:44] + bytes(4) + raw[48:]) != check:
            sys.exit(f"offset {at}: the check sum is wrong")
        key = (stream, thread)
        if self.expected[key] != first:
            sys.exit(f"offset {at}: record {first} of stream {key}, not "
                     f"{self.expected[key]}")
        self.expected[key] += count
        where = at + 8 + skip
        end = where + data_bytes
        columns = []
        while where < end:
            column, n = inflate(self.data[where:end])
            columns.append(Bytes(column))
            where += n
        if stream == EVENTS:
            self.events(at, head, columns, Bytes(raw[HEAD.size:]))
        elif stream == NODES:
            for _ in range(count):
                parent = len(self.nodes) - columns[0].varint()
                self.nodes.append((parent, columns[1].varint()))
        elif stream == NAMES:
            self.names_log += columns[0].data
        elif stream == PCS:
            self.pcs += count
        if stream in (EVENTS, NODES) and not all(c.done() for c in columns):
            sys.exit(f"offset {at}: more in the columns than records")
        self.segments += 1
        return where

    def events(self, at, head, columns, extra):
        count, thread, shift, base = head[6], head[8], head[10], head[12]
        model = Model(base >> shift)
        events = [model.event(columns, shift) for _ in range(count)]
        heap = [e for e in events if e[2] not in MMAP_KINDS]
        given = [e for e in heap if e[2] <= 13 and e[5]]
        taken = [e for e in heap if 32 <= e[2] < 60]
        cancelled = sum(e[2] == 60 for e in heap)
        allocations, frees, allocated = head[16:19]
        if allocations - len(given) != frees - len(taken) or \
                allocations - len(given) not in (0, -cancelled, cancelled):
            sys.exit(f"offset {at}: {allocations} allocations and {frees} "
                     f"frees, but {len(given)} and {len(taken)} events")
        if allocated != sum(e[3] for e in given) and not cancelled:
            sys.exit(f"offset {at}: {allocated} bytes allocated?")
        self.histogram(at, given, taken, cancelled, extra)
        if events and head[13] >> shift != events[-1][0] >> shift:
            sys.exit(f"offset {at}: the last time is {events[-1][0]}")
        self.threads[thread] += events

    def histogram(self, at, given, taken, cancelled, extra):
        """Check a head's histogram: classes by what events they count."""
        wanted = collections.Counter(size_class(e[3]) for e in given)
        found = collections.Counter()
        usable = [0, 0]
        while True:
            which = extra.varint()
            if not which:
                break
            requested, new, old = (extra.varint() for _ in range(3))
            found[which - 1] = requested
            usable[0] += new
            usable[1] += old
            self.usable[which - 1] += new - old
        found += collections.Counter()
        if found != wanted and not cancelled:
            sys.exit(f"offset {at}: the histogram has {found}, the events "
                     f"{wanted}")
        if not cancelled and usable != [len(given), len(taken)]:
            sys.exit(f"offset {at}: usable sizes of {usable} blocks, not "
                     f"{len(given)}, {len(taken)}")

    def names(self):
        """Return the frames of each code address that has a name."""
        log, strings, frames = Bytes(self.names_log), [None], {}
        while not log.done():
            what, size = log.varint(), log.varint()
            entry = Bytes(log.data[log.at:log.at + size])
            log.at += size
            if len(entry.data) != size:
                sys.exit("the names log is cut short")
            if what == 1:
                if entry.data[-1:] != b"\0":
                    sys.exit("a string without an end")
                strings.append(entry.data[:-1].decode())
            elif what == 2:
                pc = entry.varint()
                if pc >= self.pcs:
                    sys.exit(f"code address {pc} has names, of {self.pcs}")
                frames[pc] = []
                while not entry.done():
                    text = [strings[entry.varint()] for _ in range(3)]
                    frames[pc].append((*text, entry.varint()))
        return frames

    def depth(self, node):
        """Return the frames of a stack, and whether it was cut."""
        n = 0
        while node >= FIRST_NODE:
            node = self.nodes[node][0]
            n += 1
        return n, node == CUT


def read_report(path):
    """Return the events that were printed, by thread index."""
    threads = collections.defaultdict(list)
    with open(path) as f:
        for line in f:
            field = line.split()
            threads[int(field[1])].append(
                (field[3], int(field[4], 16), int(field[5]), int(field[6])))
    return threads


def main():
    trace = Trace(sys.argv[1])
    printed = read_report(sys.argv[2])
    if set(printed) != set(trace.threads):
        sys.exit(f"threads: {set(printed)}, not {set(trace.threads)}")
    depths = collections.Counter()
    cut = collections.Counter()
    for thread, events in trace.threads.items():
        last = 0
        for i, (time, node, kind, size, align, where) in enumerate(events):
            mine = (KINDS[kind], where, size, 1 << align if align else 0)
            if i >= len(printed[thread]) or printed[thread][i] != mine:
                sys.exit(f"thread {thread}, event {i}: {mine}, printed "
                         f"{printed[thread][i:i + 1]}")
            if time < last:
                sys.exit(f"thread {thread}, event {i}: back in time")
            last = time
            depth, is_cut = trace.depth(node)
            depths[depth] += 1
            cut[depth] += is_cut
        if len(printed[thread]) != len(events):
            sys.exit(f"thread {thread}: {len(events)} events, "
                     f"{len(printed[thread])} printed")
    if any(n < 0 for n in trace.usable.values()):
        sys.exit(f"more freed than allocated: {trace.usable}")
    for depth in sorted(depths):
        print(depth, depths[depth], cut[depth])
    for pc, frames in sorted(trace.names().items()):
        for frame in frames:
            print("name", pc, *frame)


main()
