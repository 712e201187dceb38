"""The main file and those that it includes, as one tree in which every value still knows its own file."""

from __future__ import annotations

import glob
import os
from collections.abc import Mapping
from pathlib import Path

from stepdown.config.findings import Finding, Place, nearest_name
from stepdown.config.sources import Disk, FileError, Source
from stepdown.config.tree import Items, Member, Members, Scalar, child, describe, dotted
from stepdown.config.yaml_reader import read

_SHARED = ("models", "routes", "segments", "rollouts")
"""The sections that an included file contributes to."""


class Assembly:
    """What was read for one attempt to load."""

    def __init__(self, path: Path, disk: Disk, environ: Mapping[str, str], kept: Mapping[str, Source]) -> None:
        """Read `path` and its includes; for the files in `kept` that copy is used instead of the disk."""
        self._disk = disk
        self._environ = environ
        self._kept = kept
        self.sources: dict[str, Source] = {}
        """By file name as it stands in places; the main file first."""
        self.findings: list[Finding] = []
        self.root: Members | None = None
        root = self._tree(path, "")
        if root is not None:
            self.root = Members(root.place, dict(root.members), root.size)
            for included, named_at in self._included(path, root).items():
                tree = self._tree(included, f", included at {named_at},")
                if tree is not None:
                    self._merge(self.root, tree)

    def _tree(self, path: Path, why: str) -> Members | None:
        """One file's tree; `None` after noting why there is none."""
        name = str(path)
        try:
            source = self._kept.get(name) or Source(path, self._disk.text(path))
        except FileError as error:
            self.findings.append(Finding(Place(name, error.line, 1), "", f"the file{why} {error}"))
            return None
        self.sources[name] = source
        root, findings = read(source.text, name, self._environ)
        self.findings += findings
        if root is None or isinstance(root, Members):
            return root
        self._note(root.place, "", f"found {describe(root)}", "a mapping")
        return None

    def _note(self, place: Place, key: str, problem: str, allowed: str, nearest: str = "") -> None:
        self.findings.append(Finding(place, key, problem, allowed, nearest))

    def _included(self, path: Path, root: Members) -> dict[Path, Place]:
        """Files named by `include`, each once and never the file itself, with where they are named."""
        node = child(root, "include")
        items = node.items if isinstance(node, Items) else [node] if node else []
        found: dict[Path, Place] = {}
        for index, item in enumerate(items):
            if not isinstance(item, Scalar) or not isinstance(item.value, str):
                continue  # refused with the other types of values
            key = dotted(("include", index)) if isinstance(node, Items) else "include"
            pattern = os.path.join(path.parent, item.value)
            if not item.value or "\0" in pattern:
                self._note(item.place, key, f"found {describe(item)}", "the name of a file")
            elif not glob.has_magic(pattern):
                found.setdefault(Path(pattern), item.place)
            else:
                matching = self._disk.matching(pattern)
                found = {**dict.fromkeys(matching, item.place), **found}
                if not matching:
                    problem = f"no file matches {describe(item)}"
                    self.findings.append(Finding(item.place, key, problem, severity="warning"))
        found.pop(path, None)
        return found

    def _merge(self, root: Members, tree: Members) -> None:
        """Add an included file's models and routes to the whole."""
        for key, member in tree.members.items():
            whole = root.members.get(key)
            if key not in _SHARED:
                problem = f'found the key "{key}" in an included file'
                self._note(member.key_place, key, problem, ", ".join(_SHARED), nearest_name(key, _SHARED))
            elif not isinstance(member.node, Members):
                self._note(member.node.place, key, f"found {describe(member.node)}", "a mapping")
            elif whole is None:
                root.members[key] = Member(member.key_place, Members(member.node.place, dict(member.node.members)))
            elif isinstance(whole.node, Members):
                root.members[key] = Member(whole.key_place, self._joined(key, whole.node, member.node))

    def _joined(self, section: str, whole: Members, part: Members) -> Members:
        members = dict(whole.members)
        for name, member in part.members.items():
            first = members.setdefault(name, member)
            if first is not member:
                allowed = f"each name once in all files; the first is at {first.key_place}"
                self._note(member.key_place, dotted((section, name)), f'found "{name}" a second time', allowed)
        return Members(whole.place, members)
