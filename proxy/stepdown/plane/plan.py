"""Everything that follows from a decision, worked out before the request that needs it: one `Plan` for each `Choice`.

A choice is one object for each (route, rule, shape, assigned, served, reason, key source), so a dictionary look-up by
identity gives the pool, the compiled adapter, the header lines to add and the cells to count in.
"""

from __future__ import annotations

from collections.abc import Iterable
from email.utils import formatdate
from typing import TYPE_CHECKING

from stepdown.decide import spec as specification
from stepdown.decide.snapshot import Choice
from stepdown.plane import adapt
from stepdown.plane.check import Check
from stepdown.plane.clock import NEVER
from stepdown.plane.streamed import UNTOUCHED, Streams
from stepdown.plane.versions import VersionPool
from stepdown.telemetry.buckets import ADAPTER_SECONDS, REQUEST_SECONDS, bucket
from stepdown.telemetry.slab import Slab
from stepdown.wire import ResponseHead, serialise
from stepdown_adapters.generate import CompiledChain

if TYPE_CHECKING:
    from stepdown.plane.evidence import Evidence
    from stepdown.plane.mirror import Mirror

OUTCOMES = ("none", "adapted", "failed", "native", "passthrough")
NONE, ADAPTED, FAILED, NATIVE, PASSTHROUGH = range(5)
"""What became of an answer on its way through the adapters; the metric label `adapter`."""


class RoutePlan:
    """What all exchanges of one route share, for the life of a snapshot."""

    __slots__ = (
        "_aborts",
        "_errors",
        "_retries",
        "_slab",
        "keep_bytes",
        "limits",
        "name",
        "names",
        "policy",
        "repeatable",
        "style",
        "timeouts",
    )

    def __init__(self, route: specification.Route, names: tuple[str, ...], repeatable: bool, slab: Slab) -> None:
        self.name = route.name
        self.names = names
        """Names of the path template's parts."""
        self.style = route.errors
        self.policy = route.on_adapter_failure
        self.timeouts = route.timeouts
        self.limits = route.limits
        self.repeatable = repeatable
        self.keep_bytes = route.limits.adapted_body if self.policy == "ask_native" else KEEP_FOR_RETRY
        """How much of a request's body is kept in case it has to be sent again."""
        self._slab = slab
        self._errors: dict[str, int] = {}
        self._retries: dict[str, int] = {}
        self._aborts = slab.counter("stepdown_client_aborts_total", (route.name,))

    def count_error(self, problem: str) -> None:
        """Count an answer that Stepdown made itself."""
        self._count(self._errors, "stepdown_errors_total", problem)

    def count_retry(self, reason: str) -> None:
        """Count a request that is sent again because of `reason`, a problem's name."""
        self._count(self._retries, "stepdown_retries_total", reason)

    def count_abort(self) -> None:
        """Count a client that left."""
        self._slab.cells[self._aborts] += 1

    def _count(self, cells: dict[str, int], family: str, label: str) -> None:
        cell = cells.get(label)
        if cell is None:
            cell = cells[label] = self._slab.counter(family, (self.name, label))
        self._slab.cells[cell] += 1


KEEP_FOR_RETRY = 64 * 1024


class Plan:
    """Everything that follows from one choice."""

    __slots__ = (
        "_adapter_cell",
        "_cells",
        "_event_cell",
        "_failures",
        "_labels",
        "_request_cell",
        "_requests",
        "_slab",
        "_upstream_cell",
        "adapted",
        "adapter",
        "answer_seconds",
        "check",
        "choice",
        "direct",
        "evidence",
        "lines",
        "mirror",
        "needs",
        "plain",
        "pool",
        "request_adapter",
        "route",
        "served_lines",
        "streams",
        "touches_documents",
        "true_lines",
        "turnstile",
    )

    def __init__(
        self,
        *,
        route: RoutePlan,
        choice: Choice,
        pool: VersionPool,
        adapter: CompiledChain | None,
        lines: tuple[bytes, bytes, bytes],
        slab: Slab,
        streams: Streams = UNTOUCHED,
        check: Check | None = None,
        mirror: Mirror | None = None,
        evidence: Evidence | None = None,
    ) -> None:
        self.route = route
        self.choice = choice
        self.pool = pool
        unfolds = streams.unfolds is not None
        touches = adapter is not None and (adapter.touches_answers or streams.touched or unfolds)
        self.adapter = adapter if touches else None
        """What steps answers down; `None` where all of them, errors and streams too, are passed on as they are."""
        self.touches_documents = adapter is not None and (adapter.touches_response or unfolds)
        """Whether any good answer that is no stream is given another shape."""
        self.streams = streams
        """What becomes of answers that are streams."""
        self.check = check
        """What samples answers to be held against contracts; `None` where none are."""
        self.mirror = mirror
        """What hands copies over; `None` where the route has neither shadows nor a recording."""
        self.turnstile = mirror.turnstile(choice.served) if mirror is not None else None
        """What turns away requests that nobody takes a copy of; `None` where each has to be looked at."""
        self.evidence = evidence
        """What counts its requests for a rollout; `None` where they are no evidence of one."""
        self.plain = self.adapter is None and check is None
        """Whether answers are passed on, and nothing else is done with them but to copy them."""
        self.needs = adapter.request_needs | adapter.response_needs if adapter is not None else frozenset()
        """What of the request the chain reads."""
        reads_body = "body" in self.needs and adapter is not None and not adapter.unproved
        if streams.needs:
            self.needs |= streams.needs
            reads_body = reads_body or "body" in streams.needs
        self.request_adapter = adapter if adapter is not None and (adapter.touches_request or reads_body) else None
        """What steps requests up, or wants to know them whole; `None` where they can be passed on as they come."""
        bodies = adapter is not None and (adapter.touches_response or adapter.touches_errors)
        self.adapted = bodies or streams.touched or unfolds
        """Whether some bodies have to be decoded."""
        self.lines, self.true_lines, self.served_lines = lines
        """Field lines of an answer in the pinned shape, in the served version's own, and of one without a shape."""
        self._labels = (route.name, choice.rule, choice.assigned, choice.served, choice.pinned, choice.reason)
        timeouts = route.timeouts
        self.answer_seconds = timeouts.response_head or NEVER
        unlimited = not timeouts.whole and not route.limits.request_body
        self.direct = unlimited and self.request_adapter is None and mirror is None and evidence is None
        """Whether a request can be forwarded without a look at whose it is, at its body or its limits."""
        self._slab = slab
        self._cells = slab.cells
        self._failures: dict[str, int] = {}
        self._requests: dict[tuple[int, int], int] = {}
        served = (route.name, choice.served)
        self._request_cell = slab.histogram("stepdown_request_duration_seconds", served)
        self._upstream_cell = slab.histogram("stepdown_upstream_duration_seconds", served)
        self._adapter_cell = (
            slab.histogram("stepdown_adapter_duration_seconds", (route.name, choice.served, choice.pinned))
            if adapter is not None
            else -1
        )
        self._event_cell = (
            slab.counter("stepdown_stream_events_total", (route.name, choice.served, choice.pinned))
            if streams.compiled is not None
            else -1
        )

    def account(self, status: int, outcome: int, whole: int, upstream: int) -> None:
        """Count one answered request: nanoseconds in all, and of an endpoint's work if there was one (else 0)."""
        cell = self._requests.get((status, outcome))
        if cell is None:
            labels = (*self._labels, self.choice.key_source, f"{status // 100}xx", OUTCOMES[outcome])
            cell = self._requests[status, outcome] = self._slab.counter("stepdown_requests_total", labels)
        cells = self._cells
        cells[cell] += 1
        base = self._request_cell
        cells[base + bucket(_BOUNDS, whole)] += 1
        cells[base + _SUM] += whole // 1000
        if upstream:
            base = self._upstream_cell
            cells[base + bucket(_BOUNDS, upstream)] += 1
            cells[base + _SUM] += upstream // 1000

    def changes(self, head: ResponseHead) -> bool:
        """Whether the body of a good answer with this head is given another shape."""
        if self.adapter is None:
            return False
        return self.touches_documents if adapt.notes(head).stream is None else self.streams.touched

    def count_events(self, number: int) -> None:
        """Count the events of a stream as they were given to a client."""
        self._cells[self._event_cell] += number

    def count_stream_failure(self, reason: str) -> None:
        """Count a stream that was no good answer although its status said so."""
        cell = self._failures.get(reason)
        if cell is None:
            route, rule, assigned, served, *_ = self._labels
            labels = (route, rule, assigned, served, reason)
            cell = self._failures[reason] = self._slab.counter("stepdown_stream_failures_total", labels)
        self._cells[cell] += 1

    def account_adapter(self, seconds: float) -> None:
        """Count the work of the chain."""
        base = self._adapter_cell
        self._cells[base + bucket(ADAPTER_SECONDS, seconds)] += 1
        self._cells[base + len(ADAPTER_SECONDS) + 1] += int(seconds * 1_000_000)


_SUM = len(REQUEST_SECONDS) + 1
_BOUNDS = tuple(round(seconds * 1e9) for seconds in REQUEST_SECONDS)
"""In nanoseconds: whole numbers need no rounding before they are added up."""


def answer_lines(
    versions: dict[str, specification.Version], pinned: str, served: str, vary: bytes
) -> tuple[bytes, bytes, bytes]:
    """The lines of `Plan`: delivered in the pinned shape, in the served version's own, without a shape."""
    served_line = serialise.field("x-model-served", served)
    delivered = serialise.field("x-model-version", pinned) + served_line + lifecycle(versions[pinned]) + vary
    own = serialise.field("x-model-version", served) + served_line + lifecycle(versions[served]) + vary
    return delivered, own, served_line + vary


def lifecycle(version: specification.Version) -> bytes:
    """`Deprecation` (RFC 9745), `Sunset` (RFC 8594) and `Link` of a shape that is going away."""
    lines = b""
    if version.deprecated is not None:
        lines += serialise.field("deprecation", f"@{version.deprecated}")
    if version.sunset is not None:
        lines += serialise.field("sunset", formatdate(version.sunset, usegmt=True))
    if version.link is not None and lines:
        relation = "sunset" if version.deprecated is None else "deprecation"
        lines += serialise.field("link", f'<{version.link}>; rel="{relation}"')
    return lines


def vary_line(model: specification.Model, route: specification.Route, asking: Iterable[str]) -> bytes:
    """`Vary` with every header that may have chosen: the pin, keys, conditions, and what tells clients apart.

    `asking` are those that conditions of rules read, or with which a server can be asked for.
    """
    names = {"x-model-version", *asking}
    for source in route.key:
        if source.header:
            names.add(source.header.lower())
        elif source.cookie:
            names.add("cookie")
    matches = [route.match, *(entry.match for entry in model.clients)]
    names.update(header.name for match in matches for header in match.headers)
    if any(match.hosts for match in matches):
        names.discard("host")
    return serialise.field("vary", ", ".join(sorted(names)))
