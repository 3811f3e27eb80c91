"""What rstack did in this process."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ._finder import Importer
    from ._loader import Loader
    from ._native import Member


class Loaded:
    """A module that was loaded."""

    def __init__(self, loader: Loader) -> None:
        self.name: str = loader.name
        # Which release it is from, in words.
        self.source: str = loader.release.source.named(loader.file)
        # Its path there.
        self.path: str = loader.file
        # What its code was: "source", bytecode that was "published" with the release, or "kept" on this machine.
        self.found: str = loader.found or ""
        # Until its code was there, and to run it with all that it imported.
        self.load_seconds, self.run_seconds = loader.seconds

    def __repr__(self) -> str:
        times = f"{self.load_seconds * 1000:.2f} ms to load, {self.run_seconds * 1000:.2f} ms to run"
        return f"<{self.name}: {self.path} in {self.source}, {self.found}, {times}>"


class Info:
    """What modules come from, which were loaded, and which are hidden."""

    def __init__(self, importer: Importer) -> None:
        source = importer.release.source
        self.source: str = source.url
        self.members: list[Member] = source.members
        self.only: tuple[str, ...] = importer.only.names
        self.modules: list[Loaded] = [Loaded(loader) for loader in list(importer.loaded.values()) if loader.found]
        # Names of the release, and what hides them.
        self.hidden: dict[str, str] = dict(importer.hidden)

    def __str__(self) -> str:
        lines = [f"source  {self.source}"]
        lines.extend(f"        {member}" for member in self.members)
        if self.only:
            lines.append(f"only    {', '.join(self.only)}")
        lines.extend(f"hidden  {name} by {origin}" for name, origin in sorted(self.hidden.items()))
        width = max((len(module.name) for module in self.modules), default=0)
        for module in self.modules:
            times = f"{module.load_seconds * 1000:8.2f} ms {module.run_seconds * 1000:8.2f} ms"
            lines.append(f"{module.name:{width}} {times}  {module.found:9}  {module.source}")
        return "\n".join(lines)

    def __repr__(self) -> str:
        return f"<rstack.Info {self.source}: {len(self.modules)} modules, {len(self.hidden)} hidden>"
