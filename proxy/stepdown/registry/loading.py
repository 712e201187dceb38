"""Loads an artifact: first everything is verified, then the very bytes that were verified are loaded.

Unpickling runs whatever code the file names. A hash says that the file is the one that was added; it does not say that
whoever added it meant well, nor, when somebody can write to the registry, that it was not added a minute ago. So who
loads decides: `trusted=True`, or the hash of the artifact that was noted down elsewhere (`sha256=`). Neither is needed,
but without one a warning says what is risked.
"""

from __future__ import annotations

import importlib
import io
import pickle
import warnings
from pathlib import Path
from typing import Any

from stepdown.registry import pickles, preprocessing, verifying
from stepdown.registry.errors import (
    BadInputError,
    DamagedError,
    PickleRiskWarning,
    PreprocessingDriftWarning,
    RefusedError,
)
from stepdown.registry.manifest import Manifest
from stepdown.registry.names import PICKLES

RISK = (
    "unpickling runs whatever code the file names; it was verified to be the file that was added, not that whoever "
    "added it meant well"
)
_MOST_NAMES = 8
_NEEDS = {"joblib": "joblib", "onnx": "onnxruntime", "savedmodel": "tensorflow"}


def check_expected(manifest: Manifest, expected: str | None) -> None:
    """Raises `RefusedError` unless the artifact's hash is, or begins with (12 digits or more), what was expected."""
    if expected is None:
        return
    wanted = expected.lower().removeprefix("sha256:")
    if not 12 <= len(wanted) <= 64 or not set(wanted) <= set("0123456789abcdef"):
        raise BadInputError(f"SHA-256 {expected[:80]!r}", "found no 12 to 64 hexadecimal digits")
    if not manifest.artifact.sha256.startswith(wanted):
        raise RefusedError(
            f"{manifest.model} {manifest.version}",
            f"has SHA-256 {manifest.artifact.sha256}; {wanted} was expected, so it is not loaded",
        )


def load(
    folder: Path, *, sha256: str | None = None, trusted: bool = False, code: str | Path | None = None
) -> tuple[Any, Manifest]:
    """The object in a version's artifact.

    Raises:
        DamagedError: something in the version is not as it was added; nothing was loaded.
        RefusedError: the artifact is another than the expected one.
        BadInputError: the library that reads it is not installed, or cannot read it.
    """
    checked = verifying.check(folder, keep_artifact=True)
    manifest = checked.manifest
    if manifest is None or checked.damages:
        raise DamagedError(folder, checked.damages)
    check_expected(manifest, sha256)
    changed = drift(manifest, code)
    if changed is not None:
        warnings.warn(drifted(manifest, changed), PreprocessingDriftWarning, stacklevel=3)
    if manifest.artifact.kind in PICKLES and not trusted and sha256 is None:
        said = f"{risk(folder, manifest)}; say trusted=True, or sha256=, once that is decided"
        warnings.warn(said, PickleRiskWarning, stacklevel=3)
    return read(folder, manifest, checked.kept), manifest


def risk(folder: Path, manifest: Manifest) -> str:
    """What unpickling a verified artifact risks, with the names that it imports where they can be read."""
    path = folder / manifest.artifact.name
    named = None
    if manifest.artifact.kind == "pkl" and manifest.size <= pickles.MOST_BYTES:
        named = pickles.names(path.read_bytes())
    told = f"{manifest.model} {manifest.version}: {RISK}"
    if not named:
        return told
    more = f" and {len(named) - _MOST_NAMES} more" if len(named) > _MOST_NAMES else ""
    return f"{told}; it names {', '.join(named[:_MOST_NAMES])}{more}"


def drift(manifest: Manifest, code: str | Path | None = None) -> preprocessing.Drift | None:
    """How the preprocessing code at hand (under `code`, else under its recorded name) differs from the recorded.

    `None` where it does not differ, was not recorded, or is not at hand under its recorded name.
    """
    if manifest.preprocessing is None:
        return None
    found = preprocessing.code(code) if code is not None else preprocessing.at_hand(manifest.preprocessing)
    return preprocessing.drift(manifest.preprocessing, found) if found is not None else None


def drifted(manifest: Manifest, changed: preprocessing.Drift) -> str:
    """The sentence of a warning about preprocessing code."""
    return (
        f"{manifest.model} {manifest.version} was trained with other preprocessing code than is at hand ({changed}); "
        "it may answer wrongly without any error"
    )


def read(folder: Path, manifest: Manifest, data: bytes | None) -> Any:
    """Reads an artifact that was verified; `data` are its bytes, `None` for a folder."""
    kind = manifest.artifact.kind
    name = f"{manifest.model} {manifest.version}"
    library = _library(name, kind)
    try:
        match kind:
            case "pkl":
                return pickle.loads(data or b"")  # noqa: S301 - verified above, and the caller was told
            case "joblib":
                return library.load(io.BytesIO(data or b""))
            case "onnx":
                return library.InferenceSession(data)
            case "savedmodel":
                return library.saved_model.load(str(folder / manifest.artifact.name))
    except Exception as error:
        raise BadInputError(
            name, f"is sound, and yet cannot be loaded here: {type(error).__name__}: {error}"
        ) from error


def _library(name: str, kind: str) -> Any:
    """The library that reads a kind of artifact, which is whoever loads it's to install."""
    needed = _NEEDS.get(kind)
    try:
        return importlib.import_module(needed) if needed else None
    except ImportError as error:
        raise BadInputError(name, f"to load its {kind} artifact, {needed} must be installed here ({error})") from error
