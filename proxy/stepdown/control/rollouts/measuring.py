"""What guards with a source of their own say at the end of a window: what the loop needs of those who ask them.

Only the replica that decides asks, once for each window, and goes on counting what workers bring meanwhile. An answer
that takes too long is none: the window then ends with those kinds unread.
"""

from __future__ import annotations

from typing import Protocol

from stepdown.decide.rollout_spec import Rollout
from stepdown.rollout.looking import NOTHING, Elsewhere
from stepdown.rollout.position import Position


class Measurer(Protocol):
    """Asks Prometheus, webhooks and the like."""

    async def measure(self, rollout: Rollout, position: Position, now: float, *, since: float) -> Elsewhere:
        """What came between `since`, the begin of the window, and `now` (Unix seconds); raises nothing.

        It ends by itself, well within a window: `MEASURE_SECONDS` after it was asked it is given up.
        """

    def leave(self, rollout: str) -> None:
        """Measure nothing between windows any more: it is not under way, or somebody else decides."""

    async def close(self) -> None:
        """Give up what is on its way."""


MEASURE_SECONDS = 20.0


class NothingMeasured(Measurer):
    """Of a configuration in which no guard has a source of its own."""

    async def measure(self, rollout: Rollout, position: Position, now: float, *, since: float) -> Elsewhere:
        """Nothing."""
        return NOTHING

    def leave(self, rollout: str) -> None:
        """Nothing is measured."""

    async def close(self) -> None:
        """Nothing is on its way."""
