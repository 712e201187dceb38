"""What the reader of a diff decides: which direction, what sort of client, and what the growth of an enum means."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from stepdown_adapters.diff.catalogue import KINDS, Outcome

Direction = Literal["response", "request"]
Client = Literal["strict", "tolerant"]
Enums = Literal["closed", "extensible"]
Formats = Literal["annotation", "asserted"]

_GROWTH = "enum-value-added/extensible"


@dataclass(frozen=True, slots=True)
class Policy:
    """The choices under which changes are judged."""

    direction: Direction = "response"
    client: Client = "strict"
    enums: Enums = "closed"
    """`closed`: a new value breaks, but for tolerant clients where `x-extensible-enum` announces it. `extensible`: no
    client falls over a new value."""
    formats: Formats = "annotation"
    """Whether `format` is checked by somebody."""

    def outcome(self, kind: str) -> Outcome:
        """What a change of this kind means in this direction."""
        row = KINDS[kind]
        if kind == _GROWTH and self.enums == "extensible":
            return KEPT
        return row.response if self.direction == "response" else row.request

    def holds(self, kind: str) -> bool:
        """Whether the criterion itself holds, whatever tolerance there may be beyond it."""
        return self.outcome(kind).strict == "compatible"


KEPT = Outcome("compatible", "compatible", "minor", "minor")
"""What a change amounts to that was proved to allow nothing new."""
