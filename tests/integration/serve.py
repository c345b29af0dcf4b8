# SPDX-License-Identifier: MIT
"""What `memtrace-report serve` answers; see serve.sh."""

import gzip
import http.client
import json
import os
import re
import signal
import socket
import stat
import subprocess
import threading
import time

from served import (HOST, REPORT, Recorded, Server, check, is_counter, of,
                    report, until)

HEAP = "memtrace_heap_"


def status_of(server, pid):
    for trace in server.traces():
        if trace.get("pid") == pid:
            return trace
    return None


def profile(server, path):
    """A profile that is served, as the report reads it."""
    with open("served.pb.gz", "wb") as f:
        f.write(server.get(path).bytes)
    return json.loads(report("--json", "served.pb.gz"))


def check_empty(server):
    check(server.traces() == [], "an empty directory has traces")
    check(server.get("/metrics").bytes == b"", "and metrics")
    server.get("/debug/pprof/heap", 404)


def check_headers(server):
    heap = server.get("/debug/pprof/heap")
    for name, value in (
            ("Content-Type", "application/octet-stream"),
            ("Content-Disposition", 'attachment; filename="heap"'),
            ("X-Content-Type-Options", "nosniff")):
        check(heap.headers[name] == value, f"{name}: {heap.headers[name]}")
    plain = server.get("/metrics").headers["Content-Type"]
    check(plain.startswith("text/plain; version=0.0.4"), plain)
    new = server.get("/metrics", Accept="application/openmetrics-text;"
                     "version=1.0.0,text/plain;version=0.0.4;q=0.5")
    check(new.headers["Content-Type"] == "application/openmetrics-text; "
          "version=1.0.0; charset=utf-8", new.headers["Content-Type"])
    check(new.bytes.endswith(b"# EOF\n"), "no # EOF")
    head = server.ask("/metrics", "HEAD")
    check(head.status == 200 and not head.bytes, f"HEAD: {head.status}")
    index = server.get("/debug/pprof/").bytes.decode()
    check("/debug/pprof/heap?pid=" in index, index)


def check_refusals(server):
    for path in ("/nothing", "/debug/pprof/heap?pid=1", "/debug/pprof/goroutine"):
        server.get(path, 404)
    for seconds in ("0", "-1", "x", "", "301", "99999999999999999999"):
        server.get(f"/debug/pprof/heap?seconds={seconds}", 400)
    server.get("/debug/pprof/peak?seconds=1", 400)
    for method, path, wanted in (("PUT", "/metrics", 405),
                                 ("POST", "/metrics", 405)):
        got = server.ask(path, method, b"x").status
        check(got == wanted, f"{method} {path}: {got}")
    got = server.ask("/debug/pprof/symbol", "POST", b"0x1+" * 40000).status
    check(got == 413, f"too large: {got}")


def check_live(server, told):
    """The figures are those of what the program was told."""
    before = server.metrics()
    told.tell("a 1000 1000")
    told.tell("f 300")
    after = server.metrics()
    for name, change in ((HEAP + "inuse_bytes", 700000),
                         (HEAP + "inuse_objects", 700),
                         (HEAP + "allocated_bytes_total", 1000000),
                         (HEAP + "freed_bytes_total", 300000),
                         (HEAP + "allocations_total", 1000),
                         (HEAP + "frees_total", 300),
                         (HEAP + "allocation_size_bytes_count", 1000),
                         (HEAP + "lifetime_seconds_count", 300)):
        got = of(after, name, told.pid) - of(before, name, told.pid)
        check(got == change, f"{name}: {got}, not {change}")
    check(of(after, HEAP + "peak_bytes", told.pid) ==
          of(before, HEAP + "inuse_bytes", told.pid) + 1000000, "peak")
    check(of(after, "memtrace_running", told.pid) == 1, "does not run")
    rss = of(after, "process_resident_memory_bytes", told.pid)
    check(rss > 1000000, f"resident: {rss}")
    for path, sums in (("heap", ("exit", "inuse_bytes")),
                       ("peak", ("peak", "peak_bytes"))):
        got = profile(server, f"/debug/pprof/{path}?pid={told.pid}&live")
        want = of(after, HEAP + sums[1], told.pid)
        check(got["exit"]["bytes"] == want, f"{path}: {got['exit']}")
    check(status_of(server, told.pid)["state"] == "running", "status")


def check_delta(server, told):
    """?seconds=N is of what was done meanwhile."""
    got = []
    asks = threading.Thread(target=lambda: got.append(
        profile(server, f"/debug/pprof/allocs?seconds=3&pid={told.pid}")))
    asks.start()
    time.sleep(1.5)
    told.tell("a 10 4096")
    asks.join()
    totals = got[0]["totals"]
    check(totals["allocated_bytes"] == 40960, f"delta: {totals}")
    check(totals["allocations"] == 10, f"delta: {totals}")


def check_program(server, told):
    line = server.get(f"/debug/pprof/cmdline?pid={told.pid}").bytes
    with open(f"/proc/{told.pid}/cmdline", "rb") as f:
        check(line == f.read()[:-1], f"cmdline: {line}")
    check(server.get("/debug/pprof/symbol").bytes == b"num_symbols: 1\n",
          "GET of symbol")
    names = subprocess.check_output(("nm", f"{HOST}/told"), text=True)
    address = int(re.search(r"^(\S+) T told_alloc$", names, re.M)[1], 16)
    with open(f"/proc/{told.pid}/maps", encoding="utf-8") as f:
        address += int(f.readline().split("-")[0], 16)
    body = f"0x1+{address + 4:#x}".encode()
    answer = server.ask(f"/debug/pprof/symbol?pid={told.pid}", "POST", body)
    want = f"num_symbols: 1\n{address + 4:#x} told_alloc\n".encode()
    check(answer.bytes == want, f"symbol: {answer.bytes}, not {want}")


def check_many(server, pid):
    """Equal requests are one; different ones are bounded."""
    answers = []

    def ask(path):
        answers.append(server.ask(path))

    for paths in (["/metrics"] * 40,
                  [f"/debug/pprof/heap?seconds=2&x={i}" for i in range(20)]):
        answers.clear()
        threads = [threading.Thread(target=ask, args=(p,)) for p in paths]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        seen = {a.status for a in answers}
        if len(set(paths)) == 1:
            check(seen == {200}, f"equal requests: {seen}")
            check(len({a.bytes for a in answers}) == 1, "equal, yet not")
        else:
            check(seen == {200, 503}, f"many requests: {seen}")
            check(all(a.headers["Retry-After"] for a in answers
                      if a.status == 503), "no Retry-After")
    check(of(server.metrics(), "memtrace_running", pid) == 1, "afterwards")


def check_others(server):
    """Damaged, foreign and vanished files are said, and hurt nobody else."""
    with open("d/none.zst", "wb") as f:
        f.write(b"this is no trace")
    with open("d/empty.zst", "wb"):
        pass
    told = Recorded("d")
    told.tell("a 5 77")
    said = {os.path.basename(t["path"]): t for t in
            server.traces()}
    check(said["none.zst"]["state"] == "unreadable" and
          "not a memtrace trace" in said["none.zst"]["error"], str(said))
    check(of(server.metrics(), HEAP + "inuse_bytes", told.pid) >= 385,
          "beside a damaged file")
    os.unlink("d/none.zst")
    os.unlink("d/empty.zst")
    gone = Server(told.trace)
    gone.get("/debug/pprof/heap")
    os.rename(told.trace, "elsewhere")
    trace = gone.traces()[0]
    check(trace["state"] == "unreadable" and trace["error"], str(trace))
    time.sleep(1.1)
    gone.get("/debug/pprof/heap", 404)
    gone.get("/metrics")
    gone.end()
    told.end()


def check_killed(server, told):
    """A process that dies: what it had stays, and how it ended is said."""
    before = server.metrics()
    told.process.kill()
    told.process.wait()
    check(status_of(server, told.pid)["state"] == "killed", "not killed")
    for _ in range(2):  # the second is what was kept
        after = server.metrics()
        for name in (HEAP + "inuse_bytes", HEAP + "allocations_total"):
            check(of(after, name, told.pid) == of(before, name, told.pid),
                  f"{name} after the kill")
        check(of(after, "memtrace_running", told.pid) == 0, "it runs")
        check(of(after, "process_resident_memory_bytes", told.pid) is None,
          "resident though dead")


def check_folding(server):
    """No counter falls while a ring folds; in the end all is there."""
    ring = Recorded("d", f"{HOST}/ring", "4", "12000000", options=",size=1M")
    last, scrapes, folded = {}, 0, False
    while ring.process.poll() is None:
        now = server.metrics()
        for key, value in last.items():
            check(key == "types" or not is_counter(last, key) or
                  key not in now or now[key] >= value,
                  f"{key} fell from {value} to {now.get(key)}")
        last, scrapes = now, scrapes + 1
        trace = status_of(server, ring.pid)
        folded |= bool(trace and trace.get("history_from_ns"))
        time.sleep(0.1)
    check(scrapes > 1, f"{scrapes} scrapes only")
    check(folded, "nothing was folded while it ran")
    now = server.metrics()
    want = json.loads(report("--json", ring.trace))
    for name, value in (
            ("inuse_bytes", want["exit"]["bytes"]),
            ("allocated_bytes_total", want["totals"]["allocated_bytes"]),
            ("allocations_total", want["totals"]["allocations"]),
            ("frees_total", want["totals"]["frees"]),
            ("allocation_size_bytes_count", want["totals"]["allocations"]),
            ("lifetime_seconds_count", want["totals"]["frees"]),
            ("peak_bytes", want["peak"]["bytes"])):
        got = of(now, HEAP + name, ring.pid)
        check(got == value, f"ring: {name} {got}, not {value}")
    got = profile(server, f"/debug/pprof/heap?pid={ring.pid}")["totals"]
    check(got["allocated_bytes"] == want["totals"]["allocated_bytes"],
          f"ring: profile {got}")


def check_load(server, directory):
    """What takes long is not made anew for each who asks."""
    subprocess.run((f"{HOST}/ring", "2", "2000000"), check=True,
                   stdin=subprocess.DEVNULL, env=dict(
                       os.environ, LD_PRELOAD=os.environ["LIB"],
                       MEMTRACE=f"out={directory}/big.zst,size=0"))
    path = "/debug/pprof/heap?pid=" + str(
        [t for t in server.traces() if t["path"].endswith("big.zst")][0]["pid"])
    first = server.get(path)
    before = cpu_of_children(server.process.pid)
    time.sleep(1.2)
    begin = time.monotonic()
    while time.monotonic() < begin + 1:
        again = server.get(path)
    check(again.bytes == first.bytes and int(again.headers["Age"]) >= 1,
          f"Age: {again.headers['Age']}")
    spent = cpu_of_children(server.process.pid) - before
    check(spent == 0, f"{spent} s of CPU time for what was known")


def cpu_of_children(pid):
    """The CPU time in seconds of the children that have ended."""
    with open(f"/proc/{pid}/stat", encoding="utf-8") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[13]) + int(fields[14])) / os.sysconf("SC_CLK_TCK")


def check_process(server):
    """The server itself: small, tidy, and gone when it is told to go."""
    def size():
        with open(f"/proc/{server.process.pid}/status",
                  encoding="utf-8") as f:
            kib = int(re.search(r"VmRSS:\s+(\d+)", f.read())[1])
        return kib, len(os.listdir(f"/proc/{server.process.pid}/fd"))

    server.traces()
    time.sleep(1.1)
    server.traces()
    kib, fds = size()
    for i in range(150):
        server.get(f"/status?{i}")
    time.sleep(1.1)  # an answer is kept for a second
    server.traces()
    more = size()
    check(more[0] < kib + 4096 and more[1] <= fds + 2,
          f"{kib} KiB, {fds} files became {more}")
    def ask_slowly():
        try:
            server.ask("/debug/pprof/heap?seconds=60")
        except (http.client.HTTPException, OSError):
            pass  # it may be cut off

    slow = threading.Thread(target=ask_slowly)
    slow.start()
    time.sleep(0.5)
    server.end()
    slow.join()
    children = subprocess.run(("pgrep", "-P", str(server.process.pid)),
                              check=False, capture_output=True).stdout
    check(not children, f"workers stay: {children}")


def check_listening():
    """Where it listens: on what it is told, else it says why not."""
    first = Server("d")
    taken = subprocess.run(
        (REPORT, "serve", "--listen", f"127.0.0.1:{first.port}", "d"),
        check=False, capture_output=True, text=True)
    check(taken.returncode == 1 and "in use" in taken.stderr, str(taken))
    for where in (":6060", "", "host", "127.0.0.1:", "1.2.3.4:99999",
                  "unix:", "unix:" + "x" * 200):
        got = subprocess.run((REPORT, "serve", "--listen", where, "d"),
                             check=False, capture_output=True, text=True)
        check(got.returncode == 1 and "memtrace-report: serve: " in
              got.stderr, f"{where}: {got}")
    first.process.send_signal(signal.SIGINT)
    check(first.process.wait(5) == 0, "not 0 at SIGINT")
    for _ in range(2):  # the second finds the socket of one that was killed
        unix = subprocess.Popen((REPORT, "serve", "--listen", "unix:sock",
                                 "d"), stderr=subprocess.PIPE, text=True)
        check("unix:sock" in unix.stderr.readline(), "unix:sock")
        mode = os.stat("sock").st_mode
        check(stat.S_ISSOCK(mode) and not mode & 0o77, oct(mode))
        with socket.socket(socket.AF_UNIX) as s:
            s.connect("sock")
            s.sendall(b"GET /status HTTP/1.0\r\n\r\n")
            text = b""
            while part := s.recv(65536):
                text += part
        check(b"200 OK" in text and b'"traces"' in text, str(text))
        unix.kill()
        unix.wait()
    unix = subprocess.Popen((REPORT, "serve", "--listen", "unix:sock", "d"),
                            stderr=subprocess.PIPE, text=True)
    unix.stderr.readline()
    unix.terminate()
    check(unix.wait(5) == 0 and not os.path.exists("sock"), "sock stays")


def main():
    os.mkdir("d")
    server = Server("d")
    check_empty(server)
    told = Recorded("d")
    told.tell("a 10 100")
    until(lambda: status_of(server, told.pid), "the trace is there")
    time.sleep(1.1)  # an answer is kept for a second
    check_headers(server)
    check_refusals(server)
    check_live(server, told)
    check_delta(server, told)
    check_program(server, told)
    check_many(server, told.pid)
    check_others(server)
    check_killed(server, told)
    check_folding(server)
    check_load(server, "d")
    check_process(server)
    check_listening()
    check(gzip.decompress(open("served.pb.gz", "rb").read()), "no gzip")


if __name__ == "__main__":
    main()
