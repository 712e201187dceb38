"""What became of copies, counted in the comparer's slab and told in its log, both within bounds."""

from __future__ import annotations

import logging
from collections.abc import Callable

from stepdown.comparer.counting import Counters, Telling
from stepdown.comparer.results import Result
from stepdown.comparison.book import Result as Compared
from stepdown.telemetry.buckets import REQUEST_SECONDS, observe
from stepdown.telemetry.log import fields
from stepdown.telemetry.slab import Slab

logger = logging.getLogger(__name__)


class ShadowTally:
    """Counts by route and shadow."""

    def __init__(self, slab: Slab, clock: Callable[[], float]) -> None:
        """`clock` gives monotonic seconds."""
        self._slab = slab
        self._counters = Counters(slab)
        self._telling = Telling(clock)
        self._seconds: dict[tuple[str, str], int] = {}

    def skipped(self, route: str, shadow: str, reason: str, detail: str = "") -> None:
        """Count a request that was not copied."""
        self._counters.count("stepdown_shadow_skipped_total", route, shadow, reason)
        self._tell("requests are not copied to a shadow", route, shadow, reason, detail)

    def ended(self, route: str, shadow: str, result: Result) -> None:
        """Count a copy."""
        self._counters.count("stepdown_shadow_copies_total", route, shadow, result.outcome)
        if result.status and result.outcome in {"answered", "error", "too-large"}:
            self._counters.count("stepdown_shadow_answers_total", route, shadow, f"{result.status // 100}xx")
        if result.answered:
            base = self._seconds.get((route, shadow))
            if base is None:
                base = self._slab.histogram("stepdown_shadow_seconds", (route, shadow))
                self._seconds[route, shadow] = base
            observe(self._slab.cells, base, REQUEST_SECONDS, result.elapsed / 1e9)
        if result.outcome != "answered":
            detail = result.detail or f"{result.endpoint} answered {result.status}"
            self._tell("copies fail at a shadow", route, shadow, result.outcome, detail)

    def broken(self, route: str, shadow: str, result: Result, seconds: float) -> None:
        """Tell that a shadow is left alone because nothing else comes of its copies."""
        times = self._telling.due("broken", route, shadow)
        if times:
            detail = result.detail or result.outcome
            about = fields(
                route=route, shadow=shadow, reason=result.outcome, detail=detail, seconds=seconds, times=times
            )
            logger.warning("a shadow is left alone, for its copies all fail", extra=about)

    def noise(self, route: str, shadow: str, outcome: str) -> None:
        """Count a copy to the served version."""
        self._counters.count("stepdown_shadow_noise_total", route, shadow, outcome)

    def compared(self, route: str, shadow: str, verdict: Compared, reason: str = "", detail: str = "") -> None:
        """Count a pair; `reason` says why it is incomparable, `detail` what is wrong with the shadow's answer."""
        self._counters.count("stepdown_shadow_compared_total", route, shadow, verdict)
        if reason:
            logger.debug("answers are incomparable", extra=fields(route=route, shadow=shadow, reason=reason))
        if detail:
            self._tell("answers of a shadow cannot be compared", route, shadow, reason, detail)

    def _tell(self, event: str, route: str, shadow: str, reason: str, detail: str) -> None:
        times = self._telling.due(event, route, shadow, reason)
        if times:
            about = fields(route=route, shadow=shadow, reason=reason, detail=detail, times=times)
            logger.warning(event, extra=about)
