"""Publishing releases: a small change, and a hundred thousand files."""

import re
import shlex
import shutil

import measure

TITLE = "Publishing releases"
TARGET = (
    "One changed file in a tree of 4,000 takes under 20 requests to each store. A release of 100,000 files takes under "
    "300 MB of memory and at most 3 times what `tar` with `zstd` of the same tree and the transfer of the archive take."
)


def prepare(bench):
    bench.small_files(4_000)
    bench.small_files(objects(bench))


def objects(bench) -> int:
    return 2_000 if bench.quick else 100_000


def run(bench, report):
    name, bucket = bench.up("publish")
    few = one_change(bench, report, name)
    quick = many_files(bench, report, name, bucket)
    report.verdict(few and quick)
    measure.run(bench.rstack("down", "-n", name, "--yes"), bench.env)


def one_change(bench, report, name) -> bool:
    tree = bench.files / "changing"
    shutil.rmtree(tree, ignore_errors=True)
    shutil.copytree(bench.small_files(4_000), tree)
    good = True
    for what, words in {"plain files too": [], "`--no-plain`": ["--no-plain"]}.items():
        area = f"changing{len(words)}"
        seed = bench.rstack("seed", tree, "-n", name, "--area", area, *words)
        measure.run(seed, bench.env)
        (tree / "d0" / "f0.py").write_text(f"changed = {area!r}\n")
        log = measure.log(seed, bench.env | {"RSTACK_LOG": "debug"})
        stores = ("S3", "DynamoDB", "Redis")
        counts = {store: len(re.findall(rf'service="{store}"', log)) for store in stores}
        shown = ", ".join(f"{count} to {store}" for store, count in counts.items())
        report.note(f"One changed file in 4,000, {what}: {shown}; a pipeline to Redis counts once.")
        good = good and all(0 < count < 20 for count in counts.values())
    return good


def many_files(bench, report, name, bucket) -> bool:
    count = objects(bench)
    tree = bench.small_files(count)
    s5cmd = bench.peers.command("s5cmd", "s5cmd")
    archive = bench.files / "archive.tar.zst"

    def packed(number):
        pack = f"tar -C {shlex.quote(str(tree))} -c . | zstd -q -f -o {shlex.quote(str(archive))}"
        send = f"{shlex.quote(str(s5cmd))} cp {shlex.quote(str(archive))} s3://{bucket}/archive{number}"
        return measure.clock(["sh", "-c", f"{pack} && {send}"], bench.env)

    def seed(area):
        return bench.rstack("seed", tree, "-n", name, "--area", area, "--no-plain")

    tools = {
        "rstack seed, three stores, read back": lambda number: measure.clock(seed(f"many{number}"), bench.env),
        "tar, zstd, and s5cmd cp to S3": packed,
    }
    timed = measure.alternate(tools, bench.rounds)
    report.note(f"{count:,} files. Every run fills an empty area.")
    report.times(timed, baseline=timed[1].median)
    peak = measure.peak_memory(seed("memory"), bench.env)
    report.memory({f"`rstack seed --no-plain`, {count:,} files": peak})
    return timed[0].median <= 3 * timed[1].median and peak < 300_000_000
