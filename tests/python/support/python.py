"""Python processes with the package."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from .local import Local


class Python:
    """Runs an interpreter afresh, in a folder that starts empty."""

    def __init__(self, local: Local, folder: Path, executable: Path = Path(sys.executable)) -> None:
        self.local = local
        self.folder = folder
        self.executable = executable
        self.started: list[subprocess.Popen[str]] = []

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

    def start(self, code: str, env: dict[str, str] | None = None) -> subprocess.Popen[str]:
        """Code that goes on while the test does something: it prints a line when it is ready and reads one to go on."""
        process = subprocess.Popen(
            [str(self.executable), "-c", code],
            env=self.env | (env or {}),
            cwd=self.folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            # With all its forks.
            start_new_session=True,
        )
        self.started.append(process)
        return process

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

    @property
    def env(self) -> dict[str, str]:
        """With `bin` of this interpreter's environment in front of PATH, as after `activate`."""
        env = self.local.env
        return env | {"PATH": f"{self.executable.parent}:{env['PATH']}"}
