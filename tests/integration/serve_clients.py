# SPDX-License-Identifier: MIT
"""Clients of `memtrace-report serve` that do not behave; see
serve_clients.sh."""

import os
import socket
import subprocess
import threading
import time

from served import HOST, Server, check, until

# More than the server has room for.
MANY = 300


def files_of(server):
    return len(os.listdir(f"/proc/{server.process.pid}/fd"))


def connect(server, text=b""):
    s = socket.create_connection(("127.0.0.1", server.port), timeout=60)
    s.sendall(text)
    return s


def check_stalled(server):
    """Half a request, and an answer that nobody reads, hold nobody up."""
    stalled = [connect(server, text) for text in (
        b"", b"GET /met", b"GET /metrics HTTP/1.1\r\nHost: x\r\n",
        b"POST /debug/pprof/symbol HTTP/1.1\r\nContent-Length: 9\r\n\r\n0x",
        b"GET /debug/pprof/heap HTTP/1.1\r\nHost: x\r\n\r\n" * 50)]
    server.get("/metrics")
    server.get("/status")
    begin = time.monotonic()
    for s in stalled[:4]:  # they are closed, with or without a word
        while s.recv(65536):
            pass
    check(time.monotonic() - begin < 40, "stalled clients stay")
    for s in stalled:
        s.close()


def check_gone(server):
    """Who goes away while the answer is made leaves nothing behind."""
    server.get("/status")
    before = files_of(server)
    for i in range(6):
        connect(server, b"GET /debug/pprof/heap?seconds=1&%d HTTP/1.1\r\n"
                b"Host: x\r\n\r\n" % i).close()
    check(server.get("/status?1").bytes, "beside them")
    until(lambda: server.get("/status") and
          files_of(server) <= before + 8, f"from {before} files")


def check_crowd(server):
    """Idle connections make room for who has something to ask."""
    crowd = [connect(server) for _ in range(MANY)]
    answer = server.ask("/metrics")
    check(answer.status == 200, f"in a crowd: {answer.status}")
    for s in crowd:
        s.close()


def check_bad(server):
    """What is no request of ours gets an error, not silence."""
    for text, wanted in (
            (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", b""),
            (b"GET / HTTP/9.9\r\n\r\n", b"HTTP/1."),
            (b"GET /" + b"x" * 100000 + b" HTTP/1.1\r\n\r\n", b" 414 "),
            (b"DELETE /metrics HTTP/1.1\r\nHost: x\r\n\r\n", b" 405 "),
            (b"GET /metrics?" + b"&" * 200 + b" HTTP/1.1\r\nHost: x\r\n"
             b"Connection: close\r\n\r\n", b" 200 ")):
        with connect(server, text) as s:
            s.settimeout(40)
            try:
                line = s.recv(65536).split(b"\r\n")[0]
            except ConnectionResetError:
                line = wanted
            check(wanted in line, f"{text[:30]}: {line}")


def check_while_reading(directory):
    """A large trace is read: other pages are there, and equal requests of it
    wait for one answer."""
    subprocess.run((f"{HOST}/ring", "2", "3000000"), check=True,
                   stdin=subprocess.DEVNULL, env=dict(
                       os.environ, LD_PRELOAD=os.environ["LIB"],
                       MEMTRACE=f"out={directory}/big.zst,size=0"))
    server = Server(directory)
    order, answers = [], []

    def ask(path):
        answers.append(server.get(path).bytes)
        order.append(path)

    large = [threading.Thread(target=ask, args=("/debug/pprof/allocs",))
             for _ in range(3)]
    for t in large:
        t.start()
    time.sleep(0.05)
    ask("/status")
    for t in large:
        t.join()
    check(order[0] == "/status", f"{order}")
    check(len(set(answers)) == 2, "equal requests have other answers")
    server.end()


def main():
    os.mkdir("d")
    server = Server("d")
    check_stalled(server)
    check_gone(server)
    check_crowd(server)
    check_bad(server)
    server.end()
    check_while_reading("d")


if __name__ == "__main__":
    main()
