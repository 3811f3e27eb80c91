"""The report, section by section, as Markdown."""

import os
import platform
import sys
from pathlib import Path

HEAD = """\
# Performance

`make bench` writes this page: it runs rstack and other tools side by side, one after the other within each round, on
the same work against the same local AWS (ministack and Redis on this machine), and takes the median. What AWS itself
takes is in none of these figures; what the tools add to it is.

"""


class Report:
    def __init__(self):
        self.parts = []
        self.missed = []
        # By work, table and row: rstack's ratios and their noise.
        self.ratios = {}

    def section(self, title, target, command):
        self.title, self.what = title, ""
        self.parts.append(f"## {title}\n\n{target}\n\n")
        self.parts.append(f"Made by `{command}`.\n\n")

    def note(self, text):
        if text.endswith(":"):
            self.what = f", {text[:-1]}"
        self.parts.append(f"{text}\n\n")

    def table(self, head, rows):
        lines = [head, ["---"] + ["---:"] * (len(head) - 1), *rows]
        self.parts.append("".join(f"| {' | '.join(line)} |\n" for line in lines) + "\n")

    def times(self, timed, baseline, unit="s"):
        """`baseline` is the median that the others are compared with, of one of them."""
        noise = max((one.noise for one in timed if one.median == baseline), default=0.0)
        for one in timed:
            if "rstack" in one.name:
                ratio = {"ratio": round(one.median / baseline, 3), "noise": round(one.noise + noise, 3)}
                self.ratios[f"{self.title}{self.what}: {one.name}"] = ratio
        factor, digits = (1000, 1) if unit == "ms" else (1, 2)

        def show(seconds):
            return f"{seconds * factor:.{digits}f} {unit}"

        rows = [
            [one.name, show(one.median), f"{show(min(one.seconds))} to {show(max(one.seconds))}", str(len(one.seconds)),
             f"{one.median / baseline:.2f}"]
            for one in timed
        ]
        self.table(["", "median", "range", "runs", "ratio"], rows)

    def memory(self, peaks):
        self.table(["", "most memory"], [[name, f"{peak / 1e6:.1f} MB"] for name, peak in peaks.items()])

    def verdict(self, reached):
        self.parts.append("Reached.\n\n" if reached else "**Not reached.**\n\n")
        if not reached:
            self.missed.append(self.title)

    def machine(self, versions):
        model = next(
            (line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line),
            platform.machine(),
        )
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
        self.parts.append("## The machine and the versions\n\n")
        self.parts.append(f"{model}, {os.cpu_count()} cores, {memory:.0f} GiB of memory, {platform.system()}, ")
        self.parts.append(f"Python {platform.python_version()}.\n\n")
        self.parts.append("".join(f"- {version}\n" for version in versions))

    def text(self) -> str:
        return HEAD + "".join(self.parts)

    def show(self):
        sys.stdout.write(self.text())
