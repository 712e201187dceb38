"""The decisions that are timed, by name, each a call that decides about the next of many heads."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import count, cycle
from random import random

from bench.decisions import files
from stepdown.decide.choice import Choice
from stepdown.decide.cookies import ID_BYTES
from stepdown.decide.snapshot import Route, Snapshot
from stepdown.decide.turns import Rotation
from stepdown.wire import RequestHead, parse_request

HEADS = 1000
"""Different users that take turns, so that no look-up has the same key twice in a row."""

ROUTES = 1000

HEAD_ALONE = "a fresh head"
NO_SPLIT = "no split"
HEADER_KEY = "split by a header's key"
TEN_RULES = "no split, after ten rules that do not hold"
ONE_ROUTE, ONE_OF_MANY, MANY_ROUTES = "1 route", "1,000 routes, 1 asked", "1,000 routes, all asked"

NAMES: Mapping[str, str] = {
    NO_SPLIT: "no-split",
    "split without a key, drawn": "drawn",
    "split without a key, in turn": "in-turn",
    HEADER_KEY: "header-key",
    "split by a cookie's key": "cookie-key",
    "split by a cookie that Stepdown sets": "set-cookie",
    TEN_RULES: "ten-rules",
    "a flag by a header, remembered": "flag-kept",
    "a flag that deals users, most of them new to it": "flag-new",
}
"""Rows of the table, and the route that each asks."""

Way = Callable[[], object]


def of_decisions() -> dict[str, Way]:
    """Pin, rule, assignment and service of a request whose route is known; and what a fresh head costs without them."""
    snapshot = files.snapshot(files.ROUTES)
    routes = {route.name: route for route in snapshot.routes}
    ready = [True] * len(snapshot.versions)
    ways: dict[str, Way] = {HEAD_ALONE: _nothing(_fresh([head("/", user) for user in range(HEADS)]))}
    for row, name in NAMES.items():
        heads = [head(f"/{name}", user, _cookie(routes[name], user)) for user in range(HEADS)]
        ways[row] = _choosing(routes[name], _fresh(heads), ready)
    return ways


def of_finding() -> dict[str, Way]:
    """A split by a header's key with the route found first."""
    one, many = files.many(1), files.many(ROUTES)
    return {ONE_ROUTE: _finding(one, 1), ONE_OF_MANY: _finding(many, 1), MANY_ROUTES: _finding(many, ROUTES)}


def head(path: str, user: int, cookie: str = "") -> RequestHead:
    """A request as a client library sends it, with 11 fields."""
    lines = (
        f"POST {path} HTTP/1.1",
        "Host: models.example.com",
        "User-Agent: python-requests/2.32.3",
        "Accept-Encoding: gzip, deflate",
        "Accept: application/json",
        "Connection: keep-alive",
        "Content-Type: application/json",
        "Content-Length: 120",
        f"X-User-Id: user-{user}",
        f"X-Request-Id: 6f9619ff-8b86-d011-b42d-{user:012d}",
        "X-Plan: basic",
        f"Cookie: theme=dark; uid=user-{user}{cookie}",
    )
    return parse_request("\r\n".join((*lines, "", "")).encode())


def _fresh(heads: Sequence[RequestHead]) -> Iterator[RequestHead]:
    """One head after the other, as if it had just been read: nothing of it has been looked up yet."""
    for one in cycle(heads):
        one.values.clear()
        one.lower = None
        yield one


def _cookie(route: Route, user: int) -> str:
    """The cookie that the route would set for this user; none on routes that set none."""
    if route.cookie is None:
        return ""
    fresh = head("/", user)
    visitor = route.visitor(fresh, None, "", time.time(), lambda: user.to_bytes(ID_BYTES, "big"))
    assert visitor is not None
    line = route.cookie.line(visitor, None, time.time())
    return "; " + line.decode().removeprefix("set-cookie: ").partition(";")[0]


def _nothing(heads: Iterator[RequestHead]) -> Way:
    def way() -> None:
        next(heads)

    return way


def _choosing(route: Route, heads: Iterator[RequestHead], ready: list[bool]) -> Way:
    turns = count()

    def draw(rotation: Rotation | None = None) -> int:
        return int(random() * 10_000) if rotation is None else next(turns)  # noqa: S311 - as the plane draws

    def way() -> Choice:
        return route.choose(next(heads), (), None, "10.0.0.1", ready, draw)

    def viewed() -> Choice:
        asked = route.view(next(heads), (), None, "10.0.0.1", 0.0)
        return route.choose(asked, (), None, "10.0.0.1", ready, draw)

    def visited() -> Choice:
        asked = next(heads)
        visitor = route.visitor(asked, None, "10.0.0.1", time.time(), _new_id)
        assert visitor is not None
        choice = route.choose(asked, (), None, "10.0.0.1", ready, draw, visitor)
        route.set_cookie(visitor, choice, time.time())
        return choice

    if route.needs_view:
        return viewed
    return way if route.cookie is None else visited


def _finding(snapshot: Snapshot, asked: int) -> Way:
    ready = [True] * len(snapshot.versions)
    heads = _fresh([head(f"/route-{user % asked}", user) for user in range(HEADS)])

    def way() -> Choice:
        one = next(heads)
        found = snapshot.match(one)
        assert found is not None
        return found[0].choose(one, found[1], None, "10.0.0.1", ready, int)

    return way


def _new_id() -> bytes:
    return secrets.token_bytes(ID_BYTES)
