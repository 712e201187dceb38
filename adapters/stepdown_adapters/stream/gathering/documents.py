"""Streams of no dialect, gathered into the list of what their events say; and the lines of Ollama."""

from __future__ import annotations

from typing import Any

from stepdown_adapters.stream.events import Kind, Said
from stepdown_adapters.stream.gathering.growing import Budget, grow, settled

_ENTRY = 64
"""Bytes that an item counts beside its text."""
_FIRST = 16
_GROWING = ("message", "response", "thinking")


class Documents:
    """Gathers the payloads, JSON where they are and text where not; `[DONE]` is no payload."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._payloads: list[Any] = []
        self.first: list[Said] = []
        """The first events: they may yet turn out to be of some dialect."""

    def hear(self, said: Said) -> bool:
        """Keeps the payload, while there is room."""
        if said.kind not in (Kind.JSON, Kind.TEXT):
            return False
        data = said.event.data or b""
        if self._budget.take(_ENTRY + len(data)):
            self._payloads.append(said.document if said.kind is Kind.JSON else data.decode(errors="replace"))
            if len(self.first) < _FIRST:
                self.first.append(said)
        return True

    def document(self) -> list[Any]:
        """The payloads, in their order."""
        return list(self._payloads)


class Ollama:
    """Gathers the answer of which each line has a part."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._top: dict[str, Any] = {}

    def hear(self, said: Said) -> bool:
        """Lays a line over what there is."""
        line = said.document
        if not isinstance(line, dict):
            return False
        for name, value in line.items():
            if name in _GROWING:
                grow(self._top, {name: value}, self._budget)
            else:
                self._budget.replace(self._top, name, value)
        message = line.get("message")
        parts = message if isinstance(message, dict) else line
        return any(parts.get(name) for name in ("content", "response", "thinking", "tool_calls"))

    def document(self) -> Any:
        """The answer, in the shape of one that is no stream."""
        return settled(self._top)
