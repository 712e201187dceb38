"""Compares what an operation answers around its contract: statuses, media types, headers, and other bodies.

A client may meet every status and media type that the newer side declares, and has to find those that the older one
promised. Bodies of other statuses (error bodies) are contracts as well, and are compared as such.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from stepdown_adapters.contract.keywords import Schema
from stepdown_adapters.contract.model import Answer, Contract, Envelope
from stepdown_adapters.diff.found import Found
from stepdown_adapters.diff.values import types_of
from stepdown_adapters.paths import ROOT

_STREAMS = frozenset({"text/event-stream", "application/x-ndjson", "application/jsonl", "application/stream+json"})


def bodies(older: Contract, newer: Contract) -> Iterator[tuple[str, Schema, Schema]]:
    """Each body that both sides declare besides the contracts themselves, with its place: `404 application/json`."""
    for status, old, new in _both(older.envelope, newer.envelope):
        for media_type in old.media_types.keys() & new.media_types.keys():
            before, after = old.media_types[media_type], new.media_types[media_type]
            if before != older.schema or after != newer.schema:
                yield f"{status} {media_type}", before, after


def compare(older: Envelope | None, newer: Envelope | None) -> list[Found]:
    """The differences of statuses, media types and headers."""
    if older is None or newer is None:
        return []
    found = []
    for status in older.answers:
        if status not in newer.answers:
            kind = "status/success-removed" if status.startswith("2") else "status/other-removed"
            found.append(Found(kind, ROOT, before=status, place=status))
    found += [
        Found("status/added", ROOT, after=status, place=status)
        for status in newer.answers
        if status not in older.answers
    ]
    for status, old, new in _both(older, newer):
        for one in (*_media_types(old, new), *_headers(old, new)):
            found.append(replace(one, place=status))
    return found


def _both(older: Envelope | None, newer: Envelope | None) -> Iterator[tuple[str, Answer, Answer]]:
    if older is not None and newer is not None:
        for status, old in older.answers.items():
            if status in newer.answers:
                yield status, old, newer.answers[status]


def _media_types(old: Answer, new: Answer) -> Iterator[Found]:
    gone = [name for name in old.media_types if name not in new.media_types]
    come = [name for name in new.media_types if name not in old.media_types]
    for name in gone:
        wider = next((other for other in come if _generalizes(other, name)), None)
        stream = next((other for other in come if other in _STREAMS), None)
        if wider is not None:
            come.remove(wider)
            yield Found("media-type/generalized", ROOT, before=name, after=wider)
        elif stream is not None and name not in _STREAMS:
            come.remove(stream)
            yield Found("stream-framing", ROOT, before=name, after=stream)
        else:
            yield Found("media-type/removed", ROOT, before=name)
    for name in come:
        yield Found("media-type/added", ROOT, after=name)


def _generalizes(wider: str, name: str) -> bool:
    """`application/*` generalizes `application/json`, which generalizes `application/problem+json`."""
    if wider == "*/*":
        return True
    kind, _, rest = wider.partition("/")
    own_kind, _, own_rest = name.partition("/")
    return kind == own_kind and (rest == "*" or own_rest.endswith(f"+{rest}"))


def _headers(old: Answer, new: Answer) -> Iterator[Found]:
    for name, header in old.headers.items():
        other = new.headers.get(name)
        if other is None:
            kind = "header/required-removed" if header.required else "header/optional-removed"
            yield Found(kind, ROOT, before=name)
            continue
        if header.required != other.required:
            kind = "header/became-optional" if header.required else "header/became-required"
            yield Found(kind, ROOT, before=name, after=name)
        types = [types_of(one.schema if isinstance(one.schema, dict) else {}) for one in (header, other)]
        if types[0] != types[1]:
            yield Found("header/type-changed", ROOT, before=name, after=name)
    for name in new.headers:
        if name not in old.headers:
            yield Found("header/added", ROOT, after=name)
