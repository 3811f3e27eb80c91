"""Filling the stores with a real package."""

from pathlib import Path

import measure
from peers import DJANGO

TITLE = f"Seeding {DJANGO.replace('==', ' ')}"
TARGET = "All three stores take at most 1.5 times what `s5cmd cp` takes for S3 alone."

SCRIPTS = Path(__file__).parents[1] / "scripts"


def run(bench, report):
    package = bench.peers.django()
    s5cmd = bench.peers.command("s5cmd", "s5cmd")
    python = bench.peers.command("s3fs", "python")
    name, bucket = bench.up("seed")
    table = bench.output(name, "RSTACK_TABLE")
    tools = {
        "rstack seed, three stores, read back": lambda number: measure.clock(
            bench.rstack("seed", package, "-n", name, "--area", f"area{number}"), bench.env
        ),
        "s5cmd cp, S3 alone": lambda number: measure.clock(
            [s5cmd, "cp", f"{package}/", f"s3://{bucket}/s5cmd{number}/"], bench.env
        ),
    }
    timed = measure.alternate(tools, bench.rounds)
    slow = measure.Timed("boto3, s3fs and redis-py, three stores, one by one")
    for number in range(1 if bench.quick else 3):
        script = [python, SCRIPTS / "one_by_one.py", package, bucket, table, f"python{number}"]
        slow.seconds.append(measure.clock(script, bench.env))
    timed.append(slow)
    report.note(f"{sum(1 for path in package.rglob('*') if path.is_file()):,} files. Every run fills an empty area.")
    report.times(timed, baseline=timed[1].median)
    report.verdict(timed[0].median <= 1.5 * timed[1].median)
    measure.run(bench.rstack("down", "-n", name, "--yes"), bench.env)
