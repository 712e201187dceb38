"""What the processes of the data plane have counted, read from their shared memory for those who decide by it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Self

from stepdown.decide.warming import WARM_UP, Copies
from stepdown.telemetry.slab import Series, SlabReader

_CLIENT_ERRORS = "4xx"


class Counted:
    """The counters as they are whenever they are asked; a context manager.

    It has readers of its own: one that belongs to `/metrics` may be at work in another thread.
    """

    def __init__(self, slabs: Sequence[SlabReader], routes: frozenset[str]) -> None:
        """Of these routes only."""
        self._readers = [SlabReader(slab.fd, slab.size) for slab in slabs]
        self._routes = routes

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        for reader in self._readers:
            reader.close()

    def requests(self) -> tuple[int, int]:
        """Requests that were answered, and those of them that failed (5xx)."""
        answered = failed = 0
        for series, count in self._series():
            if series.family == "stepdown_requests_total":
                answered += count
                failed += count if "5xx" in series.labels else 0
        return answered, failed

    def copies(self) -> Copies:
        """What became of the copies of warm-ups."""
        outcomes: Counter[str] = Counter()
        skipped: Counter[str] = Counter()
        client_errors = 0
        for series, count in self._series():
            if series.labels[1:2] != (WARM_UP,):
                continue
            last = series.labels[-1]
            match series.family:
                case "stepdown_shadow_copies_total":
                    outcomes[last] += count
                case "stepdown_shadow_skipped_total":
                    skipped[last] += count
                case "stepdown_shadow_answers_total" if last == _CLIENT_ERRORS:
                    client_errors += count
        return Copies(dict(outcomes), client_errors, dict(skipped))

    def skipped(self, shadow: str) -> dict[str, int]:
        """Copies that a shadow was due and did not get, by the reason; those that came most often first."""
        found: Counter[str] = Counter()
        for series, count in self._series():
            if series.family == "stepdown_shadow_skipped_total" and series.labels[1:2] == (shadow,):
                found[series.labels[-1]] += count
        return {reason: count for reason, count in found.most_common() if count}

    def _series(self) -> Iterator[tuple[Series, int]]:
        for reader in self._readers:
            for series in reader.series():
                if series.labels and series.labels[0] in self._routes:
                    yield series, reader.cells[series.first]
