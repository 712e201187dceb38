"""Recorded exchanges of an old version: what a client sent, and what it was answered.

A folder has for each exchange NAME.response.json, and NAME.request.json where the request had a body.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_RESPONSE = ".response.json"
_REQUEST = ".request.json"


class RecordingError(Exception):
    """Recordings cannot be used; the message names the file."""


@dataclass(frozen=True, slots=True)
class Recording:
    """One exchange."""

    name: str
    response: Any
    """The document that the old version answered."""
    request: Any = None
    """The document that it was asked; `None` where `has_request` is false."""
    has_request: bool = False


def names(folder: Path) -> list[str]:
    """The recordings of a folder, in order; raises `RecordingError` where there is none, or half of one."""
    if not folder.is_dir():
        raise RecordingError(f"{folder}: there is no such folder of recordings")
    found = {path.name.removesuffix(_RESPONSE) for path in folder.glob(f"*{_RESPONSE}")}
    halves = {path.name.removesuffix(_REQUEST) for path in folder.glob(f"*{_REQUEST}")} - found
    if halves:
        raise RecordingError(f"{folder / min(halves)}{_REQUEST}: there is no {min(halves)}{_RESPONSE} beside it")
    if not found:
        raise RecordingError(f"{folder}: has no recording; one is NAME{_RESPONSE}, with NAME{_REQUEST} beside it")
    return sorted(found)


def recording(folder: Path, name: str) -> Recording:
    """One recording; raises `RecordingError` where a file of it is no JSON."""
    response = _read(folder / f"{name}{_RESPONSE}")
    request = folder / f"{name}{_REQUEST}"
    return Recording(name, response, _read(request), True) if request.exists() else Recording(name, response)


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise RecordingError(f"{path}: {error}") from None
