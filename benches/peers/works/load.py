"""Loading everything from each store's URL, cold and with the local cache, at loopback and at the distance of a VPC."""

import json
import socket
import time
from http.client import HTTPConnection
from pathlib import Path

import measure
from delays import Delay

TITLE = "Loading a source"
TARGET = (
    "Cold, at most 1.2 times what a bare client (redis-py, boto3) takes that moves the same bytes in the same two steps; "
    "warm, with the local cache, one round trip and at most 5 ms."
)

# Runs with a delay, of which the longer ones are farther from their limits.
ROUNDS = {"redis": 15, "dynamodb": 11, "s3": 9}
SCRIPTS = Path(__file__).parents[1] / "scripts"
DEMO = Path(__file__).resolve().parents[3] / "demo"


def prepare(bench):
    generated(bench, many(bench))


def many(bench) -> int:
    return 50 if bench.quick else 700


def run(bench, report):
    trees = {"7 scripts": DEMO, f"{many(bench)} generated scripts": generated(bench, many(bench))}
    name, bucket = bench.up("load")
    http = bench.env["AWS_ENDPOINT_URL"].split("://")[1].strip("/")
    redis = bench.env["REDIS_URL"].split("://")[1].strip("/")
    servers = {"redis": redis, "dynamodb": http, "s3": http}
    places = {"redis": f"redis://{redis}", "dynamodb": bench.output(name, "RSTACK_TABLE"), "s3": bucket}
    good, added = True, {}
    for number, (what, tree) in enumerate(trees.items()):
        area = f"{name}-{number}"
        measure.run(bench.rstack("seed", tree, "-n", name, "--area", area, "--plain"), bench.env)
        loads = {store: Load(bench, store, servers[store], place, area, tree) for store, place in places.items()}
        for store, load in loads.items():
            if load.kydb_too:
                load.write_kydb()
            *_, each = timed = at_loopback(load)
            report.note(f"{what} from {store}, at loopback:")
            report.times(timed, baseline=each.median, unit="ms")
        for store, load in loads.items():
            with Delay(store, servers[store]) as delay:
                added[store] = delay.check()
                bare, cold, one, warm, *_ = timed = delayed(load, delay.address)
            good = good and cold.median <= 1.2 * bare.median
            good = good and warm.median <= one.median + 0.005
            report.note(f"{what} from {store}, a round trip of {delay.milliseconds} ms:")
            report.times(timed, baseline=bare.median, unit="ms")
    shown = ", ".join(f"{milliseconds:.2f} ms before {store}" for store, milliseconds in added.items())
    report.note(
        "Each run starts with clients that are made and not connected and ends with the last byte; rstack has then checked "
        f"every hash and unpacked every file, the bare client has done nothing with them. The proxies added {shown}, "
        "measured before they were used."
    )
    report.verdict(good)
    measure.run(bench.rstack("down", "-n", name, "--yes"), bench.env)


class Load:
    """An area of a store, the same scripts as KYDB keeps them once they are written, and those who read them."""

    def __init__(self, bench, store, server, place, area, tree):
        self.bench, self.store, self.server, self.place, self.area = bench, store, server, place, area
        self.paths = [str(path.relative_to(tree)) for path in sorted(tree.rglob("*.py"))]
        self.listed = bench.files / "listed"
        self.listed.write_text("\n".join(self.paths))
        self.base, self.tree = bench.name("kydb"), tree
        # Script by script, so few tell what many take; writing and reading 700 in S3 or DynamoDB takes it half a minute.
        self.kydb_too = store == "redis" or len(self.paths) <= 7

    def write_kydb(self):
        measure.run(self._kydb("write", self.place), self.bench.env)

    def ours(self, env, place, *ways) -> "Ours":
        url = f"{place}/{self.area}" if self.store == "redis" else f"{self.store}://{place}/{self.area}"
        return Ours([self.bench.binary, "bench", url, "--way", ",".join(ways), "--repeat", "1", "--output", "json"], env)

    def bare(self, env, place) -> measure.Asked:
        python = self.bench.peers.command("boto3", "python")
        return measure.Asked([python, SCRIPTS / "load_bare.py", self.store, place, self.area], env)

    def one_by_one(self, env, place) -> measure.Asked:
        python = self.bench.peers.command("s3fs", "python")
        return measure.Asked([python, SCRIPTS / "load_each.py", self.store, place, self.area, self.listed], env)

    def kydb(self, env, place) -> measure.Asked:
        return measure.Asked(self._kydb("read", place), env)

    def _kydb(self, todo, place):
        python = self.bench.peers.command("kydb", "python")
        return [python, SCRIPTS / "load_kydb.py", todo, self.store, place, self.base, self.tree, self.listed]


class Ours:
    """`rstack bench`, of which one run times several ways."""

    def __init__(self, command, env):
        self.command, self.env = command, env

    def first(self, way) -> float:
        printed = measure.run(self.command, self.env)
        self.loads = {load["way"]: load["median"] for load in json.loads(printed.splitlines()[-1])["data"]["loads"]}
        return self.loads[way]

    def same(self, way) -> float:
        """Of the run that `first` made."""
        return self.loads[way]


def at_loopback(load) -> list[measure.Timed]:
    """Without any delay, what others take file by file, and rstack file by file and as a release."""
    env, place = load.bench.env, load.place
    ours = load.ours(env, place, "each", "release")
    with load.one_by_one(env, place) as each, load.kydb(env, place) as kydb:
        tools = {
            "rstack, cold": lambda _: ours.first("cold"),
            "rstack, warm": lambda _: ours.same("warm"),
            "rstack, file by file": lambda _: ours.same("each"),
        }
        beside = {"KYDB, script by script": kydb.seconds} if load.kydb_too else {}
        beside["file by file, by the article's clients"] = each.seconds
        return measure.alternate(tools, measure.FEW, beside)


def delayed(load, address) -> list[measure.Timed]:
    """By way of a proxy: rstack, and a bare client that makes the same requests; file by file only a few times."""
    env = load.bench.env | {"AWS_ENDPOINT_URL": f"http://{address}", "AWS_MAX_ATTEMPTS": "1"}
    place = f"redis://{address}" if load.store == "redis" else load.place
    ours = load.ours(env, place, "release")
    with load.bare(env, place) as bare, load.one_by_one(env, place) as each, load.kydb(env, place) as kydb:
        tools = {
            "bare client": bare.seconds,
            "rstack, cold": lambda _: ours.first("cold"),
            "one round trip: a bare request for the marker": lambda _: marker(env, load.store, address, place, load.area),
            "rstack, warm": lambda _: ours.same("warm"),
        }
        beside = {}
        # What takes the best part of a minute is another work, `far`.
        if load.store != "s3" or len(load.paths) <= 7:
            beside["file by file, by the article's clients"] = each.seconds
        if len(load.paths) <= 7:
            beside["KYDB, script by script"] = kydb.seconds
        return measure.alternate(tools, 5 if load.bench.quick else ROUNDS[load.store], beside)


def marker(env, store, address, place, area) -> float:
    """Seconds of one request, connection and the server's own time included: what a warm load cannot do without."""
    host, port = address.rsplit(":", 1)
    key = f"{area}/.rstack/marker"
    start = time.perf_counter()
    if store == "redis":
        with socket.create_connection((host, int(port))) as connection:
            connection.sendall(f"GET {key}\r\n".encode())
            found = connection.recv(1 << 20)
        seconds = time.perf_counter() - start
        if b"manifest" not in found:
            raise measure.Failed(f"Redis does not give the marker of {area}: {found[:200]}")
        return seconds
    # The local AWS looks at who asks, and where, and not at the signature.
    scope = f"{env['AWS_ACCESS_KEY_ID']}/20260101/{env['AWS_REGION']}/{store}/aws4_request"
    headers = {"Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"}
    connection = HTTPConnection(host, int(port))
    if store == "s3":
        connection.request("GET", f"/{place}/{key}", headers=headers)
    else:
        headers |= {"X-Amz-Target": "DynamoDB_20120810.GetItem", "Content-Type": "application/x-amz-json-1.0"}
        question = {"TableName": place, "Key": {"path": {"S": key}}, "ConsistentRead": True}
        connection.request("POST", "/", json.dumps(question), headers)
    answer = connection.getresponse()
    found = answer.read()
    seconds = time.perf_counter() - start
    connection.close()
    if answer.status != 200 or b"manifest" not in found:
        raise measure.Failed(f"{store} does not give the marker of {area}: {answer.status} {found[:200]}")
    return seconds


def generated(bench, count) -> Path:
    """A package of so many scripts of 5 kB, unlike each other as far as programs are."""
    path = lambda number: f"pkg{number // 50}/module{number}.py"  # noqa: E731
    return bench.tree(f"scripts-{count}", count, path, lambda number: script(number).encode())


def script(number) -> str:
    state, lines = number + 1, [f'"""Module {number}."""\n']
    while sum(map(len, lines)) < 5000:
        state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
        word = f"{state >> 20:x}"
        lines.append(
            f"\n\ndef f_{word[:6]}(x_{word[6:9]}, y_{word[3:5]}):\n"
            f'    """Return {word} of both."""\n'
            f"    return x_{word[6:9]} * {state >> 40} + y_{word[3:5]} - len({word!r})\n"
        )
    return "".join(lines)
