"""How long a command takes that does next to nothing."""

import measure

TITLE = "Starting up"
TARGET = "`rstack --version` and `rstack template` end within 10 ms of an empty process."

OTHERS = {"s5cmd": ["s5cmd", "version"], "awscli": ["aws", "--version"], "sam": ["sam", "--version"],
          "sceptre": ["sceptre", "--version"]}


def run(bench, report):
    rounds = 10 if bench.quick else 50

    def clock(*command):
        return lambda _: measure.clock(command, bench.env)

    tools = {
        "empty process (`true`)": clock("true"),
        "`rstack --version`": clock(bench.binary, "--version"),
        "`rstack template`": clock(bench.binary, "template"),
    }
    others = {
        f"`{program} {argument}`": clock(bench.peers.command(peer, program), argument)
        for peer, (program, argument) in OTHERS.items()
    }
    timed = measure.alternate(tools, rounds, beside=others)
    empty, *ours = (one.median for one in timed[: len(tools)])
    report.times(timed, baseline=empty, unit="ms")
    report.verdict(max(ours) - empty <= 0.010)
