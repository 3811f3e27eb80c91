"""`rstack demo` imports `foo` from each of the three stores."""

import json
import sys

import pytest
from support.local import BINARY
from support.python import Python


@pytest.mark.once
def test_the_tour_imports_from_each_store(own_local, tmp_path):
    words = ["demo", "--output", "json", "-n", "python-tour"]
    shown = Python(own_local, tmp_path).run(*words, program=BINARY, timeout=110).stdout
    result = json.loads(shown.splitlines()[-1])["data"]
    assert [step["step"] for step in result["steps"]] == ["template", "up", "seed", "status", "read", "import", "down"]
    imports = result["imports"]
    assert [imported["store"] for imported in imports] == ["s3", "dynamodb", "redis"]
    for imported in imports:
        assert (imported["product"], imported["modules"]) == (42, 6)
        assert imported["file"].startswith("/rstack/") and sys.prefix not in imported["file"]
