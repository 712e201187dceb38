"""What is known of how a model was trained: what its people say, the commit of the code, and versions of libraries."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from stepdown.registry.digest import canonical
from stepdown.registry.errors import BadInputError, storage

_MOST_BYTES = 1024 * 1024
_GIT_SECONDS = 5
LIBRARIES = {
    "catboost": "catboost",
    "joblib": "joblib",
    "keras": "keras",
    "lightgbm": "lightgbm",
    "numpy": "numpy",
    "onnx": "onnx",
    "pandas": "pandas",
    "scipy": "scipy",
    "sklearn": "scikit-learn",
    "tensorflow": "tensorflow",
    "torch": "torch",
    "transformers": "transformers",
    "xgboost": "xgboost",
}
"""Packages that a model may depend on, by the module that tells whether this process has loaded one."""


def read(path: Path) -> dict[str, Any]:
    """Training metadata in a JSON file; raises `BadInputError`."""
    with storage(path), path.open("rb") as file:
        data = file.read(_MOST_BYTES + 1)
    if len(data) > _MOST_BYTES:
        raise BadInputError(path, f"is longer than {_MOST_BYTES} bytes")
    try:
        value = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise BadInputError(path, f"is not JSON: {error}") from None
    if not isinstance(value, dict):
        raise BadInputError(path, 'training metadata is a JSON object, such as {"rows": 569, "accuracy": 0.93}')
    return value


def completed(given: Mapping[str, Any] | None, beside: Path) -> dict[str, Any]:
    """The metadata as given, with `commit` and `libraries` where it says nothing of them and they are known.

    Raises:
        BadInputError: it is no JSON.
    """
    training = dict(given or {})
    for name, value in (("commit", commit(beside)), ("libraries", loaded_libraries())):
        if value:
            training.setdefault(name, value)
    try:
        if len(canonical(training)) > _MOST_BYTES:
            raise BadInputError("training metadata", f"is longer than {_MOST_BYTES} bytes")
    except (TypeError, ValueError, RecursionError) as error:
        raise BadInputError("training metadata", f"has no JSON form: {error}") from None
    written: dict[str, Any] = json.loads(canonical(training))
    return written


def commit(folder: Path) -> str | None:
    """The commit that is checked out at `folder`, with `-dirty` where files differ from it; `None` without git."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        done = subprocess.run(  # noqa: S603 - a fixed command
            command,
            cwd=folder,
            env={**os.environ, "GIT_OPTIONAL_LOCKS": "0"},  # whoever commits at this moment must not find a lock
            capture_output=True,
            text=True,
            timeout=_GIT_SECONDS,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() or None


def loaded_libraries() -> dict[str, str]:
    """Versions of the libraries that this process has loaded, which is one that trains when it adds what it trained."""
    found = {}
    for module, package in LIBRARIES.items():
        if module in sys.modules:
            try:
                found[package] = version(package)
            except PackageNotFoundError:
                continue
    return {"python": platform.python_version(), **found} if found else {}
