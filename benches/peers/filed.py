"""The ratios on file, docs/performance.json, and those that got worse.

A ratio is rstack's median divided by that of what it is compared with. A full run and a quick one do different amounts of
work, so each has figures of its own.
"""

import json
from pathlib import Path

# Ratios of a few milliseconds move by this much for no reason.
LEAST = 0.05


def read(path: Path) -> dict:
    return json.loads(path.read_text()) if path.exists() else {}


def write(path: Path, kind: str, ratios: dict):
    path.write_text(json.dumps(read(path) | {kind: ratios}, indent=1, sort_keys=True) + "\n")


def worse(filed: dict, ratios: dict) -> list[str]:
    """A sentence for each ratio that exceeds the one on file by more than the noise of both."""
    sentences = []
    for name, now in ratios.items():
        before = filed.get(name)
        if before is None:
            continue
        allowed = max(now["noise"] + before["noise"], LEAST)
        if now["ratio"] > before["ratio"] * (1 + allowed):
            sentences.append(
                f"{name}: ratio {now['ratio']:.2f}, on file {before['ratio']:.2f}, noise of both {100 * allowed:.0f} %"
            )
    return sentences
