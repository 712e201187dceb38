"""Events of OpenAI's Responses, gathered into the response that they are parts of.

The last event of a whole stream has the whole response in it. Only where there is none, or no room for it, is the
response put together of its items, and those that are not whole of their deltas.
"""

from __future__ import annotations

from io import StringIO
from typing import Any

from stepdown_adapters.stream.events import Said
from stepdown_adapters.stream.gathering.growing import Budget, weight

_LAST = frozenset({"response.completed", "response.incomplete", "response.failed"})
_FIRST = frozenset({"response.created", "response.queued", "response.in_progress"})
_ENTRY = 256
"""Bytes that a part counts beside its text."""

# A delta's type; the list that its part is in (none where it belongs to the item itself), the part's type, the member.
_DELTAS = {
    "response.output_text.delta": ("content", "output_text", "text"),
    "response.refusal.delta": ("content", "refusal", "refusal"),
    "response.reasoning_text.delta": ("content", "reasoning_text", "text"),
    "response.reasoning_summary_text.delta": ("summary", "summary_text", "text"),
    "response.function_call_arguments.delta": ("", "", "arguments"),
    "response.mcp_call_arguments.delta": ("", "", "arguments"),
    "response.custom_tool_call_input.delta": ("", "", "input"),
    "response.code_interpreter_call_code.delta": ("", "", "code"),
}
_Part = tuple[int, str, str, str]
"""An index in its list, then as above."""


class Responses:
    """Gathers a `response`."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._limit = budget.left
        self._response: dict[str, Any] = {}
        self._whole = False
        self._items: dict[int, dict[str, Any]] = {}
        self._parts: dict[int, dict[_Part, StringIO]] = {}

    def hear(self, said: Said) -> bool:
        """Takes an event's part of the response."""
        document = said.document
        kind = document.get("type") if isinstance(document, dict) else None
        if not isinstance(kind, str):
            return False
        if kind in _LAST or (kind in _FIRST and not self._response):
            self._answer(document.get("response"), whole=kind in _LAST)
            return False
        index = document.get("output_index", 0)
        if not isinstance(index, int):
            return False
        if kind in ("response.output_item.added", "response.output_item.done"):
            return self._item(index, document.get("item"), done=kind.endswith("done"))
        if kind in _DELTAS and isinstance(document.get("delta"), str):
            self._delta(index, kind, document)
        return kind.endswith(".delta")

    def document(self) -> dict[str, Any]:
        """The response, in the shape of an answer that is no stream."""
        if self._whole:
            return self._response
        indices = sorted(self._items.keys() | self._parts.keys())
        output = [_put_together(self._items.get(index, {}), self._parts.get(index, {})) for index in indices]
        return {**self._response, "output": output}

    def _answer(self, response: Any, whole: bool) -> None:
        if not isinstance(response, dict):
            return
        size = weight(response)
        if whole and size <= self._limit:  # it has all that was gathered, which makes room for it
            self._budget.left = self._limit - size
            self._budget.spent = False
            self._items, self._parts = {}, {}
            self._response, self._whole = response, True
        elif self._budget.take(size):
            self._response = {**response, "output": []}

    def _item(self, index: int, item: Any, done: bool) -> bool:
        if not isinstance(item, dict):
            return False
        known = self._items.get(index)
        parts = self._parts.get(index, {})
        size = weight(item) - (weight(known) if known else 0) - (_held(parts) if done else 0)
        if self._budget.take(size):
            self._items[index] = item
            if done:
                self._parts.pop(index, None)
        return done and not parts

    def _delta(self, index: int, kind: str, document: dict[str, Any]) -> None:
        place, part, member = _DELTAS[kind]
        within = document.get("summary_index" if place == "summary" else "content_index", 0)
        key = (within if isinstance(within, int) else 0, place, part, member)
        parts = self._parts.setdefault(index, {})
        if key not in parts:
            if not self._budget.take(_ENTRY):
                return
            parts[key] = StringIO()
        text: str = document["delta"]
        if self._budget.take(weight(text)):
            parts[key].write(text)


def _held(parts: dict[_Part, StringIO]) -> int:
    return sum(_ENTRY + weight(text.getvalue()) for text in parts.values())


def _put_together(item: dict[str, Any], parts: dict[_Part, StringIO]) -> dict[str, Any]:
    """An item as far as it came: what was said when it was added, and its deltas."""
    made = dict(item)
    for within, place, part, member in sorted(parts):
        text = parts[within, place, part, member].getvalue()
        if place:
            known = made.get(place)
            made[place] = [*(known if isinstance(known, list) else ()), {"type": part, member: text}]
        else:
            made[member] = text
    return made
