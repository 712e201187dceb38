"""The rules of a comparison, compiled into states: what holds at a place, and which state each step below leads to.

Paths are put into one tree of segments. A state is the set of its nodes that a walk stands on at once (a member may be
meant by its name and by `*`), and what they say together. Steps that no path names lead to the same state, so a large
document costs a look-up for each member, and below the last node nothing at all.

Where several paths mean one place, `ignore` and `redact` hold if any says so; of all else the last in the file holds.
What holds for all that is below (`ignore`, `redact`, tolerances) is handed down; a tolerance nearer to the value wins.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from stepdown.decide.shadow_spec import Comparing, Text, Tolerance, TopK, Unordered
from stepdown_adapters.paths import Every, Member, Where, parse


class Node:
    """A place in the tree of all paths."""

    __slots__ = ("every", "ignored", "label", "labelled", "named", "rules", "secret", "wheres")

    def __init__(self) -> None:
        self.named: dict[str, Node] = {}
        self.every: Node | None = None
        self.wheres: list[tuple[Where, Node]] = []
        self.ignored = False
        self.secret = False
        self.label: str | None = None
        """The path of a label, as the file has it."""
        self.labelled = False
        """Here or below is a label."""
        self.rules: dict[str, tuple[int, Any]] = {}
        """By kind, with its place in the file."""

    def grown(self, path: str, labelled: bool = False) -> Node:
        """The node at a path below this one, made where it is missing; raises `PathError`."""
        node = self
        node.labelled |= labelled
        for segment in parse(path).segments:
            node = node._step(segment)
            node.labelled |= labelled
        return node

    def _step(self, segment: Member | Every | Where) -> Node:
        if isinstance(segment, Member):
            return self.named.setdefault(segment.name, Node())
        if isinstance(segment, Every):
            self.every = self.every or Node()
            return self.every
        for known, node in self.wheres:
            if known == segment:
                return node
        self.wheres.append((segment, Node()))
        return self.wheres[-1][1]


class State:
    """What holds at a place."""

    __slots__ = (
        "_nodes", "_states", "ignored", "label", "labelled", "members", "other", "picky", "secret", "text",
        "tolerance", "top", "unordered",
    )  # fmt: skip

    def __init__(self, nodes: frozenset[Node], above: State | None, states: _States) -> None:
        self._nodes = nodes
        self._states = states
        self.ignored = any(node.ignored for node in nodes)
        self.secret: bool = any(node.secret for node in nodes) or (above is not None and above.secret)
        self.label = next((node.label for node in nodes if node.label is not None), None)
        self.labelled = any(node.labelled for node in nodes)
        """A label is here or below."""
        inherited = above.tolerance if above else None
        self.tolerance: Tolerance | None = _last(nodes, "tolerance") or inherited
        self.unordered: Unordered | None = _last(nodes, "unordered")
        self.top: TopK | None = _last(nodes, "top")
        self.text: Text | None = _last(nodes, "text")
        names = {name for node in nodes for name in node.named}
        self.picky = any(node.wheres or node.named for node in nodes)
        """An item's state may depend on which item it is."""
        every = [node.every for node in nodes if node.every]
        self.other: State = states.at(every, self) if nodes else self
        """Of members and items that no path names."""
        self.members: dict[str, State] = {
            name: states.at([*every, *(node.named[name] for node in nodes if name in node.named)], self)
            for name in names
        }

    def member(self, name: str) -> State:
        """The state of an object's member."""
        return self.members.get(name, self.other)

    def item(self, index: int, *values: Any) -> tuple[State, str | None]:
        """The state of an array's item that is `values` in the documents, and what to show in place of its index."""
        if not self.picky:
            return self.other, None
        name = str(index)
        reached = [node.every for node in self._nodes if node.every]
        reached += [node.named[name] for node in self._nodes if name in node.named]
        shown = None
        for node in self._nodes:
            for where, below in node.wheres:
                if any(_accepts(where, value) for value in values):
                    reached.append(below)
                    shown = str(where)
        return self._states.at(reached, self), shown


class _States:
    """All states of one set of rules; each set of nodes under the same inheritance is one."""

    def __init__(self) -> None:
        self._made: dict[tuple[frozenset[Node], int, bool], State] = {}

    def at(self, nodes: Iterable[Node], above: State | None) -> State:
        standing = frozenset(nodes)
        key = (standing, id(above.tolerance) if above else 0, bool(above and above.secret))
        state = self._made.get(key)
        if state is None:
            state = self._made[key] = State(standing, above, self)
        return state


def compile_rules(comparing: Comparing, redact: Iterable[str] = ()) -> State:
    """The state of whole documents; raises `PathError` where a path is none."""
    top = Node()
    for path in comparing.ignore:
        top.grown(path).ignored = True
    for path in redact:
        top.grown(path).secret = True
    for path in comparing.labels:
        top.grown(path, True).label = path
    lists: dict[str, Iterable[Any]] = {
        "tolerance": comparing.tolerances,
        "unordered": comparing.unordered,
        "top": comparing.top,
        "text": comparing.text,
    }
    for kind, rules in lists.items():
        for order, rule in enumerate(rules):
            top.grown(rule.path).rules[kind] = (order, rule)
    return _States().at([top], None)


def _last(nodes: frozenset[Node], kind: str) -> Any:
    """The rule of a kind that comes last in the file; `None` where there is none."""
    found = [node.rules[kind] for node in nodes if kind in node.rules]
    return max(found, key=lambda one: one[0])[1] if found else None


def _accepts(where: Where, item: Any) -> bool:
    return isinstance(item, dict) and where.name in item and where.accepts(item[where.name])
