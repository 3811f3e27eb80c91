"""A loopback proxy that adds to each round trip: proxy.py HOST:PORT MILLISECONDS, which prints the port it listens on.

What the server sends is held back for that long and then passed on in the order in which it came, so that much data
takes as long as without the proxy and only waiting costs more. Connecting is not delayed.
"""

import queue
import socket
import sys
import threading
import time

CHUNK = 256 * 1024


def pass_on(source, target):
    while chunk := source.recv(CHUNK):
        target.sendall(chunk)
    target.shutdown(socket.SHUT_WR)


def receive(source, waiting, delay):
    while chunk := source.recv(CHUNK):
        waiting.put((time.perf_counter() + delay, chunk))
    waiting.put((0, b""))


def deliver(target, waiting):
    while True:
        due, chunk = waiting.get()
        if not chunk:
            target.shutdown(socket.SHUT_WR)
            return
        # Sleeping ends a little late; the rest is waited for without.
        while (left := due - time.perf_counter()) > 0:
            time.sleep(max(left - 0.0002, 0))
        target.sendall(chunk)


def quietly(work, *arguments):
    try:
        work(*arguments)
    except OSError:
        pass  # One side has gone.


def main():
    host, port = sys.argv[1].rsplit(":", 1)
    delay = float(sys.argv[2]) / 1000
    listener = socket.create_server(("127.0.0.1", 0), backlog=256)
    print(listener.getsockname()[1], flush=True)
    while True:
        client, _ = listener.accept()
        server = socket.create_connection((host, int(port)))
        waiting = queue.SimpleQueue()
        for end in (client, server):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for work in (
            (pass_on, client, server),
            (receive, server, waiting, delay),
            (deliver, client, waiting),
        ):
            threading.Thread(target=quietly, args=work, daemon=True).start()


main()
