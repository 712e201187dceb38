"""Shadows and recordings as plain, typed data: what is copied of a route's traffic, and what is made of the copies."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal

from stepdown.decide.spec_base import Spec
from stepdown.decide.when import EVERYONE, When

MARK = "x-stepdown-shadow"
"""The field that every copy carries, with its shadow's name. A request that carries it is never copied to a shadow."""

STRIPPED = ("authorization", "cookie", "proxy-authorization", "x-api-key")
"""Fields that a copy does not carry unless the file says otherwise: whoever gets it does not act for the client."""


REPORTED = 32
"""Shadows of a configuration, in the order of the file, whose answers are compared: of others copies are counted."""


class Tolerance(Spec, frozen=True):
    """Numbers at `path` are equal where |a - b| <= absolute + relative * |b|, `b` being the served answer's."""

    path: str
    """JSON Pointer extended by `*` and `[member=value]`, of all numbers at it and below it."""
    absolute: float = 0.0
    relative: float = 0.0


class Unordered(Spec, frozen=True):
    """The order of an array's items does not matter."""

    path: str
    key: str | None = None
    """Member of the items that tells which two belong together; without it they are compared as a multiset."""


class TopK(Spec, frozen=True):
    """Of a ranked array, only which items are among its first `k` counts."""

    path: str
    k: int
    key: str | None = None
    """Member of the items that names them; without it the item itself does."""
    agree: float = 1.0
    """Least share of the first `k` that has to be in both."""


class Text(Spec, frozen=True):
    """Generated text is equal where it is similar enough."""

    path: str
    similar: float
    """Least similarity (0 to 1)."""


class Comparing(Spec, frozen=True):
    """How two answers in one shape are compared."""

    ignore: tuple[str, ...] = ()
    """Paths that are not looked at, with all that is below them."""
    tolerances: tuple[Tolerance, ...] = ()
    unordered: tuple[Unordered, ...] = ()
    top: tuple[TopK, ...] = ()
    text: tuple[Text, ...] = ()
    labels: tuple[str, ...] = ()
    """Paths of labels, of which it is counted who changed from what to what."""
    events: float | None = None
    """Share of a stream's events by which their number may differ; `None` where it may be any."""


class Examples(Spec, frozen=True):
    """The worst differences, kept to be looked at."""

    keep: int = 20
    """The most that are kept; 0 for none."""
    bodies: bool = False
    """Both answers, whole, besides the values that differ."""
    redact: tuple[str, ...] = ()
    """Paths of which neither values nor bodies show anything."""


class Shadow(Spec, frozen=True):
    """A version that gets copies of a route's requests; its answers are compared and thrown away."""

    name: str
    """Unique within the route; the version, unless the file names it."""
    version: str
    percent: float = 100.0
    """Of the requests for which `when` holds (0 to 100)."""
    when: When = EVERYONE
    per: Literal["request", "key"] = "request"
    """`key`: the sticky key decides, so that all requests of one user are copied or none; none without a key."""
    salt: str = ""
    """Seed of the slots with `per: key`; `shadow:<route>/<name>` unless the file pins it."""
    rate: float = 0.0
    """The most copies a second, of the whole sidecar; 0 for no limit."""
    concurrent: int = 64
    """The most copies on their way at a time, of the whole sidecar."""
    max_body: int = 1024 * 1024
    """The longest request that is copied, and the longest answer that is compared, in bytes."""
    deadline: float = 10.0
    """Seconds that the shadow has for its answer."""
    set_headers: tuple[tuple[str, str], ...] = ()
    remove_headers: tuple[str, ...] = STRIPPED
    host: str = "keep"
    """`keep` (the client's), `endpoint` (host:port of the URL), or a literal."""
    noise: float = 0.0
    """Percent of the copies that the served version gets too, to see how much it differs from itself."""
    idle: bool = False
    """Copies go to the idle colour of the version: it is being warmed up, and nothing is compared."""
    compare: Comparing = Comparing()
    examples: Examples = Examples()

    def __repr__(self) -> str:
        """Without the headers: their values may be secrets."""
        return f"Shadow({self.name!r}, {self.version!r}, percent={self.percent})"


class Recording(Spec, frozen=True):
    """A sample of a route's requests and answers, kept in files that `stepdown replay` reads."""

    sample: float
    """Share (0 exclusive to 1) of the requests."""
    folder: str
    """Absolute path."""
    when: When = EVERYONE
    max_size: int = 64 * 1024 * 1024
    """Bytes from which on a new file is begun."""
    keep: int = 8
    """Files that are kept; the oldest goes when another one is begun."""
    max_body: int = 1024 * 1024
    """The longest body, of request or answer, that is recorded."""
    headers: tuple[str, ...] = ()
    """Lower-case names of the fields that are recorded besides those that decide."""
    redact: tuple[str, ...] = ()
    """Paths into the bodies, of requests and answers alike, of whose values only a digest is recorded."""


def copied(shadows: Iterable[Shadow], record: Recording | None) -> Iterator[Shadow | Recording]:
    """Those of a route's shadows that get anything at all, and its recording."""
    yield from (shadow for shadow in shadows if shadow.percent > 0)
    if record is not None:
        yield record


def numbered(shadows: Iterable[tuple[str, tuple[Shadow, ...]]]) -> dict[str, int]:
    """By route: the number of its first shadow, if all of a configuration are counted in the file's order, from 0.

    The argument has each route's name and shadows.
    """
    numbers, following = {}, 0
    for route, its in shadows:
        numbers[route] = following
        following += len(its)
    return numbers
