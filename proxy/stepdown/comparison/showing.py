"""What may be kept of a document to be looked at: short, and nothing of what is redacted."""

from __future__ import annotations

import json
from typing import Any

from stepdown.comparison.answers import REDACTED, UNREAD, Difference, Reply
from stepdown.comparison.compare import Comparison, document
from stepdown.comparison.rules import State, compile_rules
from stepdown.decide.shadow_spec import Comparing

CUT = "..."
LONGEST = 300
"""Characters of a value that are kept."""
LONGEST_BODY = 8192
"""Characters of a body that are kept."""
DEEPEST = 32
"""Levels of a value that are shown."""


_NOWHERE = compile_rules(Comparing())


def shown(value: Any, state: State, longest: int = LONGEST) -> str:
    """A value as JSON text, with redacted parts replaced and the rest cut; `state` is that of the value's place."""
    return _cut(json.dumps(_Redaction(longest).of(value, state, DEEPEST), ensure_ascii=False), longest)


def shown_sides(difference: Difference) -> tuple[str, str]:
    """Both values of a difference; empty where one is missing."""
    state = difference.place.state if difference.place else _NOWHERE
    served = "" if difference.kind == "added" else shown(difference.served, state)
    return served, "" if difference.kind == "missing" else shown(difference.candidate, state)


def body(reply: Reply, comparison: Comparison) -> str:
    """A whole body; of one that is no JSON nothing, where anything is to be redacted."""
    read = document(reply)
    if read is not UNREAD:
        return shown(read, comparison.rules, LONGEST_BODY)
    if comparison.redacts:
        return REDACTED if reply.body else ""
    return _cut(reply.body[: 2 * LONGEST_BODY].decode("utf-8", "backslashreplace"), LONGEST_BODY)


class _Redaction:
    """A copy of a value without what is redacted, which ends when there is enough of it."""

    __slots__ = ("room",)

    def __init__(self, room: int) -> None:
        self.room = room
        """Characters that it may still take, about."""

    def of(self, value: Any, state: State, depth: int) -> Any:
        self.room -= 4
        if state.secret:
            value = REDACTED
        if isinstance(value, dict | list) and not depth:
            return CUT
        if isinstance(value, dict):
            return self._members(value, state, depth)
        if isinstance(value, list):
            return self._items(value, state, depth)
        if isinstance(value, str):
            value = value[: max(self.room, 0) + 1]
            self.room -= len(value)
        elif isinstance(value, int) and not isinstance(value, bool) and value.bit_length() > LONGEST:
            value = CUT  # a number of a million digits takes minutes to write
        return value

    def _members(self, value: dict[str, Any], state: State, depth: int) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for name, member in value.items():
            if self.room < 0:
                break
            below = state.member(name)
            known = not below.secret or name in state.members
            self.room -= len(name)
            result[name[:LONGEST] if known else REDACTED] = self.of(member, below, depth - 1)
        return result

    def _items(self, value: list[Any], state: State, depth: int) -> list[Any]:
        result: list[Any] = []
        for index, item in enumerate(value):
            if self.room < 0:
                break
            result.append(self.of(item, state.item(index, item)[0], depth - 1))
        return result


def _cut(text: str, longest: int) -> str:
    """Without lone surrogates, which no encoding of a report takes."""
    text = text.encode("utf-8", "backslashreplace").decode()
    return text if len(text) <= longest else text[: longest - len(CUT)] + CUT
