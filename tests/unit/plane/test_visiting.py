"""Answers that set a cookie are one visitor's own, whatever the server says of their caching."""

from __future__ import annotations

import pytest

from stepdown.plane.visiting import private


@pytest.mark.parametrize(
    ("fields", "made"),
    [
        ((), ("cache-control: private",)),
        (("ETag: x", "Expires: 0"), ("ETag: x", "Expires: 0", "cache-control: private")),
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
