"""Answers that set a cookie are one visitor's own, whatever the server says of their caching."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import pytest

from stepdown.decide import spec
from stepdown.decide.cookies import Visitor
from stepdown.decide.snapshot import compile_snapshot
from stepdown.plane.visiting import find, private
from tests.kit import specs
from tests.kit.request import Request, request

if TYPE_CHECKING:
    from stepdown.plane.exchange import Exchange


@pytest.mark.parametrize(
    ("fields", "made"),
    [
        ((), ("cache-control: private",)),
        (("ETag: x", "Expires: 0"), ("ETag: x", "Expires: 0", "cache-control: private")),
        (
            ("Access-Control-Allow-Origin: *", "A: cache-control: public"),
            ("Access-Control-Allow-Origin: *", "A: cache-control: public", "cache-control: private"),
        ),
        (("Access-Control-Max-Age: 1",), ("Access-Control-Max-Age: 1", "cache-control: private")),
        (("Cache-Control: public, max-age=600",), ("cache-control: private, max-age=600",)),
        (("cache-control: s-maxage=600,max-age=5 , PUBLIC",), ("cache-control: private, max-age=5",)),
        (("Cache-Control: no-store",), ("cache-control: private, no-store",)),
        (("Cache-Control: max-age=1", "A: b", "Cache-Control: public"), ("A: b", "cache-control: private, max-age=1")),
        (('Cache-Control: private="a, b", no-cache="c, public"',), ('cache-control: private, no-cache="c, public"',)),
        (('Cache-Control: no-cache="c, public, max-age=9',), ("cache-control: private, no-store",)),
        (("CDN-Cache-Control: max-age=600", "A: b"), ("A: b", "cache-control: private")),
        (("Cloudflare-CDN-Cache-Control: max-age=9", "Surrogate-Control: max-age=9"), ("cache-control: private",)),
        (
            ("X-Cache-Controls: 1", "Cache-Controlled: 2"),
            ("X-Cache-Controls: 1", "Cache-Controlled: 2", "cache-control: private"),
        ),
    ],
)
def test_shared_caches_are_kept_from_the_answer(fields: tuple[str, ...], made: tuple[str, ...]) -> None:
    lines = "".join(f"{line}\r\n" for line in fields).encode()
    assert private(lines) == "".join(f"{line}\r\n" for line in made).encode()


@dataclass
class Asked:
    """As much of an exchange as finding its visitor takes."""

    head: Request
    visitor: Visitor | None = None
    cookie: bytes = b""


def test_another_attempt_is_the_same_visitors() -> None:
    key = (spec.KeySource(cookie="sd_uid", set_cookie=spec.SetCookie(secrets=("of-some-length-at-least",), ttl=60)),)
    whole = specs.snapshot(specs.route({"1.0.0": 1}, key=key), models=[specs.model(specs.version("1.0.0", 1))])
    route = compile_snapshot(whole).routes[0]
    asked, other = cast("list[Exchange]", [Asked(request()), Asked(request())])
    find(asked, route, None, "10.0.0.1")
    found = asked.visitor
    find(asked, route, None, "10.0.0.1")
    find(other, route, None, "10.0.0.1")
    assert found is asked.visitor is not None
    assert other.visitor is not None
    assert other.visitor.id != asked.visitor.id
