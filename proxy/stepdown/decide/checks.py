"""Which contracts live answers are held against, and how a sampled answer is written down for whoever does it.

An answer is held against the contract of the version that computed it, and, where it is delivered in the shape of
another version, against that one's. How many are taken is the computing version's `validate`; a version without a
contract has nothing to be held against.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

from stepdown.decide.copies import SAMPLE
from stepdown.decide.shadow_spec import copied
from stepdown.decide.spec import Model, SnapshotSpec

_HEAD = struct.Struct("<cII")


class Subject(NamedTuple):
    """Whose answer it is, and what it is held against."""

    digest: str
    """Of the specification that the contract is in."""
    model: str
    served: str
    contract: str
    """The version whose contract it is: `served`, or the one in whose shape the answer is delivered."""


class Sample(NamedTuple):
    """An answer that was taken."""

    subject: Subject
    codings: str
    """`Content-Encoding` of the body; empty where there is none."""
    limit: int
    """The most bytes that the body may have without its codings."""
    body: bytes


def head(subject: Subject, limit: int, codings: bytes = b"") -> bytes:
    """All of a sample but its body, which follows."""
    names = "\0".join(subject).encode() + b"\0" + codings
    return _HEAD.pack(SAMPLE, len(names), limit) + names


def parse(record: bytes) -> Sample:
    """Inverse of `head(...) + body`; raises `ValueError` on anything else."""
    try:
        kind, length, limit = _HEAD.unpack_from(record)
    except struct.error as error:
        raise ValueError(str(error)) from error
    if kind != SAMPLE:
        raise ValueError("no sample")
    end = _HEAD.size + length
    *names, codings = record[_HEAD.size : end].split(b"\0")
    digest, model, served, contract = (name.decode() for name in names)
    return Sample(Subject(digest, model, served, contract), codings.decode("latin-1"), limit, record[end:])


def pairs(model: Model) -> Iterator[tuple[str, str]]:
    """(served version, version whose contract its answers are held against), as far as any of them are."""
    contracts = {version.id for version in model.versions if version.contract is not None}
    for version in model.versions:
        if version.validate and version.endpoints:
            if version.id in contracts:
                yield version.id, version.id
            for chain in model.chains:
                if chain.served == version.id and chain.pinned in contracts:
                    yield version.id, chain.pinned


def wanted(spec: SnapshotSpec) -> bool:
    """Whether there is anything for a comparer: answers to hold against contracts, shadows to ask, recordings."""
    mirrored = any(True for route in spec.routes for _ in copied(route.shadows, route.record))
    return mirrored or any(True for model in spec.models for _pair in pairs(model))
