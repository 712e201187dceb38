"""A tree checked against the models of the file, with every error of pydantic's told as a finding.

All errors are reported at once. So that what is sound can still be checked further (names, coverage), parts that are
wrong are taken out, innermost first, until the rest is valid; what the removal itself breaks is not reported.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from stepdown.config.describe_error import UNSUPPORTED, told
from stepdown.config.file import Section
from stepdown.config.findings import Finding
from stepdown.config.tree import Items, Members, Node, Path, child, find, plain, unshared

File = TypeVar("File", bound=Section)


@dataclass(frozen=True, slots=True)
class Valid(Generic[File]):
    """What of a file can be used."""

    file: File | None
    """`None` when nothing can."""
    root: Node
    """The tree that `file` was made from: without the parts that were taken out."""
    findings: list[Finding]
    removed: frozenset[Path]
    """What was taken out."""


def validate(root: Node, model: type[File]) -> Valid[File]:
    """Check a tree; never raises for what is in it."""
    findings: list[Finding] | None = None
    removed: set[Path] = set()
    while True:
        try:
            return Valid(model.model_validate(plain(root)), root, findings or [], frozenset(removed))
        except ValidationError as invalid:
            errors = invalid.errors(include_url=False, include_input=False)
        if findings is None:
            findings = _all_told(errors, root, model)
            root = unshared(root)
        paths = {written_path(error, root) for error in errors}
        removed |= paths
        if () in paths:
            return Valid(None, root, findings, frozenset(removed))
        for path in sorted(paths, key=_last_first):
            if not any(path[:depth] in paths for depth in range(len(path))):  # else it goes with what is around it
                _take_out(root, path)


def _all_told(errors: list[ErrorDetails], root: Node, model: type[Section]) -> list[Finding]:
    """Findings for all errors; but where a key is not supported yet, nobody misses the one it would stand for."""
    located = [(error, written_path(error, root)) for error in errors]
    with_later_keys = {
        path[:-1] for error, path in located if error["type"] == "extra_forbidden" and path[-1] in UNSUPPORTED
    }
    return [
        told(error, path, root, model)
        for error, path in located
        if error["type"] != "missing" or path not in with_later_keys
    ]


def written_path(error: ErrorDetails, root: Node) -> Path:
    """The part of an error's location that the file has, without pydantic's own steps (`[key]`, names of variants)."""
    path: Path = ()
    node: Node = root
    for key in error["loc"]:
        below = child(node, key)
        if below is not None and below is not node:
            path, node = (*path, key), below
    return path


def _last_first(path: Path) -> tuple[tuple[int, str], ...]:
    """Order in which removing one path does not renumber the next: later items before earlier ones."""
    return tuple((-key, "") if isinstance(key, int) else (0, key) for key in path)


def _take_out(root: Node, path: Path) -> None:
    holder, key = find(root, path[:-1]), path[-1]
    if isinstance(holder, Members):
        holder.members.pop(str(key), None)
    elif isinstance(holder, Items) and isinstance(key, int):
        del holder.items[key], holder.numbers[key]
