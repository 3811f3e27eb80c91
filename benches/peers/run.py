"""Runs rstack and other tools side by side: run.py [--quick] [WORK ...]

Without works it runs them all and writes docs/performance.md; a named work is only printed. --quick takes fewer runs
and less data, and only prints. Ratios that got worse than those on file, docs/performance.json, by more than the noise of
both are warned of; a full run puts its own there, and --quick --save those of a quick one. The release binary is built
first, and the wheel while works run that wait most of the time; RSTACK_BINARY and RSTACK_WHEEL name others instead.
"""

import argparse
import importlib
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import filed
import measure
from bench import ROOT, Bench
from peers import PACKAGES
from report import Report

WORKS = ["startup", "life", "others", "seed", "publish", "load", "importing", "far", "drain", "notice", "large"]
# Those that wait, for seconds and minutes, and one that asks for memory only, and gives way. They run at the same time.
TOGETHER = ["notice", "far", "others", "large"]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("works", nargs="*", metavar="WORK", help=f"some of {', '.join(WORKS)}")
    parser.add_argument("--quick", action="store_true", help="fewer runs, less data")
    parser.add_argument("--save", action="store_true", help="put the ratios of a quick run on file")
    options = parser.parse_args()
    if unknown := set(options.works) - set(WORKS):
        parser.error(f"there is no work {', '.join(unknown)}")
    bench, report = Bench(options.quick), Report()
    # The local AWS is stopped however this ends.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    began = time.perf_counter()
    try:
        works = {name: importlib.import_module(f"works.{name}") for name in options.works or WORKS}
        ready = said("Set-up", lambda: prepare(bench, works.values(), everything=not options.works))
        run(bench, report, works, everything=not options.works)
        took = f"The whole took {minutes(time.perf_counter() - began)}, {minutes(ready)} of it to set up."
        report.machine(bench.versions(), took)
    except (measure.Failed, subprocess.CalledProcessError) as failed:
        sys.stdout.write(report.text())
        print(f"bench: {failed}", file=sys.stderr)
        return 1
    finally:
        bench.stop()
    kind, path = "quick" if options.quick else "full", ROOT / "docs/performance.json"
    before = filed.read(path).get(kind, {})
    if not options.works and not options.quick:
        (ROOT / "docs/performance.md").write_text(report.text())
    if not options.works and (options.save or not options.quick):
        filed.write(path, kind, report.ratios)
    sys.stdout.write(report.text())
    if not before:
        print(f"no ratios of a {kind} run are on file to compare with", file=sys.stderr)
    for sentence in filed.worse(before, report.ratios):
        print(f"warning: slower than on file: {sentence}", file=sys.stderr)
    judged = "not reached, of what is too little to judge by" if options.quick else "not reached"
    for title in report.missed:
        print(f"{judged}: {title}", file=sys.stderr)
    print(took, file=sys.stderr)
    return 0


def prepare(bench, works, everything):
    """Builds, installs the peers and writes the files, so that nothing of it happens while something is timed."""

    def ours():
        bench.build()
        bench.start()

    def files():
        for work in works:
            if hasattr(work, "prepare"):
                work.prepare(bench)

    steps = [ours, files]
    if everything:
        steps += [lambda peer=peer: bench.peers.command(peer, "python") for peer in PACKAGES]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for step in [pool.submit(step) for step in steps]:
            step.result()


def run(bench, report, works, everything):
    sections = {
        name: report.section(work.TITLE, work.TARGET, f"python3 benches/peers/run.py {name}") for name, work in works.items()
    }

    failed = []

    def one(name):
        try:
            said(works[name].TITLE, lambda: works[name].run(bench, sections[name]))
        except measure.Failed as failure:
            print(f"{works[name].TITLE}, which is tried once more at the end: {failure}", file=sys.stderr)
            failed.append(name)

    together = [lambda name=name: one(name) for name in TOGETHER if name in works]
    if everything:
        together.append(lambda: said("The wheel", bench.peers.rstack))
    with ThreadPoolExecutor(len(TOGETHER) + 1) as pool:
        for done in [pool.submit(work) for work in together]:
            done.result()
    for name in works:
        if name not in TOGETHER:
            one(name)
    for name in failed:
        sections[name].clear()
        said(works[name].TITLE, lambda name=name: works[name].run(bench, sections[name]))


def said(what, work) -> float:
    """Says and returns how many seconds it took."""
    began = time.perf_counter()
    work()
    took = time.perf_counter() - began
    print(f"{what}: {took:.0f} s", file=sys.stderr)
    return took


def minutes(seconds) -> str:
    return f"{seconds // 60:.0f} min {seconds % 60:.0f} s"


if __name__ == "__main__":
    sys.exit(main())
