"""How long a command takes that does next to nothing."""

import measure

TITLE = "Starting up"
TARGET = "`rstack --version` and `rstack template` end within 10 ms of an empty process."


def run(bench, report):
    rounds = 10 if bench.quick else 50
    commands = {
        "empty process (`true`)": ["true"],
        "`rstack --version`": [bench.binary, "--version"],
        "`rstack template`": [bench.binary, "template"],
    }
    timed = measure.alternate(
        {name: lambda _, command=command: measure.clock(command, bench.env) for name, command in commands.items()}, rounds
    )
    empty = timed[0].median
    report.times(timed, baseline=empty, unit="ms")
    report.verdict(max(one.median for one in timed) - empty <= 0.010)
