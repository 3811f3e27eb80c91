"""Emptying a bucket that keeps versions."""

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

    def fill(bucket):
        """Every object once; a thousand a second time, and those deleted, which leaves a marker each."""
        measure.run([python, "-c", VERSIONING, bucket], bench.env)
        measure.run([s5cmd, "cp", f"{folder}/", f"s3://{bucket}/"], bench.env)
        measure.run([s5cmd, "cp", f"{folder}/d0/", f"s3://{bucket}/d0/"], bench.env)
        measure.run([s5cmd, "rm", f"s3://{bucket}/d0/*"], bench.env)

    def rstack(_):
        name, bucket = bench.up("drain")
        fill(bucket)
        return measure.clock(bench.rstack("down", "-n", name, "--yes"), bench.env)

    def peer(_):
        bucket = bench.name("s5cmd-bucket")
        measure.run([s5cmd, "mb", f"s3://{bucket}"], bench.env)
        fill(bucket)
        return measure.clock([s5cmd, "rm", "--all-versions", f"s3://{bucket}/*"], bench.env)

    # Filling takes ten times as long as emptying: there is no round for warming up.
    tools = {"rstack down": rstack, "s5cmd rm --all-versions": peer}
    timed = measure.alternate(tools, 1 if bench.quick else measure.FEW, warm_up=False)
    report.note(f"{count + 2_000:,} versions and markers of {count:,} objects.")
    report.times(timed, baseline=timed[1].median)
    report.verdict(timed[0].median <= timed[1].median)
