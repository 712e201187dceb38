"""How things are called: models, versions, and artifacts whose name holds the beginning of their hash."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

from stepdown.registry.errors import BadInputError
from stepdown_adapters.versions import Range, Version, VersionError

Kind = Literal["pkl", "joblib", "onnx", "savedmodel"]
Side = Literal["output", "input"]
SIDES: tuple[Side, Side] = ("output", "input")

CLIENTS = ("strict", "tolerant")
LATEST = "latest"
PREFIX = 12
"""Hexadecimal digits of the SHA-256 in an artifact's name."""

_MODEL = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_LONGEST_VERSION = 100
"""Characters; a file name, which holds model, version and hash, may have 255."""
_KINDS: dict[str, Kind] = {".pkl": "pkl", ".pickle": "pkl", ".joblib": "joblib", ".onnx": "onnx"}
PICKLES: frozenset[Kind] = frozenset({"pkl", "joblib"})
KINDS: frozenset[Kind] = frozenset({"savedmodel", *_KINDS.values()})


def check_model(name: str) -> str:
    """The name of a model as it is; raises `BadInputError`."""
    if not _MODEL.fullmatch(name):
        raise BadInputError(f"model {name!r}", "a name has a-z, 0-9, _ and -, at most 64, and starts with a-z or 0-9")
    return name


def parse_version(text: str) -> Version:
    """A complete version; raises `BadInputError`."""
    try:
        version = Version.parse(text)
    except VersionError as error:
        raise BadInputError(f"version {text[:60]!r}", f"{error}; every version is a SemVer 2.0 of its own") from None
    if len(str(version)) > _LONGEST_VERSION:
        raise BadInputError(f"version {text[:60]!r}...", f"has more than {_LONGEST_VERSION} characters")
    return version


def parse_wanted(text: str) -> Range:
    """Which version somebody wants: exact, a range, or `latest` (the newest release); raises `BadInputError`."""
    try:
        return Range.parse("*" if text == LATEST else text)
    except VersionError as error:
        raise BadInputError(f"version {text[:60]!r}", f"{error}; or {LATEST}") from None


def artifact_kind(path: Path) -> Kind:
    """What an artifact is, by its ending; raises `BadInputError`."""
    if path.is_dir():
        if (path / "saved_model.pb").is_file():
            return "savedmodel"
        raise BadInputError(path, "is a folder without saved_model.pb; of folders, only a SavedModel is an artifact")
    if not path.exists():
        raise BadInputError(path, "the artifact does not exist")
    kind = _KINDS.get(path.suffix.lower())
    if kind is None:
        raise BadInputError(path, f"an artifact is a SavedModel folder, or ends in {', '.join(_KINDS)}")
    return kind


def artifact_name(model: str, version: Version | str, sha256: str, kind: Kind) -> str:
    """`churn_model_v1.0.0_0a1b2c3d4e5f.pkl`."""
    ending = "" if kind == "savedmodel" else f".{kind}"
    return f"{model}_model_v{version}_{sha256[:PREFIX]}{ending}"
