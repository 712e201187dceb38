"""Collects what is wrong while a file is compiled; every finding is placed by the path of the value it is about."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path as FilePath

from stepdown.config.findings import Finding, nearest_name
from stepdown.config.tree import Key, Node, Path, Scalar, as_written, describe, dotted, find, place_of


@dataclass(slots=True)
class Checker:
    """The tree that a file was made from, and the findings so far."""

    root: Node
    removed: frozenset[Path] = frozenset()
    """Parts that were refused before and are missing from the tree."""
    findings: list[Finding] = field(default_factory=list)
    _wrong: set[Path] = field(default_factory=set)

    def error(
        self, path: Path, problem: str = "", allowed: str = "", nearest: str = "", *, of_key: bool = False
    ) -> None:
        """Note an error; without a `problem`, "found" and the value as the file has it."""
        self._wrong.add(path[:2])
        self._note(path, problem, allowed, nearest, of_key=of_key)

    def warn(self, path: Path, problem: str, allowed: str = "", *, of_key: bool = False) -> None:
        """Note something doubtful."""
        self._note(path, problem, allowed, "", of_key=of_key, warning=True)

    def unknown(self, path: Path, name: str, names: Iterable[str], allowed: str, *, of_key: bool = False) -> None:
        """Note a name that is none of `names`."""
        problem = f'found "{path[-1]}"' if of_key else ""
        self.error(path, problem, allowed, nearest_name(name, names), of_key=of_key)

    def is_damaged(self, *path: Key) -> bool:
        """Whether something at, below or around this path was refused before, so that its absence means nothing."""
        return any(path[: len(gone)] == gone[: len(path)] for gone in self.removed)

    def has_lost_names(self, *path: str) -> bool:
        """Whether a mapping, or a member of it, was refused before, so that a name that is not in it may be right."""
        return any(gone == path[: len(gone)] or gone[:-1] == path for gone in self.removed)

    def is_whole(self, section: str, name: str) -> bool:
        """Whether nothing was found wrong so far in this model or route."""
        return not self.is_damaged(section, name) and (section, name) not in self._wrong

    def line(self, path: Path) -> str:
        """`file:line` of a value; the file relative to the main file, so that it is the same wherever the files lie."""
        place = place_of(self.root, path)
        return f"{os.path.relpath(place.file, FilePath(self.root.place.file).parent)}:{place.line}"

    def is_text(self, path: Path) -> bool:
        """Whether the file has a plain value here, which may be short for a mapping."""
        return isinstance(find(self.root, path), Scalar)

    def folder(self, path: Path) -> FilePath:
        """The folder of the file that a value is written in: what paths in it are relative to."""
        return FilePath(place_of(self.root, path).file).parent

    def file(self, path: Path) -> str:
        """The file that a value is written in."""
        return place_of(self.root, path).file

    def _note(
        self, path: Path, problem: str, allowed: str, nearest: str, *, of_key: bool, warning: bool = False
    ) -> None:
        found = problem or f"found {describe(find(self.root, path))}"
        key = dotted(as_written(self.root, path))
        place = place_of(self.root, path, of_key=of_key)
        self.findings.append(Finding(place, key, found, allowed, nearest, "warning" if warning else "error"))
