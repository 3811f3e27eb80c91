"""Timing and memory of processes. Linux only: memory comes from /proc."""

import statistics
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path


# How many runs a median is of, at least.
FEW = 3
# Seconds of a run: warming up is nothing beside the first; what takes longer than the second may run less than three times.
LONG, SLOW = 1, 4
# Seconds of all runs of a tool of others.
ENOUGH = 5


class Failed(Exception):
    """A command ended in a way that makes its time worthless."""


@dataclass
class Timed:
    """The seconds that one tool took, a run each."""

    name: str
    seconds: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)

    @property
    def ours(self) -> bool:
        return "rstack" in self.name

    def enough(self, rounds) -> bool:
        """Whether it ran often enough; a tool of others also when it took ENOUGH in all, and ran FEW times or took more than SLOW
        once."""
        if len(self.seconds) >= rounds:
            return True
        if self.ours or sum(self.seconds) < ENOUGH:
            return False
        return len(self.seconds) >= FEW or max(self.seconds) > SLOW

    @property
    def noise(self) -> float:
        """How far runs are from the median, as a share of it: half of what the middle half of them spans, of few runs half of
        what all of them span."""
        ends = statistics.quantiles(self.seconds, n=4) if len(self.seconds) > 4 else [min(self.seconds), max(self.seconds)]
        return (ends[-1] - ends[0]) / 2 / self.median


def run(command, env, cwd=None, ok=(0,)) -> str:
    """Runs a command and returns its stdout; an unexpected exit code ends the benchmark with what it said."""
    return _done(command, env, cwd, ok).stdout


def log(command, env) -> str:
    """Runs a command and returns its stderr."""
    return _done(command, env, None, (0,)).stderr


def _done(command, env, cwd, ok) -> subprocess.CompletedProcess:
    done = subprocess.run(command, env=env, cwd=cwd, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if done.returncode not in ok:
        said = (done.stdout + done.stderr)[-2000:]
        raise Failed(f"{' '.join(map(str, command))} ended with {done.returncode}\n{said}")
    return done


def clock(command, env, cwd=None, ok=(0,)) -> float:
    """Seconds from the start of the process to its end."""
    start = time.perf_counter()
    run(command, env, cwd, ok)
    return time.perf_counter() - start


def alternate(tools, rounds, beside=None, warm_up=True) -> list[Timed]:
    """Times each tool once a round, so that a busy moment of the machine meets all of them.

    `tools` maps a name to a function of the round's number, which returns seconds. Each runs once before, which is counted, and
    makes the last round unnecessary, where warming up is nothing beside what it takes. Those of `beside` take part in three
    rounds and do not warm up, which shows in the range of three runs and not in their median. A tool of others stops early, see `Timed.enough`.
    """
    tools, beside = dict(tools), beside or {}
    timed = {name: Timed(name) for name in [*tools, *beside]}
    for number in range(0 if warm_up else 1, rounds + 1):
        for name, tool in (tools | beside if 0 < number <= FEW else tools).items():
            one = timed[name]
            if one.enough(FEW if name in beside else rounds):
                continue
            seconds = tool(number)
            if number > 0 or seconds > LONG:
                one.seconds.append(seconds)
    return list(timed.values())


class Asked:
    """A process that makes a run for each line that it is sent, and answers with the seconds that it took."""

    def __init__(self, command, env):
        self.command = [str(word) for word in command]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        self.process = subprocess.Popen(self.command, env=env, text=True, **pipes)

    def seconds(self, _=None) -> float:
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        if answer := self.process.stdout.readline():
            return float(answer)
        raise Failed(f"{' '.join(self.command)} ended with {self.process.wait()}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.communicate()


def peak_memory(command, env, cwd=None, ok=(0,)) -> int:
    """The most bytes that the process held in memory at once.

    Asked of the system while it runs: what wait4 tells includes the memory of the Python that started it.
    """
    process = subprocess.Popen(
        command, env=env, cwd=cwd, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    status = Path(f"/proc/{process.pid}/status")
    peak = 0
    while process.poll() is None:
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM:"):
                peak = max(peak, int(line.split()[1]) * 1024)
        time.sleep(0.0005)
    if process.returncode not in ok:
        raise Failed(f"{' '.join(map(str, command))} ended with {process.returncode}\n{process.stderr.read()[-2000:]}")
    return peak
