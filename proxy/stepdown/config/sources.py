"""Reading files: everything that a configuration takes from the disk comes through here, bounded and remembered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from pydantic import SecretStr

from stepdown.config.flagfiles import FlagFile, read_flags
from stepdown.config.idlists import IdList, IdListError, read_ids
from stepdown.config.watched import Stamp, Watched, matching, stamp
from stepdown.config.yaml_reader import MOST_BYTES
from stepdown.decide.flags.document import LARGEST_FILE
from stepdown_adapters.contract.sides import Side
from stepdown_adapters.contract.source import load_contract
from stepdown_adapters.errors import ContractError

Contract = dict[str, Any] | bool
Content = TypeVar("Content")

_LONGEST_SECRET = 64 * 1024
_SCHEMA_ENDINGS = ("*.json", "*.yaml", "*.yml", "*.proto", "*.binpb", "*.pb", "*.desc")


class FileError(Exception):
    """A file cannot be used; `str()` says why in half a sentence that follows its name."""

    def __init__(self, sentence: str, line: int = 1) -> None:
        super().__init__(sentence)
        self.line = line


@dataclass(frozen=True, slots=True)
class Source:
    """A configuration file as it was read, with what the files that it names held.

    A source is the unit of the last good copy: when the file on disk is broken, all of this is used in its place.
    """

    path: Path
    text: str = field(repr=False)
    contents: dict[str, Contract | SecretStr | IdList | FlagFile] = field(default_factory=dict, repr=False)

    def content(self, name: str, read: Callable[[], Content]) -> Content:
        """What `read` gives for something that this file names, read once."""
        if name not in self.contents:
            self.contents[name] = read()  # type: ignore[assignment]
        return self.contents[name]  # type: ignore[return-value]


class Disk:
    """Reads files and remembers how they looked just before, so that no later change is missed."""

    def __init__(self) -> None:
        self._stamps: dict[Path, Stamp | None] = {}
        self._globs: dict[str, tuple[Path, ...]] = {}
        self._around: set[Path] = set()
        """Folders whose contracts are all watched: looking once suffices, however many of them are read."""

    @property
    def watched(self) -> Watched:
        """All that was looked at so far."""
        return Watched(dict(self._stamps), dict(self._globs))

    def text(self, path: Path) -> str:
        """A configuration file's text; raises `FileError`."""
        data = self._bytes(path, MOST_BYTES)
        try:
            return data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise FileError("is not UTF-8", data.count(b"\n", 0, error.start) + 1) from None

    def secret(self, path: Path) -> SecretStr:
        """A file's text without the one line break at its end; raises `FileError`."""
        try:
            return SecretStr(self._bytes(path, _LONGEST_SECRET).decode().removesuffix("\n").removesuffix("\r"))
        except UnicodeDecodeError:
            raise FileError("is not UTF-8") from None

    def contract(self, reference: str | dict[str, str], file: str | None, folder: Path, side: Side) -> Contract:
        """A contract, with all that it refers to, by a reference as `load_contract` takes it; raises `FileError`.

        What `file` refers to lies in its folder or below, so everything that looks like a contract there is watched.
        """
        if file is not None:
            path = folder / file
            self.exists(path)
            self._watch_around(path.parent)
        try:
            return load_contract(reference, folder, side=side).schema
        except ContractError as error:
            raise FileError(f"is no usable contract: {error}") from None

    def _watch_around(self, folder: Path) -> None:
        if folder in self._around:
            return
        self._around.add(folder)
        for ending in _SCHEMA_ENDINGS:
            for neighbour in matching(f"{folder}/{ending}"):
                if neighbour not in self._stamps:
                    self._stamps[neighbour] = stamp(neighbour)

    def ids(self, path: Path, known: IdList | None) -> IdList:
        """A list of ids; `known`, if the file has not changed since that was read. Raises `FileError`."""
        looks = self._stamps.setdefault(path, stamp(path))
        if known is not None and known.stamp == looks and looks is not None:
            return known
        try:
            return read_ids(path, looks)
        except IdListError as error:
            raise FileError(str(error), error.line) from None
        except FileNotFoundError:
            raise FileError("does not exist") from None
        except (OSError, ValueError) as error:
            raise FileError(f"cannot be read: {_reason(error)}") from None

    def flags(self, path: Path, fractional: int, known: FlagFile | None) -> FlagFile:
        """A flag file; `known`, if it has not changed since that was read. Raises `FileError` and `FlagsError`."""
        looks = self._stamps.setdefault(path, stamp(path))
        if known is not None and (known.stamp, known.fractional) == (looks, fractional) and looks is not None:
            return known
        return read_flags(path, self._bytes(path, LARGEST_FILE), fractional, looks)

    def exists(self, path: Path) -> None:
        """Raise `FileError` unless the file can be read; its content is for others."""
        self._bytes(path, MOST_BYTES)

    def matching(self, pattern: str) -> tuple[Path, ...]:
        """Files that a shell pattern names."""
        self._globs[pattern] = matching(pattern)
        return self._globs[pattern]

    def _bytes(self, path: Path, most: int) -> bytes:
        self._stamps.setdefault(path, stamp(path))
        try:
            with path.open("rb") as file:
                data = file.read(most + 1)
        except FileNotFoundError:
            raise FileError("does not exist") from None
        except (OSError, ValueError) as error:
            raise FileError(f"cannot be read: {_reason(error)}") from None
        if len(data) > most:
            raise FileError(f"is longer than {most} bytes")
        return data


def _reason(error: Exception) -> str:
    return error.strerror if isinstance(error, OSError) and error.strerror else str(error)
