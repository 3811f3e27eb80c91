"""Memory of seeding and emptying when there is a lot."""

import measure

TITLE = "A gigabyte, and 100,000 objects"
TARGET = "Seeding and emptying stay under 100 MB of memory."


def run(bench, report):
    megabytes, objects = (64, 2_000) if bench.quick else (1_024, 100_000)
    works = {
        f"{megabytes:,} MiB into S3 and DynamoDB": (bench.large_files(megabytes), ["s3", "dynamodb"]),
        f"{objects:,} files into S3": (bench.small_files(objects), ["s3"]),
        f"{objects:,} files into all three stores": (bench.small_files(objects), []),
    }
    peaks = {}
    for what, (folder, stores) in works.items():
        name, _ = bench.up("large")
        chosen = [word for store in stores for word in ("--store", store)]
        peaks[f"`rstack seed`, {what}"] = measure.peak_memory(bench.rstack("seed", folder, "-n", name, *chosen), bench.env)
        peaks[f"`rstack down` of {what}"] = measure.peak_memory(bench.rstack("down", "-n", name, "--yes"), bench.env)
    report.memory(peaks)
    report.verdict(max(peaks.values()) < 100_000_000)
