"""The files that a contract is read from: each once, found from one another by `$ref`, never over the network.

A reference is `#/json/pointer`, `#anchor`, or either of them behind a file of the first one's folder or below
(`parts/b.json#/$defs/x`), or behind an `$id` that a schema of the same file has.
"""

from __future__ import annotations

import posixpath
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, unquote, urldefrag, urlsplit

from stepdown_adapters.contract import keywords, reading
from stepdown_adapters.contract.keywords import children, pointer
from stepdown_adapters.errors import ContractError

MAX_FILES = 64
MAX_DEPTH = 100
MAX_SCHEMAS = 50_000


class File:
    """One file: its value, and the JSON Pointers of what can be referred to by name in it."""

    __slots__ = ("anchors", "identifiers", "name", "value")

    def __init__(self, name: str, value: Any) -> None:
        self.name = name
        self.value = value
        self.anchors: dict[str, str] = {}
        self.identifiers: dict[str, str] = {}

    def place(self, at: str) -> str:
        """`file#pointer`, for people."""
        return f"{self.name}#{at}"

    def at(self, at: str) -> Any:
        """The value at a JSON Pointer; raises `LookupError`."""
        return keywords.at(self.value, at)

    def index(self, schema: Any, at: str = "") -> None:
        """Finds the anchors and identifiers in a schema at `at`; raises `ContractError` when it is over a bound."""
        waiting = [(at, schema, 0)]
        for count in range(MAX_SCHEMAS + 1):
            if not waiting:
                return
            here, inner, depth = waiting.pop()
            if count == MAX_SCHEMAS:
                raise ContractError(self.name, f"holds more than {MAX_SCHEMAS} schemas")
            if depth > MAX_DEPTH:
                raise ContractError(self.place(here), f"is nested deeper than {MAX_DEPTH} schemas")
            if not isinstance(inner, dict):
                continue
            anchor, identifier = inner.get("$anchor"), inner.get("$id")
            if isinstance(anchor, str):
                self.anchors[anchor] = here
            if isinstance(identifier, str) and identifier.startswith("#"):  # draft 7's way to write an anchor
                self.anchors[identifier[1:]] = here
            elif isinstance(identifier, str):
                self.identifiers[identifier.removesuffix("#")] = here
            waiting += [(here + pointer(*tokens), child, depth + 1) for tokens, child in children(inner)]

    def resource(self, at: str) -> str:
        """The pointer of the innermost schema with an `$id` around `at`: a plain `#/...` there starts from it."""
        around = [base for base in self.identifiers.values() if at == base or at.startswith(base + "/")]
        return max(around, key=len, default="")


class Documents:
    """All files of one contract; the first one's folder is as far as references reach."""

    def __init__(self, first: Path | File, most_bytes: int = reading.MAX_BYTES) -> None:
        """Raises `ContractError` when the first file cannot be read; one that is none refers to itself only."""
        self._folder = first.parent.resolve() if isinstance(first, Path) else None
        self._most_bytes = most_bytes
        self._files: dict[str, File] = {}
        self.first = first if isinstance(first, File) else self._file(first.name, first, str(first))

    def resolved(self, file: File, at: str, reference: Any) -> tuple[File, str]:
        """The file and the JSON Pointer that a reference at `at` of `file` leads to.

        Raises:
            ContractError: it is no text, leads to something remote, missing, or outside of the folder.
        """
        place = file.place(at + "/$ref")
        if not isinstance(reference, str):
            raise ContractError(place, "a reference is a string")
        try:
            target, fragment = urldefrag(reference)
            parts = urlsplit(target)
        except ValueError as error:
            raise ContractError(place, f"{reference!r} is no reference: {error}") from error
        if target in file.identifiers:
            base = file.identifiers[target]
        elif target:
            file, base = self._referred(file, parts, place), ""
        else:
            base = file.resource(at)
        fragment = unquote(fragment)
        if fragment and not fragment.startswith("/"):
            if fragment not in file.anchors:
                raise ContractError(place, f"{file.name} has no anchor {fragment!r}")
            found = file.anchors[fragment]
        else:
            found = base + fragment
        try:
            file.at(found)
        except (LookupError, ValueError) as error:
            raise ContractError(place, f"{reference} leads nowhere") from error
        return file, found

    def _referred(self, file: File, parts: SplitResult, place: str) -> File:
        """The file that a reference without its fragment names, seen from `file`."""
        target = parts.geturl()
        if parts.scheme or parts.netloc:
            raise ContractError(place, f"{target} is remote; refer to a file in the contract's folder, or below")
        if self._folder is None:
            raise ContractError(place, f"{target} is a file, and {file.name} is none that could refer to files")
        name = posixpath.normpath(posixpath.join(posixpath.dirname(file.name), unquote(parts.path)))
        if "\0" in name:
            raise ContractError(place, f"{target!r} is no file name")
        path = (self._folder / name).resolve()
        if not path.is_relative_to(self._folder):
            raise ContractError(place, f"{target} is outside of the contract's folder")
        if not path.is_file():
            raise ContractError(place, f"there is no file {target}")
        return self._file(name, path, place)

    def _file(self, name: str, path: Path, place: str) -> File:
        """The file `name` (relative to the folder), read once."""
        if name not in self._files:
            if len(self._files) == MAX_FILES:
                raise ContractError(place, f"more than {MAX_FILES} files are referred to")
            file = File(name, reading.read(path, name, self._most_bytes))
            file.index(file.value)
            self._files[name] = file
        return self._files[name]
