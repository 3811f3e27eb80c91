"""The life of one environment, from nothing to nothing, on a local AWS that runs already."""

from pathlib import Path

import deploying
import measure

TITLE = "The life of an environment"
TARGET = "up, seed, status and down of the demo take at most 0.5 s altogether, and at most 25 MB of memory each."

SCRIPTS = Path(__file__).parents[1] / "scripts"


def run(bench, report):
    template = bench.files / "template.yaml"
    template.write_text(measure.run([bench.binary, "template"], bench.env))
    tools = {
        "rstack up, seed, status, down": lambda _: rstack(bench),
        "boto3 script, the same": lambda _: boto3(bench, template),
        "AWS CLI deploy, delete-stack": lambda _: awscli(bench, template),
        "SAM deploy, delete": lambda _: sam(bench, template),
        "sceptre launch, delete": lambda _: sceptre(bench, template),
    }
    timed = measure.alternate(tools, bench.rounds)
    report.times(timed, baseline=timed[1].median)
    name = bench.name("memory")
    peaks = {step[0]: measure.peak_memory(bench.rstack(*step), bench.env) for step in steps(name)}
    report.memory({f"`rstack {command}`": peak for command, peak in peaks.items()})
    report.verdict(timed[0].median <= 0.5 and max(peaks.values()) <= 25_000_000)


def steps(name):
    return [("up", "-n", name), ("seed", "-n", name), ("status", "-n", name), ("down", "-n", name, "--yes")]


def rstack(bench) -> float:
    name = bench.name("life")
    return sum(measure.clock(bench.rstack(*step), bench.env) for step in steps(name))


def boto3(bench, template) -> float:
    python = bench.peers.command("boto3", "python")
    return measure.clock([python, SCRIPTS / "life.py", template, bench.name("boto3")], bench.env)


def awscli(bench, template) -> float:
    aws, name = [bench.peers.command("awscli", "aws"), "cloudformation"], bench.name("awscli")
    delete = [*aws, "delete-stack", "--stack-name", name]
    wait = [*aws, "wait", "stack-delete-complete", "--stack-name", name]
    return deployed(bench, deploying.awscli(bench, template, name), delete, wait)


def sam(bench, template) -> float:
    command, name = bench.peers.command("sam", "sam"), bench.name("sam")
    return deployed(bench, deploying.sam(bench, template, name), [command, "delete", "--stack-name", name, "--no-prompts"])


def sceptre(bench, template) -> float:
    command, name = bench.peers.command("sceptre", "sceptre"), bench.name("sceptre")
    return deployed(bench, deploying.sceptre(bench, template, name), [command, "delete", "--yes", "stack.yaml"])


def deployed(bench, deploy, *later) -> float:
    """Seconds of creating a stack as `deploying` says, and of what follows."""
    command, folder = deploy
    return sum(measure.clock(command, bench.env, cwd=folder) for command in (command, *later))
