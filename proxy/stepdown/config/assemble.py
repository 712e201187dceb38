"""The main file and those that it includes, as one tree in which every value still knows its own file."""

from __future__ import annotations

import glob
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from stepdown.config.findings import Finding, Place, nearest_name
from stepdown.config.sources import Disk, FileError, Source
from stepdown.config.tree import Items, Member, Members, Scalar, child, describe, dotted
from stepdown.config.yaml_reader import read

_SHARED = ("models", "routes")
"""The sections that an included file contributes to."""


@dataclass(slots=True)
class Assembly:
    """What was read for one attempt to load."""

    root: Members | None = None
    sources: dict[str, Source] = field(default_factory=dict)
    """By file name as it stands in places."""
    findings: list[Finding] = field(default_factory=list)


def assemble(path: Path, disk: Disk, environ: Mapping[str, str], kept: Mapping[str, Source]) -> Assembly:
    """Read `path` and its includes; for the files in `kept` that copy is used instead of the disk."""
    assembly = Assembly()
    root = _tree(path, assembly, disk, environ, kept)
    if root is None:
        return assembly
    assembly.root = Members(root.place, dict(root.members), root.size)
    for included in _included(path, root, disk, assembly.findings):
        tree = _tree(included, assembly, disk, environ, kept)
        if tree is not None:
            _merge(assembly.root, tree, assembly.findings)
    return assembly


def _tree(
    path: Path, assembly: Assembly, disk: Disk, environ: Mapping[str, str], kept: Mapping[str, Source]
) -> Members | None:
    """One file's tree; `None` after noting why there is none."""
    name = str(path)
    try:
        source = kept.get(name) or Source(path, disk.text(path))
    except FileError as error:
        assembly.findings.append(Finding(Place(name, error.line, 1), "", f"the file {error}"))
        return None
    assembly.sources[name] = source
    root, findings = read(source.text, name, environ)
    assembly.findings += findings
    if root is None or isinstance(root, Members):
        return root
    assembly.findings.append(Finding(root.place, "", f"found {describe(root)}", "a mapping"))
    return None


def _included(path: Path, root: Members, disk: Disk, findings: list[Finding]) -> list[Path]:
    """Files named by `include`, each once and never the file itself."""
    node = child(root, "include")
    items = node.items if isinstance(node, Items) else [node] if node else []
    found: dict[Path, None] = {}
    for index, item in enumerate(items):
        if not isinstance(item, Scalar) or not isinstance(item.value, str):
            continue  # refused with the other types of values
        key = dotted(("include", index)) if isinstance(node, Items) else "include"
        pattern = os.path.join(path.parent, item.value)
        if "\0" in pattern:
            findings.append(Finding(item.place, key, f"found {describe(item)}", "the name of a file"))
            continue
        if not glob.has_magic(pattern):
            found[Path(pattern)] = None
            continue
        matching = disk.matching(pattern)
        if not matching:
            findings.append(Finding(item.place, key, f"no file matches {describe(item)}", severity="warning"))
        found |= dict.fromkeys(matching)
    found.pop(path, None)
    return list(found)


def _merge(root: Members, tree: Members, findings: list[Finding]) -> None:
    """Add an included file's models and routes to the whole."""
    for key, member in tree.members.items():
        if key not in _SHARED:
            problem = f'found the key "{key}" in an included file'
            findings.append(Finding(member.key_place, key, problem, "models, routes", nearest_name(key, _SHARED)))
            continue
        if not isinstance(member.node, Members):
            findings.append(Finding(member.node.place, key, f"found {describe(member.node)}", "a mapping"))
            continue
        whole = root.members.get(key)
        if whole is None:
            root.members[key] = Member(member.key_place, Members(member.node.place, dict(member.node.members)))
        elif isinstance(whole.node, Members):
            whole.node = _joined(key, whole.node, member.node, findings)


def _joined(section: str, whole: Members, part: Members, findings: list[Finding]) -> Members:
    members = dict(whole.members)
    for name, member in part.members.items():
        first = members.setdefault(name, member)
        if first is not member:
            findings.append(
                Finding(
                    member.key_place,
                    dotted((section, name)),
                    f'found "{name}" a second time',
                    f"each name once in all files; the first is at {first.key_place}",
                )
            )
    return Members(whole.place, members)
