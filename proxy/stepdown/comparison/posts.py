"""All reports as one payload for the board: what a comparer pins up, its successor goes on from, and others read.

A payload has room for so many bytes. Where the reports need more, those that are within an equal share of it stay whole
and the others are cut down to what is left for them (`Report.encode`), and say so themselves.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

import msgspec

from stepdown.comparison.report import decode as decode_report
from stepdown.decide.shadow_spec import Shadow

FORMAT = 1
ASIDE = 512
"""Bytes that a report may take besides itself: names, numbers, and what wraps them."""


class Post(msgspec.Struct, frozen=True):
    """One shadow's report."""

    route: str
    shadow: str
    meaning: str
    """Of the shadow (`meaning`): with another one, it is another report."""
    begun: float
    """Unix seconds since when pairs are counted."""
    wish: str
    """Of whoever wanted it begun anew; empty where nobody did."""
    report: bytes
    """As `Report.encode` gives it."""

    @property
    def size(self) -> int:
        """Bytes of a payload, at the most."""
        names = len(self.route.encode()) + len(self.shadow.encode()) + len(self.meaning) + len(self.wish)
        return ASIDE + names + len(self.report)


class _Payload(msgspec.Struct):
    posts: list[Post]
    format: int = FORMAT


def meaning(model: str, shadow: Shadow) -> str:
    """What pairs of answers are counted as: while it stays, a report goes on.

    It is the model and the version, by what rules answers are compared, and what must not be shown of them.
    """
    told = msgspec.json.encode([model, shadow.version, shadow.compare, shadow.examples.redact])
    return hashlib.sha256(told).hexdigest()[:16]


def encode(posts: Iterable[Post], room: int) -> bytes:
    """A payload of at most `room` bytes."""
    return _encode(_Payload(fitted(list(posts), room - ASIDE)))


def decode(payload: bytes) -> list[Post]:
    """Inverse of `encode`; raises `ValueError` on anything else, and on another release's."""
    read = _decode(payload)
    if read.format != FORMAT:
        raise ValueError(f"reports of format {read.format} cannot be read here; this is format {FORMAT}")
    return read.posts


def fitted(posts: Sequence[Post], room: int) -> list[Post]:
    """The same within so many bytes; one of which not even the headline has room is left out."""
    if sum(post.size for post in posts) <= room:
        return list(posts)
    kept: dict[int, Post] = {}
    smallest_first = sorted(range(len(posts)), key=lambda place: posts[place].size)
    for turn, place in enumerate(smallest_first):
        share = room // (len(posts) - turn)
        post = _cut(posts[place], share)
        if post.size <= share:
            kept[place] = post
            room -= post.size
    return [kept[place] for place in sorted(kept)]


def _cut(post: Post, share: int) -> Post:
    if post.size <= share:
        return post
    report = decode_report(post.report).encode(share - (post.size - len(post.report)))
    return msgspec.structs.replace(post, report=report)


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Payload).decode
