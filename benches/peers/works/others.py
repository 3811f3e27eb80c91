"""The life of one environment by tools that wait between two looks, for seconds, most of the time."""

import deploying
import measure
from works.life import written

TITLE = "The life of an environment, by other tools"
TARGET = "What polling seldom costs; nothing of rstack's is measured here."


def run(bench, report):
    tools = {
        "AWS CLI deploy, delete-stack": awscli,
        "SAM deploy, delete": sam,
        "sceptre launch, delete": sceptre,
    }
    # Other works time what they ask of the usual one meanwhile.
    with bench.another("home-others") as others:
        template = written(others)
        rows = [[name, f"{tool(others, template):.1f} s"] for name, tool in tools.items()]
    report.table(["", "one run"], rows)
    report.note('rstack is in the table of "The life of an environment", with the same template.')


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
