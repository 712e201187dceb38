"""The endpoints of one version as one target: which of them takes a request, and whether any can."""

from __future__ import annotations

from collections.abc import Iterable, MutableSequence

from stepdown.plane.pool import EndpointPool


class VersionPool:
    """Endpoints of a version, with the least pending one picked for each request."""

    __slots__ = ("_index", "_not_down", "_ready", "_turn", "endpoints", "single")

    def __init__(
        self,
        endpoints: Iterable[EndpointPool],
        ready: MutableSequence[bool],
        not_down: MutableSequence[bool],
        index: int,
    ) -> None:
        self.endpoints = tuple(endpoints)
        self.single = self.endpoints[0] if len(self.endpoints) == 1 else None
        """The only endpoint, which is never ejected and needs no choosing."""
        self._ready = ready
        self._not_down = not_down
        self._index = index
        self._turn = 0

    def adopt(self, now: float) -> None:
        """Become the version that the endpoints report to (when a snapshot is activated)."""
        for endpoint in self.endpoints:
            endpoint.version = self
        self.refresh(now)

    def pick(self, now: float, exclude: EndpointPool | None = None) -> EndpointPool:
        """The usable endpoint with the least pending requests; where none is usable, the least pending of all.

        A request that got here was assigned to this version although nothing of it may be up (its readiness changes
        between decision and picking), so refusing is not this function's to do. Ties go round.
        """
        if self.single is not None:
            return self.single
        self._turn += 1
        count = len(self.endpoints)
        order = [self.endpoints[(self._turn + offset) % count] for offset in range(count)]
        candidates = [endpoint for endpoint in order if endpoint.usable(now)] or order
        others = [endpoint for endpoint in candidates if endpoint is not exclude]
        return min(others or candidates, key=_pending)

    def only_usable(self, endpoint: EndpointPool, now: float) -> bool:
        """Whether `endpoint` is the last one that may take requests."""
        return not any(other.usable(now) for other in self.endpoints if other is not endpoint)

    def refresh(self, now: float) -> None:
        """Tell the runtime's readiness lists, and the metrics, how things are."""
        ready = not_down = False
        for endpoint in self.endpoints:
            usable = endpoint.usable(now)
            endpoint.show_ready(usable)
            ready = ready or usable
            not_down = not_down or endpoint.probed
        self._ready[self._index] = ready
        self._not_down[self._index] = not_down


class OrderedPool(VersionPool):
    """Endpoints in the file's order: the first that is up takes all, since they need not say the same."""

    def pick(self, now: float, exclude: EndpointPool | None = None) -> EndpointPool:
        """The first usable endpoint; where none is usable, the first."""
        others = [endpoint for endpoint in self.endpoints if endpoint is not exclude] or self.endpoints
        return next((endpoint for endpoint in others if endpoint.usable(now)), others[0])


def _pending(endpoint: EndpointPool) -> int:
    return endpoint.pending
