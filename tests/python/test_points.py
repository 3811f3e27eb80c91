"""Where each point of a correct importer, and each mistake of the article's, is tested.

`test_07_…` is about point 7, `test_row_12_…` about row 12 of the mistakes.
"""

from __future__ import annotations

import re
from pathlib import Path

POINTS = {
    "finding": {
        1: "specs: has_location, origin, and a cache that is real or none",
        2: "only packages have a search path, so relative imports work",
        3: "a package before a module before a folder",
        4: "a meta-path finder and a path hook: replacing one module, namespaces, pkgutil",
        5: "names in `only` come from the source, others give way, at dot boundaries",
        6: "a missing name costs no request",
        7: "lookups that lead to lookups end",
        21: "nothing of the old protocol",
        22: "invalidate_caches is cheap",
    },
    "loading": {
        8: "only not-found is a miss; all else stops the import and names source, release and path",
        9: "compiled with its own flags and encoding",
        11: "file names that linecache, pdb, logging and coverage take",
        12: "reload sees the new release, and nobody mixes two releases' lines",
        16: "resources, data, distributions",
        23: "LazyLoader",
        24: "-O and -OO",
    },
    "bytecode": {10: "kept by source, interpreter, level and name; published; never where the source is not taken"},
    "processes": {
        13: "one release for the life of a process",
        14: "fork, spawn, forkserver",
        15: "runpy",
        17: "threads load in parallel, circular imports work, the interpreter runs on",
        18: "a fork has clients of its own",
        19: "a clear error in sub-interpreters",
        20: "state that any number of threads may use, also without a GIL",
    },
}
ROWS = range(1, 18)
HERE = Path(__file__).parent


def numbers(file: str, pattern: str) -> set[int]:
    return {int(number) for number in re.findall(rf"^def test_{pattern}_\w", (HERE / file).read_text(), re.MULTILINE)}


def test_every_point_of_the_specification_is_a_test():
    assert {topic: numbers(f"test_{topic}.py", r"(\d\d)") for topic in POINTS} == {
        topic: set(points) for topic, points in POINTS.items()
    }
    assert sorted(point for points in POINTS.values() for point in points) == list(range(1, 25))


def test_every_mistake_of_the_article_is_a_test():
    assert numbers("test_mistakes.py", r"row_(\d\d)") == set(ROWS)
