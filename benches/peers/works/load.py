"""Loading everything from each store's URL, cold and with the local cache, at loopback and at the distance of a VPC."""

import json
import socket
import subprocess
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

SCRIPTS = Path(__file__).parents[1] / "scripts"
DEMO = Path(__file__).resolve().parents[3] / "demo"


def run(bench, report):
    rounds = 5 if bench.quick else 15
    many = 50 if bench.quick else 700
    trees = {"7 scripts": DEMO, f"{many} generated scripts": generated(bench, many)}
    name, bucket = bench.up("load")
    table = bench.output(name, "RSTACK_TABLE")
    http = bench.env["AWS_ENDPOINT_URL"].split("://")[1].strip("/")
    redis = bench.env["REDIS_URL"].split("://")[1].strip("/")
    good, added = True, {}
    for number, (what, tree) in enumerate(trees.items()):
        area = f"{name}-{number}"
        measure.run(bench.rstack("seed", tree, "-n", name, "--area", area, "--plain"), bench.env)
        paths = [str(path.relative_to(tree)) for path in sorted(tree.rglob("*.py"))]
        for store in ("redis", "dynamodb", "s3"):
            place = {"redis": f"redis://{redis}", "dynamodb": table, "s3": bucket}[store]
            at_loopback(bench, report, f"{what} from {store}", store, place, area, tree, paths)
        for store, upstream in (("redis", redis), ("dynamodb", http), ("s3", http)):
            with Delay(store, upstream) as delay:
                added[store] = delay.check()
                place = {"redis": f"redis://{delay.address}", "dynamodb": table, "s3": bucket}[store]
                env = bench.env | {"AWS_ENDPOINT_URL": f"http://{delay.address}", "AWS_MAX_ATTEMPTS": "1"}
                cold, warm, bare = compare(bench, env, store, place, area, rounds)
                one = measure.Timed("one round trip: a bare request for the marker")
                one.seconds += [marker(env, store, delay.address, place, area) for _ in range(rounds)]
                rows = [one, warm, one_by_one(bench, env, store, place, area, paths)]
                if len(paths) <= 7:
                    direct = {"redis": f"redis://{redis}"}.get(store, place)
                    rows.append(kydb(bench, env, store, place, direct, tree, paths))
            good = good and cold.median <= 1.2 * bare.median
            good = good and warm.median <= one.median + 0.005
            report.note(f"{what} from {store}, a round trip of {delay.milliseconds} ms:")
            report.times([bare, cold, *rows], baseline=bare.median, unit="ms")
    shown = ", ".join(f"{milliseconds:.2f} ms before {store}" for store, milliseconds in added.items())
    report.note(
        "Each run starts with clients that are made and not connected and ends with the last byte; rstack has then checked "
        f"every hash and unpacked every file, the bare client has done nothing with them. The proxies added {shown}, "
        "measured before they were used."
    )
    report.verdict(good)
    measure.run(bench.rstack("down", "-n", name, "--yes"), bench.env)


def at_loopback(bench, report, what, store, place, area, tree, paths):
    """Without any delay, what others take file by file, and rstack file by file and as a release."""
    url = place + f"/{area}" if store == "redis" else f"{store}://{place}/{area}"
    command = [bench.binary, "bench", url, "--way", "each,release", "--repeat", "3", "--output", "json"]
    printed = measure.run(command, bench.env)
    ours = {load["way"]: load["seconds"] for load in json.loads(printed.splitlines()[-1])["data"]["loads"]}
    names = {"cold": "rstack, cold", "warm": "rstack, warm", "each": "rstack, file by file"}
    timed = [measure.Timed(name, ours[way]) for way, name in names.items()]
    each = one_by_one(bench, bench.env, store, place, area, paths)
    report.note(f"{what}, at loopback:")
    report.times([each, *timed, kydb(bench, bench.env, store, place, place, tree, paths)], baseline=each.median, unit="ms")


def kydb(bench, env, store, place, direct, tree, paths):
    python = bench.peers.command("kydb", "python")
    timed = measure.Timed("KYDB, script by script")
    env = env | {"DIRECT_ENDPOINT_URL": bench.env["AWS_ENDPOINT_URL"], "DIRECT_PLACE": direct}
    for _ in range(1 if len(paths) > 50 else 3):
        command = [python, SCRIPTS / "load_kydb.py", store, place, bench.name("kydb"), tree, *paths]
        timed.seconds.append(float(measure.run(command, env)))
    return timed


def compare(bench, env, store, place, area, rounds):
    """rstack cold and warm, and the bare client, in turns; the first round is not counted."""
    url = place + f"/{area}" if store == "redis" else f"{store}://{place}/{area}"
    cold, warm, bare = (measure.Timed(name) for name in ("rstack, cold", "rstack, warm", "bare client"))
    python = bench.peers.command("boto3", "python")
    command = [python, SCRIPTS / "load_bare.py", store, place, area]
    with subprocess.Popen(command, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as client:
        for number in range(-1, rounds):
            printed = measure.run([bench.binary, "bench", url, "--way", "release", "--repeat", "1", "--output", "json"], env)
            loads = {load["way"]: load["median"] for load in json.loads(printed.splitlines()[-1])["data"]["loads"]}
            client.stdin.write("\n")
            client.stdin.flush()
            seconds = float(client.stdout.readline())
            if number >= 0:
                cold.seconds.append(loads["cold"])
                warm.seconds.append(loads["warm"])
                bare.seconds.append(seconds)
        client.stdin.close()
    return cold, warm, bare


def marker(env, store, address, place, area) -> float:
    """Seconds of one request, connection and the server's own time included: what a warm load cannot do without."""
    host, port = address.rsplit(":", 1)
    key = f"{area}/.rstack/marker"
    start = time.perf_counter()
    if store == "redis":
        with socket.create_connection((host, int(port))) as connection:
            connection.sendall(f"GET {key}\r\n".encode())
            connection.recv(1 << 20)
        return time.perf_counter() - start
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


def one_by_one(bench, env, store, place, area, paths):
    python = bench.peers.command("s3fs", "python")
    timed = measure.Timed("file by file, as in the article")
    for _ in range(1 if len(paths) > 50 else 3):
        printed = measure.run([python, SCRIPTS / "load_each.py", store, place, area, *paths], env)
        timed.seconds.append(float(printed))
    return timed


def generated(bench, count) -> Path:
    """A package of so many scripts of 5 kB, unlike each other as far as programs are."""
    folder = bench.files / f"scripts-{count}"
    complete = bench.files / f"scripts-{count}.complete"
    if not complete.exists():
        for number in range(count):
            path = folder / f"pkg{number // 50}" / f"module{number}.py"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(script(number))
        complete.touch()
    return folder


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
