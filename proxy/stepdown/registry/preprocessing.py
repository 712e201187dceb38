"""The hash of preprocessing code, so that a rollback to a model whose code has moved on is noticed.

What counts is the content of the files and their names inside of the folder, wherever it lies: a file, a folder
(without caches, compiled and hidden files), or a Python import path, whose module is found without running anything.
Line ends count as `\\n`, because version control may write them either way.
"""

from __future__ import annotations

import hashlib
import os
import re
import sys
from dataclasses import dataclass
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path

from stepdown.registry.digest import NotPlainError, files_below, open_plain, sha256_of_listing
from stepdown.registry.errors import BadInputError, storage
from stepdown.registry.manifest import Code

_IMPORT_PATH = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*(:[A-Za-z_]\w*)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Drift:
    """How the code at hand differs from the code that was recorded, by file names."""

    source: str
    changed: tuple[str, ...]
    missing: tuple[str, ...]
    new: tuple[str, ...]

    def __str__(self) -> str:
        parts = [
            f"{', '.join(names)} {verb}"
            for names, verb in ((self.changed, "differs"), (self.missing, "is gone"), (self.new, "is new"))
            if names
        ]
        return f"{self.source}: {'; '.join(parts)}"


def code(source: str | Path, beside: Path | None = None) -> Code:
    """The hash of `source`: a file, a folder, or an import path such as `churn.features` (`churn.features:encode`).

    Paths are relative to `beside`, the working directory if there is none given.

    Raises:
        BadInputError: nothing is there, or it leads outside by a symbolic link.
    """
    beside = beside or Path.cwd()
    path = beside / source
    if not path.exists():
        path = _module(str(source), beside)
    with storage(path):
        if path.is_dir():
            files = {name: file for name, file in files_below(path) if not _ignored(name)}
        else:
            files = {path.name: path.resolve()}
        try:
            hashes = {name: _sha256(file) for name, file in files.items()}
        except NotPlainError as error:
            raise BadInputError(path, f"the preprocessing code holds something that {error}") from None
    if not hashes:
        raise BadInputError(path, "holds no file of preprocessing code")
    return Code(_recorded(source, beside), sha256_of_listing(hashes), hashes)


def drift(recorded: Code, at_hand: Code) -> Drift | None:
    """How the two differ; `None` where they are the same."""
    if recorded.sha256 == at_hand.sha256:
        return None
    before, now = recorded.files, at_hand.files
    return Drift(
        at_hand.source,
        tuple(sorted(name for name in before.keys() & now.keys() if before[name] != now[name])),
        tuple(sorted(before.keys() - now.keys())),
        tuple(sorted(now.keys() - before.keys())),
    )


def at_hand(recorded: Code) -> Code | None:
    """The code under the recorded name, seen from here; `None` where there is none."""
    try:
        return code(recorded.source)
    except BadInputError:
        return None


def _sha256(path: Path) -> str:
    with open_plain(path) as file:
        return hashlib.sha256(file.read().replace(b"\r\n", b"\n")).hexdigest()


def _ignored(name: str) -> bool:
    parts = name.split("/")
    return name.endswith((".pyc", ".pyo")) or any(part.startswith(".") or part == "__pycache__" for part in parts)


def _recorded(source: str | Path, beside: Path) -> str:
    """The name to record: no absolute path, which would mean nothing elsewhere."""
    if not os.path.isabs(source):
        return Path(source).as_posix()
    path = Path(source)
    return path.relative_to(beside).as_posix() if path.is_relative_to(beside) else path.name


def _module(name: str, beside: Path) -> Path:
    """The file of a module, or the folder of a package, found on the path of imports; nothing is run."""
    if not _IMPORT_PATH.fullmatch(name):
        raise BadInputError(name, "no such file or folder, and no import path such as churn.features")
    search: list[str] | None = [str(beside), *sys.path]
    spec: ModuleSpec | None = None
    parts = name.partition(":")[0].split(".")
    for end in range(1, len(parts) + 1):
        spec = PathFinder.find_spec(".".join(parts[:end]), search) if search else None
        if spec is None:
            raise BadInputError(name, f"no such file or folder, and no module {'.'.join(parts[:end])} to be found")
        search = list(spec.submodule_search_locations) if spec.submodule_search_locations else None
    assert spec is not None, "an import path has a part"
    if spec.origin is None and not search:
        raise BadInputError(name, "is a module without a file")
    origin = Path(spec.origin) if spec.origin else Path(search[0] if search else "")
    if not origin.exists():
        raise BadInputError(name, "is a module without a file")
    return origin.parent if origin.name == "__init__.py" else origin
