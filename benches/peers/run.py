"""Runs rstack and other tools side by side: run.py [--quick] [WORK ...]

Without works it runs them all and writes docs/performance.md; a named work is only printed. --quick takes fewer runs
and less data, and only prints. Ratios that got worse than those on file, docs/performance.json, by more than the noise of
both are warned of; a full run puts its own there, and --quick --save those of a quick one. RSTACK_BINARY names another
binary than target/release/rstack, RSTACK_WHEEL another wheel of the Python package than the one that is built.
"""

import argparse
import importlib
import signal
import sys
import time

import filed
import measure
from bench import ROOT, Bench
from report import Report

WORKS = ["startup", "life", "seed", "publish", "load", "importing", "drain", "notice", "large"]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("works", nargs="*", metavar="WORK", help=f"some of {', '.join(WORKS)}")
    parser.add_argument("--quick", action="store_true", help="fewer runs, less data")
    parser.add_argument("--save", action="store_true", help="put the ratios of a quick run on file")
    options = parser.parse_args()
    if unknown := set(options.works) - set(WORKS):
        parser.error(f"there is no work {', '.join(unknown)}")
    bench, report = Bench(2 if options.quick else 3, options.quick), Report()
    # The local AWS is stopped however this ends.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        bench.start()
        for name in options.works or WORKS:
            began = time.perf_counter()
            work = importlib.import_module(f"works.{name}")
            report.section(work.TITLE, work.TARGET, f"python3 benches/peers/run.py {name}")
            work.run(bench, report)
            print(f"{work.TITLE}: {time.perf_counter() - began:.0f} s", file=sys.stderr)
        report.machine(bench.versions())
    except measure.Failed as failed:
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
    report.show()
    for sentence in filed.worse(before, report.ratios):
        print(f"warning: slower than on file: {sentence}", file=sys.stderr)
    for title in report.missed:
        print(f"not reached: {title}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
