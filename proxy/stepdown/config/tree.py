"""A configuration file as a tree in which every key and every value knows where it is written."""

from __future__ import annotations

import json
from collections.abc import Sequence as SequenceOf
from dataclasses import dataclass, field
from typing import Any

from stepdown.config.findings import Place

Key = str | int
"""A step of a path: a member's name or an item's index."""
Path = tuple[Key, ...]


@dataclass(slots=True)
class Scalar:
    """One value. `text` is what the file says: messages show it, never what the environment put in its place."""

    value: str | int | float | bool | None
    place: Place
    text: str
    size: int = 1


@dataclass(slots=True)
class Items:
    """A list."""

    place: Place
    items: list[Node] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    """Index of each item in the file, for messages: items that are wrong may have been taken out."""
    size: int = 1
    """Values in it when every alias is written out."""


@dataclass(slots=True)
class Member:
    """One key of a mapping with its value."""

    key_place: Place
    node: Node


@dataclass(slots=True)
class Members:
    """A mapping; its keys are text."""

    place: Place
    members: dict[str, Member] = field(default_factory=dict)
    size: int = 1


Node = Scalar | Items | Members


def plain(node: Node) -> Any:
    """The tree as dictionaries, lists and scalars; nothing in it is shared, so it may be changed."""
    if isinstance(node, Members):
        return {key: plain(member.node) for key, member in node.members.items()}
    if isinstance(node, Items):
        return [plain(item) for item in node.items]
    return node.value


def unshared(node: Node) -> Node:
    """A copy in which an alias is a copy of its own, so that parts may be taken out."""
    if isinstance(node, Members):
        members = {key: Member(member.key_place, unshared(member.node)) for key, member in node.members.items()}
        return Members(node.place, members, node.size)
    if isinstance(node, Items):
        return Items(node.place, [unshared(item) for item in node.items], list(node.numbers), node.size)
    return node


def as_written(root: Node, path: SequenceOf[Key]) -> Path:
    """`path` with the indexes that the file has."""
    written: Path = ()
    node: Node | None = root
    for key in path:
        below = child(node, key)
        if isinstance(node, Items) and isinstance(key, int) and below is not None:
            written = (*written, node.numbers[key])
        elif below is None or below is not node:
            written = (*written, key)
        node = below
    return written


def child(node: Node | None, key: Key) -> Node | None:
    """The value under one key or index; `None` where there is none.

    Item 0 of what is no list is the thing itself: where a list is wanted, the file may have its only item.
    """
    if isinstance(node, Members) and isinstance(key, str):
        member = node.members.get(key)
        return member.node if member else None
    if isinstance(node, Items) and isinstance(key, int) and 0 <= key < len(node.items):
        return node.items[key]
    return node if key == 0 and not isinstance(node, Items) else None


def find(node: Node | None, path: SequenceOf[Key]) -> Node | None:
    """The value at `path`; `None` where there is none."""
    for key in path:
        node = child(node, key)
    return node


def place_of(root: Node, path: SequenceOf[Key], *, of_key: bool = False) -> Place:
    """Where `path` is written: its value, or its key where asked; for a part that is absent, what it is absent from."""
    node, place = root, root.place
    for depth, key in enumerate(path):
        below = child(node, key)
        if below is None:
            return place
        last = depth == len(path) - 1
        at_key = isinstance(node, Members) and isinstance(key, str) and (of_key or not last)
        place = node.members[str(key)].key_place if at_key and isinstance(node, Members) else below.place
        node = below
    return place


def describe(node: Node | None) -> str:
    """A value for a message: `"text"`, `the number 1.1`, `a list`; bounded, and as the file has it."""
    if node is None:
        return "nothing"
    if isinstance(node, Items):
        return "a list"
    if isinstance(node, Members):
        return "a mapping"
    shown = node.text if len(node.text) <= 60 else node.text[:57] + "..."
    if node.value is None:
        return "nothing"
    if isinstance(node.value, str):
        return json.dumps(shown, ensure_ascii=False)
    if isinstance(node.value, bool):
        return shown
    return f"the number {shown}"


def dotted(path: SequenceOf[Key]) -> str:
    """A path for people: `routes.churn.rules[0].split."1.1.0"`."""
    text = ""
    for key in path:
        if isinstance(key, int):
            text += f"[{key}]"
            continue
        simple = key.replace("-", "").replace("_", "").isalnum()
        text += ("." if text else "") + (key if simple else json.dumps(key, ensure_ascii=False))
    return text
