"""Loading a model takes the standard library only, so that a model server needs nothing else of Stepdown's."""

from __future__ import annotations

import subprocess
import sys

from tests.kit.model_registry import Workshop

PROGRAM = """
import sys
from stepdown.registry import Registry
registry = Registry(sys.argv[1])
assert registry.load("churn", "latest", trusted=True) == "model"
assert registry.verify().damages == ()
own = {"stepdown", "stepdown_adapters"}
print(*sorted({name.partition(".")[0] for name in sys.modules} - set(sys.stdlib_module_names) - own - {"__main__"}))
"""


def test_loading_and_verifying_import_the_standard_library_only(workshop: Workshop) -> None:
    workshop.add()
    command = [sys.executable, "-c", PROGRAM, str(workshop.registry.folder)]
    loaded = subprocess.run(command, capture_output=True, check=True, text=True).stdout.split()
    assert [name for name in loaded if not name.startswith(("_", "sitecustomize"))] == []
