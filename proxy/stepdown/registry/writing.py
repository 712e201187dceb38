"""Writes a version so that it is there whole or not at all, whatever ends the program or the machine in between.

Everything is written into a folder whose name no reader looks at, flushed to the disk, file by file and then the
folder; one rename makes it the version. A rename onto a version that is there fails, so nothing is ever overwritten,
even if the lock is of no use on some network file system; it is there so that additions are judged one after another.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from stepdown.registry import layout
from stepdown.registry.digest import chunks, open_plain
from stepdown.registry.errors import BadInputError, BusyError, RefusedError, storage
from stepdown.registry.manifest import Recorded

_READ_ONLY = 0o444
_TAKEN = frozenset({errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR})


@contextmanager
def locked(root: Path, seconds: float) -> Iterator[None]:
    """Holds the registry's lock, which the kernel gives back whatever happens.

    Raises:
        BusyError: somebody else held it for `seconds`.
    """
    with storage(root):
        root.mkdir(exist_ok=True)
        number = os.open(root / layout.LOCK, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)
    try:
        _take(number, root, time.monotonic() + seconds)
        yield
    finally:
        os.close(number)


def _take(number: int, root: Path, deadline: float) -> None:
    while True:
        try:
            fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise BusyError(
                    root, "another program is adding and holds the lock; try again when it is done"
                ) from None
            time.sleep(0.02)
        else:
            return


class Draft:
    """A version that is being written; leaving it as a context without `publish` removes it."""

    def __init__(self, model_folder: Path) -> None:
        self._target = model_folder
        self.files: dict[str, Recorded] = {}
        self.folder = model_folder / f"{layout.ADDING}{secrets.token_hex(4)}"

    def __enter__(self) -> Draft:
        with storage(self._target):
            self._target.mkdir(exist_ok=True)
            for old in layout.leftovers(self._target):
                shutil.rmtree(old)
            self.folder.mkdir()
        return self

    def __exit__(self, *_: object) -> None:
        if self.folder.exists():
            shutil.rmtree(self.folder, ignore_errors=True)
        if self._target.exists() and not any(self._target.iterdir()):
            self._target.rmdir()

    def write(self, name: str, data: bytes) -> None:
        """Adds a file."""
        path = self.folder / name
        with storage(path):
            with path.open("xb") as file:
                file.write(data)
                _settle(file)
            self.files[name] = Recorded(hashlib.sha256(data).hexdigest(), len(data))

    def copy(self, name: str, source: Path, expected: str) -> None:
        """Adds a copy of a file whose hash is known; raises `BadInputError` if it has another by now."""
        path = self.folder / name
        digest, size = hashlib.sha256(), 0
        with storage(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            with open_plain(source) as original, path.open("xb") as file:
                for piece in chunks(original):
                    digest.update(piece)
                    size += len(piece)
                    file.write(piece)
                _settle(file)
        if digest.hexdigest() != expected:
            raise BadInputError(source, "changed while it was being added")
        self.files[name] = Recorded(expected, size)

    def publish(self, version: str) -> Path:
        """Makes the draft the version: the one step that counts; raises `RefusedError` if the version is there."""
        final = self._target / version
        with storage(final):
            for parent, _, _ in os.walk(self.folder, topdown=False):
                settle_folder(Path(parent))
            try:
                self.folder.rename(final)
            except OSError as error:
                if error.errno in _TAKEN:
                    raise RefusedError(final, "was added by another program just now; it never changes") from None
                raise
            settle_folder(self._target)
            settle_folder(self._target.parent)
        return final


def _settle(file: BinaryIO) -> None:
    file.flush()
    os.fchmod(file.fileno(), _READ_ONLY)
    os.fsync(file.fileno())


def settle_folder(folder: Path) -> None:
    """Flushes a folder's list of names to the disk."""
    number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
