"""Chunks of chat completions and of legacy completions, gathered into the completion that they are parts of."""

from __future__ import annotations

from typing import Any

from stepdown_adapters.stream.events import Said
from stepdown_adapters.stream.gathering.growing import Budget, Indexed, grow


class Chunks:
    """Gathers a `chat.completion` of deltas, or a `text_completion` of texts."""

    def __init__(self, budget: Budget, named: str) -> None:
        self._budget = budget
        self._top: dict[str, Any] = {"object": named}
        self._choices = Indexed()

    def hear(self, said: Said) -> bool:
        """Lays a chunk over what there is."""
        chunk = said.document
        if not isinstance(chunk, dict):
            return False
        content = False
        for name, value in chunk.items():
            if name == "choices":
                content = self._choose(value)
            elif name == "object" or self._top.get(name, self) == value:
                continue
            elif value or name not in self._top:  # a gateway's own chunks have all fields empty
                self._budget.replace(self._top, name, value)
        return content

    def document(self) -> dict[str, Any]:
        """The completion, in the shape of an answer that is no stream."""
        choices = [{"index": index, **choice} for index, choice in self._choices.settled()]
        return {**self._top, "choices": choices}

    def _choose(self, choices: Any) -> bool:
        content = False
        for choice in choices if isinstance(choices, list) else ():
            if not isinstance(choice, dict):
                continue
            into = self._choices.item(choice.get("index", 0), self._budget)
            delta = choice.get("delta")
            content |= bool(choice.get("text"))
            if isinstance(delta, dict):
                content |= any(value for name, value in delta.items() if name != "role")
            if into is not None:
                members = {name: value for name, value in choice.items() if name not in ("index", "delta")}
                grow(into, members | ({"message": delta} if isinstance(delta, dict) else {}), self._budget)
        return content
