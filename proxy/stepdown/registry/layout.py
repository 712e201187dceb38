"""Where things lie in a registry: `MODEL/VERSION/`, each version a folder that comes into being whole.

    model_registry/
      .lock                                        held while somebody adds
      churn/
        .adding-1f2e3d4c/                          a version that is being added; left over where that was cut off
        1.1.0/
          manifest.json                            read first: it has the hash of everything beside it
          churn_model_v1.1.0_0a1b2c3d4e5f.joblib
          output.json  input.json                  the contracts, each a JSON Schema in one piece
          SCHEMA.md                                the same for people

Nothing in it is a symbolic link. Files of other names may lie beside the models, as README.md or .gitignore.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from stepdown.registry.errors import BadInputError, NotFoundError, storage
from stepdown.registry.names import LATEST, check_model, parse_version, parse_wanted
from stepdown_adapters.versions import Version

DEFAULT = "model_registry"
VARIABLE = "STEPDOWN_REGISTRY"
LOCK = ".lock"
ADDING = ".adding-"
PAGE = "SCHEMA.md"


def chosen(folder: str | os.PathLike[str] | None) -> Path:
    """The registry's folder: the one given, else of the environment's STEPDOWN_REGISTRY, else `model_registry`."""
    return Path(folder or os.environ.get(VARIABLE) or DEFAULT)


def check_registry(root: Path) -> None:
    """Raises `NotFoundError` unless `root` is a folder."""
    if not root.is_dir():
        why = "is no folder" if root.exists() else "there is no registry here"
        raise NotFoundError(root, f"{why}; `stepdown registry add` makes one, --registry or {VARIABLE} names another")


def models(root: Path) -> list[str]:
    """The names of all models, sorted."""
    check_registry(root)
    with storage(root):
        return sorted(path.name for path in root.iterdir() if _is_model(path))


def _is_model(path: Path) -> bool:
    try:
        return bool(check_model(path.name)) and path.is_dir()
    except BadInputError:
        return False


def versions(root: Path, model: str) -> dict[Version, Path]:
    """The folders of a model's versions, oldest first; empty where there is no such model."""
    folder = root / check_model(model)
    if not folder.is_dir():
        return {}
    with storage(folder):
        found = dict(_versions(folder))
    return dict(sorted(found.items()))


def _versions(folder: Path) -> Iterator[tuple[Version, Path]]:
    for path in folder.iterdir():
        try:
            version = parse_version(path.name)
        except BadInputError:
            continue
        if str(version) == path.name and path.is_dir():
            yield version, path


def find(root: Path, model: str, wanted: str) -> tuple[Version, Path]:
    """The version that an exact version, a range or `latest` means, and its folder.

    Raises:
        BadInputError: the model's or the version's name is no name.
        NotFoundError: the registry, the model or the version is not there.
    """
    there = versions(root, model)
    allowed = parse_wanted(wanted)
    check_registry(root)
    if not there:
        known = ", ".join(models(root)) or "none yet"
        raise NotFoundError(root / model, f"there is no model {model}; the registry has: {known}")
    version = allowed.newest(there)
    if version is None:
        have = ", ".join(map(str, there))
        hint = "; prereleases are loaded by their full name" if wanted == LATEST else ""
        raise NotFoundError(root / model, f"no version fits {wanted!r}; there are: {have}{hint}")
    return version, there[version]


def leftovers(folder: Path) -> list[Path]:
    """What additions that were cut off left behind in a model's folder."""
    return sorted(folder.glob(f"{ADDING}*")) if folder.is_dir() else []
