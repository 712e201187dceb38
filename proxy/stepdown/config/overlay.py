"""The overlay on disk: what was switched by hand, so that a new start finds it again (`decide.colours`).

It is one small JSON file, written whole beside its place and renamed into it: whoever reads finds the one before or the
new one, never half of one.
"""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from stepdown.config.settings import Loaded
from stepdown.decide.colours import NOTHING_SWITCHED, Overlay, kept, overlaid
from stepdown.decide.spec import SnapshotSpec

_LONGEST = 1024 * 1024


class OverlayError(Exception):
    """The file cannot be used, in one sentence."""


def read_overlay(path: Path) -> Overlay:
    """What the file holds; nothing where there is no file yet. Raises `OverlayError`."""
    try:
        with path.open("rb") as file:
            data = file.read(_LONGEST + 1)
    except FileNotFoundError:
        return NOTHING_SWITCHED
    except OSError as error:
        raise OverlayError(f"the overlay {path} cannot be read: {error.strerror}") from error
    try:
        return msgspec.json.decode(data, type=Overlay)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise OverlayError(f"the overlay {path} holds no overlay: {error}") from error


def write_overlay(path: Path, overlay: Overlay) -> None:
    """Replace what the file holds, on the disk before this returns.

    Raises `OverlayError`; also where the file holds something else, which somebody may miss.
    """
    read_overlay(path)
    new = path.with_name(f".{path.name}.new")
    try:
        with new.open("wb") as file:
            file.write(msgspec.json.format(msgspec.json.encode(overlay), indent=2) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        raise OverlayError(f"the overlay {path} cannot be written: {error.strerror}") from error


def first_spec(loaded: Loaded) -> tuple[SnapshotSpec, str]:
    """What a sidecar starts with: the file and what was switched by hand before; why it is without, or nothing."""
    if loaded.overlay is None:
        return loaded.spec, ""
    try:
        overlay = read_overlay(loaded.overlay)
    except OverlayError as error:
        return loaded.spec, f"{error}; what the file declares is in force"
    return overlaid(loaded.spec, kept(overlay, loaded.spec)[0]), ""
