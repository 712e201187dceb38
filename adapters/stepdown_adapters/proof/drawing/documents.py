"""Draws documents that are likely to be valid under a contract; whoever draws them judges them.

Every document is drawn sparse, full or in between, so that optional members are seen together, alone and not at all.
Objects that are open get members that the newer contract says nothing of: above all with names to which the older one
gives a meaning, and values that it does not expect there.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from stepdown_adapters.contract.keywords import Schema, pointer
from stepdown_adapters.json_values import equal
from stepdown_adapters.proof.drawing.coverage import Ledger
from stepdown_adapters.proof.drawing.dice import Dice
from stepdown_adapters.proof.drawing.needs import Item, Need, Needs
from stepdown_adapters.proof.drawing.texts import Texts
from stepdown_adapters.proof.patterns import matches
from stepdown_adapters.proof.schemas import Document

_SHALLOW = 7
"""From here down a document is drawn as small as it may be."""
_DEEPEST = 40
_MOST_PLACES = 4000
_TRIES = 6
_MOST_NAMES = 40
_MOST_ITEMS = 64
_ANY: tuple[Any, ...] = (None, True, False, 0, 1, -1, 1.5, 2**53, "", "text", "1", [], {}, [None], [0.5, "a"], {"a": 1})


class Dead(Exception):  # noqa: N818 - a way that leads to no document, which is an answer
    """The choices that were made fit no value."""


@dataclass(slots=True)
class _Rows:
    """What is asked of an array."""

    low: int
    high: int | None
    unique: bool
    marks: dict[int, tuple[int, ...]]
    contains: tuple[Item, ...] = ()
    items: list[Need] = field(default_factory=list)
    """Of the first items; the last need is that of all further ones."""


@dataclass(slots=True)
class _Members:
    """What is asked of an object."""

    declared: dict[str, tuple[Need, bool, int, int]]
    """By name: the need, whether it is required, the goals of its presence and of its absence."""
    closed: bool
    patterns: list[tuple[Texts, str]]
    names: list[tuple[str, int]]
    """Names that nothing declares here and the older contract knows, each with its goal."""
    low: int
    high: int | None


class Documents:
    """Draws documents of one contract."""

    def __init__(
        self,
        schema: Schema,
        dice: Dice,
        names: Iterable[str] = (),
        words: Iterable[str] = (),
        numbers: Iterable[int | float] = (),
    ) -> None:
        """`names` are those of members that the older contract knows; `words` and `numbers` may matter to anybody."""
        self.ledger = Ledger()
        self._dice = dice
        self._names = tuple(dict.fromkeys(names))[:_MOST_NAMES]
        self._words = tuple(dict.fromkeys((*words, *self._names)))
        self._needs = Needs(Document(schema, 1), self.ledger, self._words, tuple(numbers))
        self._top = self._needs.need([(schema, "")])
        self._met: list[int] = []
        self._places = 0
        self._presence = 2

    def draw(self) -> tuple[Any, Sequence[int]] | None:
        """A document and the goals that it meets if it is valid; `None` when the dice led nowhere."""
        self._met, self._places = [], 0
        # Of four optional members: none, two, or all.
        self._presence = self._dice.choice((0, 2, 2, 2, 2, 3, 4))
        try:
            return self._value(self._top, 0), self._met
        except (Dead, RecursionError, OverflowError):
            return None

    def _value(self, need: Need, depth: int) -> Any:
        self._places += 1
        if need.dead or depth > _DEEPEST or self._places > _MOST_PLACES:
            raise Dead
        if need.choices:
            need = self._decided(need)
        self._met += need.goals
        if need.values is not None:
            value, goals = self._dice.choice(need.values)
            self._met += goals
            return value
        return self._of_kind(self._kind(need), need, depth)

    def _decided(self, need: Need) -> Need:
        """The need that is left when every choice was made; a few ways are tried."""
        for _ in range(_TRIES):
            now, marks = need, list(need.goals)
            while now.choices and not now.dead:
                picks = tuple(self._dice.below(len(choice.branches)) for choice in now.choices)
                marks += [choice.branches[pick][1] for choice, pick in zip(now.choices, picks, strict=True)]
                now = self._taken(now, picks)
            if not now.dead:
                self._met += marks
                return now
        raise Dead

    def _taken(self, need: Need, picks: tuple[int, ...]) -> Need:
        known = need.after.get(picks)
        if known is None:
            chosen = [choice.branches[pick][0] for choice, pick in zip(need.choices, picks, strict=True)]
            items = [*need.parts, *(item for branch in chosen for item in branch)]
            decided = need.decided.union(choice.schema for choice in need.choices)
            known = need.after[picks] = self._needs.need(items, decided)
        return known

    def _kind(self, need: Need) -> str:
        kinds = need.likely if need.likely and len(need.likely) < len(need.kinds) and not need.types else need.kinds
        if kinds is need.likely and self._dice.one_in(5):
            kinds = need.kinds
        kind = kinds[0] if len(kinds) == 1 else self._dice.choice(kinds)
        if kind in need.types:
            self._met.append(need.types[kind])
        return kind

    def _of_kind(self, kind: str, need: Need, depth: int) -> Any:
        if kind == "null":
            return None
        if kind == "boolean":
            return self._dice.one_in(2)
        if kind == "number":
            assert need.numbers is not None
            number = need.numbers.draw(self._dice)
            self._met += need.marks.get(("value", number), ())
            return number
        if kind == "string":
            assert need.texts is not None
            text = need.texts.draw(self._dice)
            self._met += need.marks.get(("length", len(text)), ())
            return text
        return self._array(need, depth) if kind == "array" else self._object(need, depth)

    def _array(self, need: Need, depth: int) -> list[Any]:
        rows: _Rows = need.rows or self._rows(need)
        last = len(rows.items) - 1
        drawn = [self._value(rows.items[min(index, last)], depth + 1) for index in range(self._size(rows, depth))]
        for item in rows.contains:
            contained = self._needs.need([item])
            if drawn:
                drawn[self._dice.below(len(drawn))] = self._value(contained, depth + 1)
        if rows.unique:
            drawn = _unique(drawn)
        self._met += rows.marks.get(len(drawn), ())
        return drawn

    def _rows(self, need: Need) -> _Rows:
        lows: list[int] = [0]
        highs: list[int] = []
        marks: dict[int, tuple[int, ...]] = {}
        contains: list[Item] = []
        longest = max((len(schema.get("prefixItems", ())) for schema, _ in need.parts), default=0)
        for schema, place in need.parts:
            for keyword, into in (("minItems", lows), ("maxItems", highs)):
                if keyword in schema:
                    size = int(schema[keyword])
                    into.append(size)
                    marks[size] = (*marks.get(size, ()), self.ledger.goal("boundary", f"{place}/{keyword}"))
            if "contains" in schema and schema.get("minContains", 1) > 0:
                contains.append((schema["contains"], f"{place}/contains"))
                lows.append(int(schema.get("minContains", 1)))
        rows = _Rows(max(lows), min(highs, default=None), False, marks, tuple(contains))
        rows.unique = any(schema.get("uniqueItems") is True for schema, _ in need.parts)
        for index in range(longest + 1):
            items: list[Item] = []
            for schema, place in need.parts:
                prefix = schema.get("prefixItems", ())
                if index < len(prefix):
                    items.append((prefix[index], place + pointer("prefixItems", str(index))))
                else:
                    items.append((schema.get("items", schema.get("unevaluatedItems", True)), f"{place}/items"))
            rows.items.append(self._needs.need(items))
        for index, one in enumerate(rows.items):
            if one.dead:  # nothing can stand here, so that arrays end before
                rows.high = index if rows.high is None else min(rows.high, index)
                break
        need.rows = rows
        return rows

    def _size(self, rows: _Rows, depth: int) -> int:
        if rows.high is not None and rows.low > rows.high:
            raise Dead
        if depth > _SHALLOW or self._dice.one_in(5):
            return rows.low
        most = rows.low + 4 if rows.high is None else rows.high
        if rows.high is not None and most - rows.low <= _MOST_ITEMS and self._dice.one_in(4):
            return most
        return rows.low + self._dice.below(min(most - rows.low, max(4, len(rows.items))) + 1)

    def _object(self, need: Need, depth: int) -> dict[str, Any]:
        members: _Members = need.members or self._members(need)
        drawn: dict[str, Any] = {}
        for name, (inner, required, present, absent) in members.declared.items():
            if required or (not inner.dead and depth <= _SHALLOW and self._dice.below(4) < self._presence):
                drawn[name] = self._value(inner, depth + 1)
                if not required:
                    self._met.append(present)
            else:
                self._met.append(absent)
        if depth <= _SHALLOW:
            self._add_undeclared(drawn, need, members, depth)
        while len(drawn) < members.low:
            name = f"{self._dice.choice('abcxyz')}{len(drawn)}"
            drawn[name] = self._value(self._member(need, name), depth + 1)
        if members.high is not None and len(drawn) > members.high:
            for name in [one for one in drawn if one not in members.declared or not members.declared[one][1]]:
                if len(drawn) > members.high:
                    del drawn[name]
        return drawn

    def _add_undeclared(self, drawn: dict[str, Any], need: Need, members: _Members, depth: int) -> None:
        for texts, _ in members.patterns:
            for _ in range(self._dice.below(3)):
                name = texts.draw(self._dice)
                if name not in members.declared:
                    drawn[name] = self._value(self._member(need, name), depth + 1)
        if members.closed or self._presence == 0:
            return
        for _ in range(self._dice.below(3)):
            name, goal = self._dice.choice(members.names) if members.names else ("", -1)
            if not name or self._dice.one_in(4):
                name, goal = self._dice.choice(self._words or ("extra",)), -1
            inner = self._member(need, name) if name not in drawn and name not in members.declared else None
            if inner is not None and not inner.dead:
                drawn[name] = self._value(inner, depth + 1) if inner.parts else self._dice.choice(_ANY)
                if goal >= 0:
                    self._met.append(goal)

    def _members(self, need: Need) -> _Members:
        names = dict.fromkeys(name for schema, _ in need.parts for name in schema.get("properties", ()))
        required = {name for schema, _ in need.parts for name in schema.get("required", ())}
        names |= dict.fromkeys(sorted(required))
        home = need.parts[0][1] if need.parts else ""
        declared = {}
        for name in names:
            at = home + pointer("properties", name)
            needed = name in required
            goals = (-1, -1) if needed else (self.ledger.goal("present", at), self.ledger.goal("absent", at))
            declared[name] = (self._member(need, name), needed, *goals)
        closed = any(
            schema.get(keyword) is False
            for schema, _ in need.parts
            for keyword in ("additionalProperties", "unevaluatedProperties")
        )
        patterns = [
            (Texts([{"pattern": pattern}], self._words), pattern)
            for schema, _ in need.parts
            for pattern in schema.get("patternProperties", ())
        ]
        undeclared = [] if closed else [name for name in self._names if name not in names]
        found = [(name, self.ledger.goal("collision", home + pointer("properties", name))) for name in undeclared]
        lows = [int(schema["minProperties"]) for schema, _ in need.parts if "minProperties" in schema]
        highs = [int(schema["maxProperties"]) for schema, _ in need.parts if "maxProperties" in schema]
        members = _Members(declared, closed, patterns, found, max(lows, default=0), min(highs, default=None))
        need.members = members
        return members

    def _member(self, need: Need, name: str) -> Need:
        """What all schemas ask of the member of one name."""
        items: list[Item] = []
        for schema, place in need.parts:
            before = len(items)
            if name in schema.get("properties", ()):
                items.append((schema["properties"][name], place + pointer("properties", name)))
            for pattern, inner in schema.get("patternProperties", {}).items():
                if matches(pattern, name):
                    items.append((inner, place + pointer("patternProperties", pattern)))
            if len(items) == before and "additionalProperties" in schema:
                items.append((schema["additionalProperties"], f"{place}/additionalProperties"))
        return self._needs.need(items)


def _unique(values: list[Any]) -> list[Any]:
    kept: list[Any] = []
    for value in values:
        if not any(equal(value, one) for one in kept):
            kept.append(value)
    return kept
