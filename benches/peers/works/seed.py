"""Filling the stores: with the demo, with a real package, with many small files."""

import shutil
from pathlib import Path

import measure
from peers import DJANGO

TITLE = "Seeding"
TARGET = "Django to all three stores takes at most 1.5 times what `s5cmd cp` takes for S3 alone."

SCRIPTS = Path(__file__).parents[1] / "scripts"
DEMO = Path(__file__).resolve().parents[3] / "demo"
# What `rstack seed` also writes as plain files, unless it is told otherwise.
PLAIN = 16 * 2**20


def prepare(bench):
    bench.peers.django()
    many(bench)


def demo(bench) -> Path:
    """The demo scripts without what Python may have left beside them, which rstack passes over."""
    folder = bench.files / "demo"
    shutil.rmtree(folder, ignore_errors=True)
    return Path(shutil.copytree(DEMO, folder, ignore=shutil.ignore_patterns("__pycache__")))


def many(bench) -> Path:
    return bench.small_files(1_000 if bench.quick else 10_000)


def run(bench, report):
    name, bucket = bench.up("seed")
    table = bench.output(name, "RSTACK_TABLE")
    report.note("Every run fills an empty area.")
    seeded(bench, report, "The demo", demo(bench), name, bucket, table)
    ours, s5cmd, _ = seeded(bench, report, DJANGO.replace("==", " "), bench.peers.django(), name, bucket, table)
    # One by one they would take the best part of a minute, and tell what Django tells.
    seeded(bench, report, "Small files", many(bench), name, bucket)
    report.verdict(ours.median <= 1.5 * s5cmd.median)
    measure.run(bench.rstack("down", "-n", name, "--yes"), bench.env)


def seeded(bench, report, what, tree, name, bucket, table=None):
    s5cmd = bench.peers.command("s5cmd", "s5cmd")
    python = bench.peers.command("s3fs", "python")
    tools = {
        "rstack seed, three stores, read back": lambda _: measure.clock(
            bench.rstack("seed", tree, "-n", name, "--area", bench.name("area")), bench.env
        ),
        "s5cmd cp, S3 alone": lambda _: measure.clock([s5cmd, "cp", f"{tree}/", f"s3://{bucket}/{bench.name('s5cmd')}/"], bench.env),
    }
    slow = {
        "boto3, s3fs and redis-py, three stores, one by one": lambda _: measure.clock(
            [python, SCRIPTS / "one_by_one.py", tree, bucket, table, bench.name("python")], bench.env
        ),
    }
    # Without a target, two runs of what takes eight seconds are enough.
    timed = measure.alternate(tools, bench.rounds if table else 2, beside=slow if table else None)
    sizes = [path.stat().st_size for path in tree.rglob("*") if path.is_file()]
    kept = "a release and plain files" if sum(sizes) <= PLAIN else "a release alone, as of any tree over 16 MiB"
    report.note(f"{what}, {len(sizes):,} files; rstack writes {kept}:")
    report.times(timed, baseline=timed[1].median)
    return timed
