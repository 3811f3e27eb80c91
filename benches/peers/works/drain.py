"""Emptying a bucket."""

import measure

TITLE = "Emptying a bucket of 10,000 objects"
TARGET = "`rstack down` (which also deletes the stack and proves it) is no slower than `s5cmd rm`."


def run(bench, report):
    count = 1_000 if bench.quick else 10_000
    folder = bench.small_files(count)
    s5cmd = bench.peers.command("s5cmd", "s5cmd")

    def fill(bucket):
        measure.run([s5cmd, "cp", f"{folder}/", f"s3://{bucket}/"], bench.env)

    def rstack(_):
        name, bucket = bench.up("drain")
        fill(bucket)
        return measure.clock(bench.rstack("down", "-n", name, "--yes"), bench.env)

    def peer(_):
        bucket = bench.name("s5cmd-bucket")
        measure.run([s5cmd, "mb", f"s3://{bucket}"], bench.env)
        fill(bucket)
        return measure.clock([s5cmd, "rm", f"s3://{bucket}/*"], bench.env)

    timed = measure.alternate({"rstack down": rstack, "s5cmd rm": peer}, 1 if bench.quick else 3)
    report.times(timed, baseline=timed[1].median)
    report.verdict(timed[0].median <= timed[1].median)
