"""What of a request a condition reads: when it can be tested, and what has to be equal for its outcome to be equal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from stepdown.decide.spec import SnapshotSpec
from stepdown.decide.when import (
    ClientIn,
    FieldIs,
    FlagIs,
    HostIs,
    InSegment,
    KeyIn,
    KeyList,
    MethodIs,
    PathIs,
    PathUnder,
    Percent,
    TimeIn,
    When,
    leaves,
)


class Inputs(NamedTuple):
    """Of one condition, or of several together."""

    headers: frozenset[str] = frozenset()
    """Lower-case names of the header fields, `cookie` among them where `cookies` has any."""
    cookies: frozenset[str] = frozenset()
    params: frozenset[str] = frozenset()
    """Names of parts of the path."""
    pointers: frozenset[str] = frozenset()
    """JSON Pointers into the body."""
    view: bool = False
    """More than method, host, path and header fields: their tests take a view."""
    view_to_pick: bool = False
    """More than these and the client's address, with which `picking` can do without a view."""
    client: bool = False
    """The client's address."""
    clock: bool = False
    key: bool = False
    """The route's key."""
    flags: frozenset[str] = frozenset()
    """Names of feature flags, which read what `flag_context.Reads` says."""

    @property
    def recallable(self) -> bool:
        """Whether requests of one peer that are alike in request line, host and these fields have the same outcome.

        The time may pass between them, a flag may be switched, and a body is only known when it has come.
        """
        return not (self.pointers or self.clock or self.flags)


def inputs_of(conditions: Iterable[When], segments: Mapping[str, When]) -> Inputs:
    """What these conditions read, and the segments that they name."""
    names: dict[str, set[str]] = {source: set() for source in ("header", "query", "cookie", "param", "json")}
    seen: set[str] = set()
    flags: set[str] = set()
    kinds: set[type[When]] = set()
    waiting = list(conditions)
    while waiting:
        for leaf in leaves(waiting.pop()):
            kinds.add(type(leaf))
            if isinstance(leaf, InSegment):
                if leaf.name not in seen:
                    seen.add(leaf.name)
                    waiting.append(segments[leaf.name])
            elif isinstance(leaf, FieldIs):
                names[leaf.source].add(leaf.name)
            elif isinstance(leaf, FlagIs):
                flags.add(leaf.flag)
    headers = names["header"]
    only_head = kinds <= {InSegment, FieldIs, MethodIs, HostIs, PathIs, PathUnder, ClientIn}
    view = not only_head or any(names[source] for source in ("param", "json"))
    return Inputs(
        headers=frozenset(headers | ({"cookie"} if names["cookie"] else set())),
        cookies=frozenset(names["cookie"]),
        params=frozenset(names["param"]),
        pointers=frozenset(names["json"]),
        view=view or ClientIn in kinds,
        view_to_pick=view,
        client=ClientIn in kinds,
        clock=TimeIn in kinds,
        key=bool(kinds & {Percent, KeyIn}),
        flags=frozenset(flags),
    )


def lists_of(specification: SnapshotSpec) -> dict[str, KeyList]:
    """Every list of ids that conditions name, by digest."""
    conditions = [segment.when for segment in specification.segments]
    for route in specification.routes:
        conditions += [rule.when for rule in route.rules]
        conditions += [shadow.when for shadow in route.shadows]
        conditions += [route.record.when] if route.record is not None else []
    named = (_list_of(leaf) for condition in conditions for leaf in leaves(condition))
    return {one.digest: one for one in named if one is not None}


def _list_of(leaf: When) -> KeyList | None:
    if isinstance(leaf, FieldIs):
        return leaf.key_in
    return leaf.ids if isinstance(leaf, KeyIn) else None
