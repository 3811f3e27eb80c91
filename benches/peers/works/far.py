"""One request after the other at the distance of a store: what takes others the best part of a minute."""

import tempfile
from pathlib import Path

import measure
from delays import MILLISECONDS, Delay
from serving import served
from works.importing import by_http, modules_in
from works.load import Load, generated, many

TITLE = "File by file, far away"
TARGET = "What batches and releases are for; nothing of rstack's is measured here."


def prepare(bench):
    generated(bench, many(bench))


def run(bench, report):
    count, http = many(bench), bench.env["AWS_ENDPOINT_URL"].split("://")[1].strip("/")
    seconds = {
        f"{count} generated scripts from s3, by the article's client": article(bench, http),
        f"{count} modules from a web server, with httpimport, module by module": httpimport(bench),
    }
    report.note(f"A round trip of {MILLISECONDS['s3']} ms:")
    report.table(["", "one run"], [[what, f"{took:.1f} s"] for what, took in seconds.items()])
    report.note('rstack is in the tables of "Loading a source" and "Importing from Python", which are of the same scripts.')


def article(bench, http) -> float:
    tree = generated(bench, many(bench))
    name, bucket = bench.up("far")
    measure.run(bench.rstack("seed", tree, "-n", name, "--area", name, "--plain", "--store", "s3"), bench.env)
    with Delay("s3", http) as delay:
        delay.check()
        env = bench.env | {"AWS_ENDPOINT_URL": f"http://{delay.address}"}
        with Load(bench, "s3", http, bucket, name, tree).one_by_one(env, bucket) as each:
            took = each.seconds()
    measure.run(bench.rstack("down", "-n", name, "--yes"), bench.env)
    return took


def httpimport(bench) -> float:
    with tempfile.TemporaryDirectory(prefix="far-", dir=bench.files) as folder:
        with served(modules_in(bench, Path(folder) / "served")) as upstream, Delay("s3", upstream) as delay:
            delay.check()
            return measure.clock(by_http(bench, delay, ""), bench.env, cwd=folder)
