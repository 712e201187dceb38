"""The segments of a configuration and who uses them, for `stepdown check`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from stepdown.cli import copying
from stepdown.decide import spec
from stepdown.decide.sentences import sentence_of
from stepdown.decide.when import InSegment, When, leaves

Row = tuple[str, ...]


def users_of(snapshot: spec.SnapshotSpec) -> Mapping[str, tuple[str, ...]]:
    """By segment, the rules (`route/rule`), other segments (`segment NAME`) and what is copied that name it."""
    users: dict[str, dict[str, None]] = {segment.name: {} for segment in snapshot.segments}
    conditions = {f"{route.name}/{rule.name}": rule.when for route in snapshot.routes for rule in route.rules}
    conditions |= copying.conditions(snapshot)
    conditions |= {f"segment {segment.name}": segment.when for segment in snapshot.segments}
    for user, condition in conditions.items():
        for name in _named_in(condition):
            users[name][user] = None
    return {name: tuple(found) for name, found in users.items()}


def _named_in(condition: When) -> Iterator[str]:
    for leaf in leaves(condition):
        if isinstance(leaf, InSegment):
            yield leaf.name


def rows(snapshot: spec.SnapshotSpec) -> tuple[Row, ...]:
    """A head, and one row for each segment."""
    users = users_of(snapshot)
    found = ((one.name, sentence_of(one.when), ", ".join(users[one.name]) or "-") for one in snapshot.segments)
    return (("segment", "who", "used by"), *found)


def as_json(snapshot: spec.SnapshotSpec) -> Mapping[str, Any]:
    """The same for machines."""
    users = users_of(snapshot)
    return {one.name: {"who": sentence_of(one.when), "used_by": list(users[one.name])} for one in snapshot.segments}
