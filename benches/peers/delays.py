"""Proxies in front of the stores of the local AWS, which make a round trip take as long as in a VPC."""

import contextlib
import socket
import statistics
import subprocess
import sys
import time
from http.client import HTTPConnection
from pathlib import Path

import measure

PROXY = Path(__file__).with_name("proxy.py")
MILLISECONDS = {"redis": 0.7, "dynamodb": 5.0, "s3": 30.0}


class Delay:
    """`address` leads to the same server as `upstream`, later."""

    def __init__(self, store: str, upstream: str):
        self.store, self.upstream, self.milliseconds = store, upstream, MILLISECONDS[store]

    def __enter__(self):
        command = [sys.executable, PROXY, self.upstream, str(self.milliseconds)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.address = f"127.0.0.1:{int(self.process.stdout.readline())}"
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()

    def check(self) -> float:
        """Milliseconds that the proxy really adds to a round trip; a busy machine gets a minute to calm down."""
        until = time.monotonic() + 60
        while True:
            rounds = [(trip(self.store, self.upstream), trip(self.store, self.address)) for _ in range(41)]
            added = statistics.median(slow - fast for fast, slow in rounds) * 1000
            if abs(added - self.milliseconds) <= max(0.3, self.milliseconds / 10):
                return added
            if time.monotonic() > until:
                raise measure.Failed(f"the proxy before {self.store} adds {added:.2f} ms and not {self.milliseconds} ms")


def trip(store: str, address: str) -> float:
    """Seconds of one question and its answer, on a connection that was used before."""
    host, port = address.rsplit(":", 1)
    ask = ping if store == "redis" else get
    opened = socket.create_connection((host, int(port))) if store == "redis" else HTTPConnection(host, int(port))
    with contextlib.closing(opened):
        for _ in range(2):
            start = time.perf_counter()
            ask(opened)
            seconds = time.perf_counter() - start
    return seconds


def ping(connection):
    connection.sendall(b"PING\r\n")
    connection.recv(65536)


def get(connection):
    connection.request("GET", "/_none")
    connection.getresponse().read()
