"""The life of one environment, from nothing to nothing, on a local AWS that runs already."""

from pathlib import Path

import measure

TITLE = "The life of an environment"
TARGET = "up, seed, status and down of the demo take at most 0.5 s altogether, and at most 25 MB of memory each."

SCRIPTS = Path(__file__).parents[1] / "scripts"


def run(bench, report):
    template = written(bench)
    tools = {
        "rstack up, seed, status, down": lambda _: rstack(bench),
        "boto3 script, the same": lambda _: boto3(bench, template),
    }
    timed = measure.alternate(tools, bench.rounds)
    report.times(timed, baseline=timed[1].median)
    name = bench.name("memory")
    peaks = {step[0]: measure.peak_memory(bench.rstack(*step), bench.env) for step in steps(name)}
    report.memory({f"`rstack {command}`": peak for command, peak in peaks.items()})
    report.note('Tools that wait most of the time are in "The life of an environment, by other tools".')
    report.verdict(timed[0].median <= 0.5 and max(peaks.values()) <= 25_000_000)


def written(bench) -> Path:
    """The template that each tool creates."""
    template = bench.files / "template.yaml"
    template.write_text(measure.run([bench.binary, "template"], bench.env))
    return template


def steps(name):
    return [("up", "-n", name), ("seed", "-n", name), ("status", "-n", name), ("down", "-n", name, "--yes")]


def rstack(bench) -> float:
    name = bench.name("life")
    return sum(measure.clock(bench.rstack(*step), bench.env) for step in steps(name))


def boto3(bench, template) -> float:
    python = bench.peers.command("boto3", "python")
    return measure.clock([python, SCRIPTS / "life.py", template, bench.name("boto3")], bench.env)
