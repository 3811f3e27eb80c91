"""A local AWS and Redis of the tests' own, started and stopped through the rstack binary."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
TARGET = Path(os.environ.get("CARGO_TARGET_DIR") or ROOT / "target").resolve()
BINARY = Path(os.environ.get("RSTACK_BIN") or TARGET / "debug/rstack").resolve()

# Stops the servers once its stdin closes, also when the tests are killed.
WATCHDOG = 'cat; until "$1" local stop --yes || [ $((tries += 1)) = 5 ]; do sleep 1; done'


class Local:
    """A running local AWS."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.variables: dict[str, str] = {}
        """What other tools need, such as AWS_ENDPOINT_URL and REDIS_URL."""

    @property
    def env(self) -> dict[str, str]:
        """What leads the binary and the package here, beside PATH and the like."""
        dropped = ("RSTACK_", "AWS_", "PYTHON")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(dropped)}
        return kept | {
            "RSTACK_HOME": str(self.home),
            "RSTACK_LOCAL": "1",
            # What one test reads, another finds in the stores.
            "RSTACK_CACHE": "off",
            "AWS_EC2_METADATA_DISABLED": "true",
            "NO_COLOR": "1",
        }

    def rstack(
        self, *args: object, check: bool = True, env: dict[str, str] | None = None, cwd: Path | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Runs the binary to its end."""
        finished = subprocess.run(
            [BINARY, *map(str, args)],
            env=self.env | (env or {}),
            # No rstack.yaml of anybody's.
            cwd=cwd or self.home,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if check and finished.returncode != 0:
            raise AssertionError(f"{finished.args}: {finished.returncode}\n{finished.stdout}\n{finished.stderr}")
        return finished

    def start(self) -> None:
        self.variables = json.loads(self.rstack("local", "env", "--format", "json").stdout)

    def kill(self, server: str) -> None:
        """Kills `redis` or `aws`, as a crash would."""
        state = json.loads((self.home / "local/state.json").read_text())
        os.kill(state[server]["pid"], signal.SIGKILL)


@contextmanager
def running(home: Path) -> Iterator[Local]:
    """A new one in an empty folder."""
    local = Local(home)
    inside = home / "local"
    inside.mkdir(parents=True)
    (inside / "venv").symlink_to(installed())
    watchdog = subprocess.Popen(
        ["sh", "-c", WATCHDOG, "sh", BINARY],
        env=local.env,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        # A Ctrl-C in the terminal is for the tests alone.
        start_new_session=True,
    )
    try:
        local.start()
        yield local
    finally:
        watchdog.stdin.close()
        watchdog.wait()


def installed() -> Path:
    """The virtual environment of the emulator, made once and shared with the tests in Rust."""
    home = TARGET / "tmp/rstack-home"
    venv = home / "local/venv"
    home.mkdir(parents=True, exist_ok=True)
    with (home / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (home / "installed").exists():
            local = Local(home)
            for action in ("start", "stop"):
                local.rstack("local", action)
            (home / "installed").touch()
    return venv
