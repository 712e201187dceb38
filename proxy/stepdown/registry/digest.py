"""Hashes: of files, of folders by a listing that `sha256sum` can check, of JSON values in a canonical form."""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

CHUNK = 1024 * 1024


class NotPlainError(Exception):
    """A path leads to a symbolic link, a device, a socket: anything but a regular file; `str()` is half a sentence."""


def open_plain(path: Path) -> BinaryIO:
    """A regular file for reading, never through a symbolic link, never waiting for a pipe's other end.

    Raises:
        NotPlainError: something else is there.
        OSError: as usual.
    """
    if path.is_symlink():
        raise NotPlainError(f"is a symbolic link (to {os.readlink(path)})")
    number = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(number).st_mode):
        os.close(number)
        raise NotPlainError("is no regular file")
    return os.fdopen(number, "rb")


def chunks(file: BinaryIO) -> Iterator[bytes]:
    """What is left of a file, in pieces of bounded size."""
    while piece := file.read(CHUNK):
        yield piece


def sha256_of_file(path: Path, see: Callable[[bytes], object] | None = None) -> tuple[str, int]:
    """Hash in hexadecimal, and size in bytes; `see` is given every piece as it is hashed."""
    digest, size = hashlib.sha256(), 0
    with open_plain(path) as file:
        for piece in chunks(file):
            digest.update(piece)
            size += len(piece)
            if see is not None:
                see(piece)
    return digest.hexdigest(), size


def sha256_of_listing(hashes: Mapping[str, str]) -> str:
    """Hash of a folder: of the lines `<sha256>  <path>`, by path, as `sha256sum` prints them.

    Paths are relative, with `/`; empty folders, dates and modes do not count.
    """
    lines = (f"{hashes[name]}  {name}\n" for name in sorted(hashes, key=str.encode))
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def sha256_of_json(value: Any) -> str:
    """Hash of a JSON value, whatever the order of members and the white space of its text."""
    return hashlib.sha256(canonical(value)).hexdigest()


def canonical(value: Any) -> bytes:
    """One text for one JSON value; raises `ValueError` for NaN, infinities and lone surrogates."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def files_below(folder: Path) -> Iterator[tuple[str, Path]]:
    """Every file below `folder`, as relative path with `/` and path, by name; links are listed and not followed."""
    for parent, folders, names in os.walk(folder, onerror=_raise):
        linked = [name for name in folders if (Path(parent) / name).is_symlink()]
        folders[:] = sorted(set(folders) - set(linked))
        for name in sorted([*names, *linked]):
            path = Path(parent) / name
            yield path.relative_to(folder).as_posix(), path


def _raise(error: OSError) -> None:
    raise error
