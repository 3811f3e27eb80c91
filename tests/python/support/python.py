"""Python processes with the package."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from .environment import Area
from .local import Local
from .proxy import proxied


class Program(subprocess.Popen[str]):
    """One that goes on while a test does something: it prints a line when it is ready, and reads one to go on."""

    def says(self, line: str) -> None:
        """Waits for its next line, which has to be this one."""
        said = self.line()
        assert said == line, said

    def line(self) -> str:
        """Its next line. A byte at a time: `communicate` would never see what was read ahead."""
        assert self.stdout is not None
        read = b""
        while (byte := os.read(self.stdout.fileno(), 1)) not in (b"", b"\n"):
            read += byte
        return read.decode()

    def go_on(self) -> None:
        assert self.stdin is not None
        self.stdin.write("\n")
        self.stdin.flush()

    def rest(self) -> str:
        """Lets it go on; what it prints until its end."""
        return self.communicate("\n", timeout=60)[0]


class Python:
    """Runs an interpreter afresh, in a folder that starts empty."""

    def __init__(self, local: Local, folder: Path, executable: Path = Path(sys.executable)) -> None:
        self.local = local
        self.folder = folder
        self.executable = executable
        self.started: list[Program] = []

    def __call__(self, code: str, **options: object) -> str:
        """Runs code, which has to succeed; gives what it printed."""
        return self.run("-c", code, **options).stdout

    def run(
        self,
        *args: object,
        check: bool = True,
        env: dict[str, str] | None = None,
        input: str | None = None,
        timeout: float = 60,
        program: object = None,
    ) -> subprocess.CompletedProcess[str]:
        """`python args…`; env comes on top of what leads to the local AWS."""
        finished = subprocess.run(
            [str(program or self.executable), *map(str, args)],
            env=self.env | (env or {}),
            cwd=self.folder,
            input=input if input is not None else "",
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        if check and finished.returncode != 0:
            shown = f"{finished.stdout}\n{finished.stderr}"
            raise AssertionError(f"{' '.join(map(str, finished.args))}: {finished.returncode}\n{shown}")
        return finished

    def start(self, code: str, env: dict[str, str] | None = None) -> Program:
        program = Program(
            [str(self.executable), "-c", code],
            env=self.env | (env or {}),
            cwd=self.folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            # With all its forks.
            start_new_session=True,
        )
        self.started.append(program)
        return program

    def stop(self) -> None:
        """Whatever a test left running."""
        for process in self.started:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.communicate()

    def write(self, name: str, text: str) -> Path:
        """A file in its folder."""
        file = self.folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return file

    def installed(self, area: Area | str, code: str, *, install: dict[str, object] | None = None, **named: Any) -> str:
        """What code prints after `rstack.install` of an area or source; `install` are further arguments of that."""
        return self(_installing(area, install) + code, **named)

    def start_installed(self, area: Area | str, code: str, *, install: dict[str, object] | None = None) -> Program:
        return self.start(_installing(area, install) + code)

    def counted(self, url: str, code: str) -> tuple[str, int]:
        """What code prints after a Redis was installed, and how often rstack asked that for it."""
        with proxied(url) as proxy:
            program = self.start_installed(proxy.url(url), f"print(flush=True)\ninput()\n{code}")
            program.says("")
            before = proxy.asked
            printed = program.rest()
            assert program.returncode == 0 and before > 0
            return printed, proxy.asked - before

    @property
    def env(self) -> dict[str, str]:
        """With `bin` of this interpreter's environment in front of PATH, as after `activate`."""
        env = self.local.env
        return env | {"PATH": f"{self.executable.parent}:{env['PATH']}"}


def _installing(area: Area | str, install: dict[str, object] | None) -> str:
    options = "".join(f", {name}={value!r}" for name, value in (install or {}).items())
    source = area if isinstance(area, str) else area.env
    return f"import rstack, sys\nrstack.install({source!r}{options})\n"
