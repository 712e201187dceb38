"""What all dialects' gatherers have in common."""

from __future__ import annotations

from typing import Any, Protocol

from stepdown_adapters.stream.events import Said


class Gatherer(Protocol):
    """Makes one document of the events of one stream."""

    def hear(self, said: Said) -> bool:
        """Take the next event into account; whether it brought any of the answer's content."""
        ...

    def document(self) -> Any:
        """The document so far."""
        ...
