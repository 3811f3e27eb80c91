"""The report, section by section, as Markdown."""

import os
import platform
from pathlib import Path

import measure

HEAD = f"""\
# Performance

`make bench` writes this page: it runs rstack and other tools side by side, one after the other within each round, on
the same work against the same local AWS (ministack and Redis on this machine), and takes the median. What AWS itself
takes is in none of these figures; what the tools add to it is. Other tools run as often as rstack or {measure.FEW} times;
they stop after {measure.ENOUGH} s in all, though not before {measure.FEW} runs unless one takes more than {measure.SLOW} s.
Four works run at the same time, and the Python package is built beside them, since they wait, or ask for memory only:
other tools' life of an environment, noticing, file by file, a gigabyte.

"""


class Report:
    def __init__(self):
        self.sections = []
        self.last = ""

    def section(self, title, target, command):
        self.sections.append(Section(title, target, command))
        return self.sections[-1]

    @property
    def missed(self):
        return [section.title for section in self.sections if section.missed]

    @property
    def ratios(self):
        """By work, table and row: rstack's ratios and their noise."""
        return {name: ratio for section in self.sections for name, ratio in section.ratios.items()}

    def machine(self, versions, took):
        model = next(
            (line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line),
            platform.machine(),
        )
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
        self.last = (
            "## The machine and the versions\n\n"
            f"{model}, {os.cpu_count()} cores, {memory:.0f} GiB of memory, {platform.system()}, "
            f"Python {platform.python_version()}. {took}\n\n"
        ) + "".join(f"- {version}\n" for version in versions)

    def text(self) -> str:
        return HEAD + "".join(text for section in self.sections for text in section.parts) + self.last


class Section:
    def __init__(self, title, target, command):
        self.title, self.target, self.command = title, target, command
        self.clear()

    def clear(self):
        """Forgets what was measured."""
        self.what, self.missed, self.ratios = "", False, {}
        self.parts = [f"## {self.title}\n\n{self.target}\n\n", f"Made by `{self.command}`.\n\n"]

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
            if one.ours:
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
        self.missed = not reached
