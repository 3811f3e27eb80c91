"""Emptying a bucket that keeps versions."""

from concurrent.futures import ThreadPoolExecutor

import measure

TITLE = "Emptying a bucket of 10,000 objects with versions"
TARGET = "`rstack down` (which also deletes the stack and proves it) is no slower than `s5cmd rm --all-versions`."

VERSIONING = """
import boto3, sys
boto3.client("s3").put_bucket_versioning(Bucket=sys.argv[1], VersioningConfiguration={"Status": "Enabled"})
"""


def objects(bench) -> int:
    return 1_000 if bench.quick else 10_000


def prepare(bench):
    bench.small_files(objects(bench))


def run(bench, report):
    count = objects(bench)
    folder = bench.small_files(count)
    s5cmd = bench.peers.command("s5cmd", "s5cmd")
    python = bench.peers.command("boto3", "python")

    def fill(into, bucket):
        """Every object once; a thousand a second time, and those deleted, which leaves a marker each."""
        measure.run([python, "-c", VERSIONING, bucket], into.env)
        measure.run([s5cmd, "cp", f"{folder}/", f"s3://{bucket}/"], into.env)
        measure.run([s5cmd, "cp", f"{folder}/d0/", f"s3://{bucket}/d0/"], into.env)
        measure.run([s5cmd, "rm", f"s3://{bucket}/d0/*"], into.env)

    # Filling takes ten times as long as emptying: both buckets are filled at once, each in a local AWS of its own, and there is
    # no round for warming up.
    with bench.another("home-beside") as beside, ThreadPoolExecutor(2) as pool:
        filled = []

        def rstack(_):
            name, bucket = bench.up("drain")
            filled.append(beside.name("s5cmd-bucket"))
            measure.run([s5cmd, "mb", f"s3://{filled[-1]}"], beside.env)
            for filling in [pool.submit(fill, bench, bucket), pool.submit(fill, beside, filled[-1])]:
                filling.result()
            return measure.clock(bench.rstack("down", "-n", name, "--yes"), bench.env)

        def peer(_):
            """Empties the bucket that `rstack` has filled beside its own."""
            return measure.clock([s5cmd, "rm", "--all-versions", f"s3://{filled[-1]}/*"], beside.env)

        tools = {"rstack down": rstack, "s5cmd rm --all-versions": peer}
        timed = measure.alternate(tools, 1 if bench.quick else measure.FEW, warm_up=False)
    report.note(f"{count + 2_000:,} versions and markers of {count:,} objects, for each tool in a local AWS of its own.")
    report.times(timed, baseline=timed[1].median)
    report.verdict(timed[0].median <= timed[1].median)
