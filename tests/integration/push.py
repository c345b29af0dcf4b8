# SPDX-License-Identifier: MIT
"""What `memtrace-report push` sends; see push.sh."""

import http.server
import json
import os
import subprocess
import threading
import time
import urllib.parse

from served import REPORT, Recorded, check, report, until


class Ingest(http.server.BaseHTTPRequestHandler):
    """Takes what is pushed as Pyroscope does, or refuses it."""

    got, refused, status = [], 0, 200

    def do_POST(self):
        n = int(self.headers["Content-Length"])
        url = urllib.parse.urlsplit(self.path)
        body = self.rfile.read(n)
        if Ingest.status == 200:
            Ingest.got.append((url.path, dict(urllib.parse.parse_qsl(
                url.query, strict_parsing=True)), body))
        else:
            Ingest.refused += 1
        self.send_response(Ingest.status)
        self.end_headers()
        self.wfile.write(b"so it is\nmore" if self.status == 200
                         else b"no room\nmore")

    def log_message(self, *_):
        pass


def push(*arguments):
    return subprocess.run((REPORT, "push") + arguments, check=False,
                          capture_output=True, text=True)


def read(body):
    """A pushed profile as the report reads it."""
    with open("pushed.pb.gz", "wb") as f:
        f.write(body)
    return json.loads(report("--json", "pushed.pb.gz"))


def check_once(url, told):
    before = time.time()
    want = json.loads(report("--json", told.trace))
    got = push("--url", url, "--name", "shop.api{env=a b,pod=x&y}",
               told.trace)
    check(got.returncode == 0 and not got.stdout + got.stderr, str(got))
    path, query, body = Ingest.got.pop()
    check(path == "/ingest" and not Ingest.got, path)
    check(query["name"] == "shop.api{env=a b,pod=x&y}", str(query))
    check(query["format"] == "pprof", str(query))
    check(before - 60 < int(query["from"]) <= int(query["until"]) <=
          time.time() + 1, str(query))
    pushed = read(body)
    for key in ("allocations", "allocated_bytes"):
        check(pushed["totals"][key] == want["totals"][key], key)
    check(pushed["exit"]["bytes"] == want["exit"]["bytes"], "in use")
    got = push("--url", url + "?tenant=7", told.trace)
    check(got.returncode == 0, str(got))
    query = Ingest.got.pop()[1]
    check(query["tenant"] == "7" and query["name"] == "told", str(query))


def check_refused(url, told):
    Ingest.status = 422
    got = push("--url", url, told.trace)
    check(got.returncode == 1 and got.stderr == f"memtrace-report: "
          f"{told.trace}: the server answers 422: no room\n", str(got))
    Ingest.status = 200
    got = push("--url", "http://127.0.0.1:1/ingest", told.trace)
    check(got.returncode == 1 and "can't push to http://127.0.0.1:1/ingest" in
          got.stderr, str(got))
    for wrong in (("--url", "file:///dev/null", told.trace),
                  ("--url", url, "nothing.zst"), ("--url", url, ".")):
        got = push(*wrong)
        check(got.returncode == 1 and got.stderr.count("\n") == 1, str(got))
    check(push(told.trace).returncode == 2, "no --url")
    check(push("--every", "0s", "--url", url, told.trace).returncode == 2,
          "--every 0s")


def check_every(url, told):
    """Pushes add up, though some are refused; they end with the program."""
    pusher = subprocess.Popen((REPORT, "push", "--every", "100ms", "--url",
                               url, told.trace), stderr=subprocess.PIPE,
                              text=True)
    until(lambda: Ingest.got, "a first push")
    for i in range(4):
        told.tell(f"a {100 + i} 64")
        told.tell("f 50")
        Ingest.status = 200 if i % 2 else 500
        taken, refused = len(Ingest.got), Ingest.refused
        until(lambda: len(Ingest.got) > taken if i % 2 else
              Ingest.refused > refused, f"push {i}")
    told.end()
    check(pusher.wait(20) == 0, "push --every: not 0")
    said = pusher.stderr.read()
    check("the server answers 500" in said, f"says {said}")
    want = json.loads(report("--json", told.trace))
    profiles = [read(body) for _, _, body in Ingest.got]
    check(len(profiles) >= 3, f"{len(profiles)} pushes")
    for key in ("allocations", "allocated_bytes"):
        sums = sum(p["totals"][key] for p in profiles)
        check(sums == want["totals"][key],
              f"{key}: {sums}, not {want['totals'][key]}")
    check(profiles[-1]["exit"]["bytes"] == want["exit"]["bytes"],
          "what is left at the end")
    for (_, a, _), (_, b, _) in zip(Ingest.got, Ingest.got[1:]):
        check(a["until"] == b["from"], f"a gap: {a}, {b}")


def main():
    os.mkdir("d")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Ingest)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_address[1]}/ingest"
    told = Recorded("d")
    told.tell("a 1000 100")
    told.tell("f 100")
    check_once(url, told)
    check_refused(url, told)
    check_every(url, told)


if __name__ == "__main__":
    main()
