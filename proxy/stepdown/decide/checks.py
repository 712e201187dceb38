"""Which contracts live answers are held against, and how a sampled answer is written down for whoever does it.

An answer is held against the contract of the version that computed it, and, where it is delivered in the shape of
another version, against that one's. How many are taken is the computing version's `validate`; a version without a
contract has nothing to be held against.

A rollout that watches for broken contracts needs answers of both its versions, and of both the same share: events are
compared with the candidate's share of the units (`statistics.event_share`), and half as many looks find half as many.
So while it is driven, of the answers that are its evidence `LEAST` are taken, or the larger `validate` of the two
versions where that is more, whichever version a request was assigned to. Those samples say whose they are (`Watched`).
Everybody else's answers are taken as ever.
"""

from __future__ import annotations

import struct
from collections.abc import Container, Iterator, Mapping
from typing import NamedTuple, cast

from stepdown.decide.copies import SAMPLE
from stepdown.decide.feedback import Arm
from stepdown.decide.rollout_spec import Rollout, Threshold
from stepdown.decide.shadow_spec import copied
from stepdown.decide.spec import Model, SnapshotSpec

LEAST = 0.1
"""Least share of the answers of a rollout that are held against contracts, where one of its guards asks for it."""
VIOLATIONS = "contract_violations"
"""The kind of guard that does (`rollout.counts`)."""

_HEAD = struct.Struct("<cIIQ")


class Subject(NamedTuple):
    """Whose answer it is, and what it is held against."""

    digest: str
    """Of the specification that the contract is in."""
    model: str
    served: str
    contract: str
    """The version whose contract it is: `served`, or the one in whose shape the answer is delivered."""


class Watched(NamedTuple):
    """Of what an answer is evidence."""

    rollout: str
    run: int
    stage: int
    """Place of the step at which its unit was assigned, from 0."""
    arm: Arm


class Sample(NamedTuple):
    """An answer that was taken."""

    subject: Subject
    codings: str
    """`Content-Encoding` of the body; empty where there is none."""
    limit: int
    """The most bytes that the body may have without its codings."""
    body: bytes
    watched: Watched | None = None
    """`None` where it is evidence of nothing."""
    unit: int = 0
    """64-bit hash of the unit whose evidence it is."""


def label(subject: Subject, watched: Watched | None = None) -> bytes:
    """What the samples of one plan have in common, worked out once."""
    return "\0".join((*subject, *map(str, watched or ()))).encode() + b"\0"


def head(label: bytes, limit: int, codings: bytes = b"", unit: int = 0) -> bytes:
    """All of a sample but its body, which follows."""
    return _HEAD.pack(SAMPLE, len(label) + len(codings), limit, unit) + label + codings


def parse(record: bytes) -> Sample:
    """Inverse of `head(label(...), ...) + body`; raises `ValueError` on anything else."""
    try:
        kind, length, limit, unit = _HEAD.unpack_from(record)
    except struct.error as error:
        raise ValueError(str(error)) from error
    if kind != SAMPLE:
        raise ValueError("no sample")
    end = _HEAD.size + length
    *names, codings = record[_HEAD.size : end].split(b"\0")
    digest, model, served, contract, *more = (name.decode() for name in names)
    watched = None
    if more:
        rollout, run, stage, arm = more
        watched = Watched(rollout, int(run), int(stage), cast("Arm", arm))
    subject = Subject(digest, model, served, contract)
    return Sample(subject, codings.decode("latin-1"), limit, record[end:], watched, unit)


def held(spec: SnapshotSpec) -> set[tuple[str, str, str]]:
    """(model, served version, version whose contract its answers are held against), as far as any of them are."""
    watched = {(model.name, version) for model, rollout in _watching(spec) for version in _versions(rollout)}
    return {
        (model.name, *pair)
        for model in spec.models
        for pair in pairs(model, {version for name, version in watched if name == model.name})
    }


def pairs(model: Model, watched: Container[str] = ()) -> Iterator[tuple[str, str]]:
    """The same of one model; of the answers of `watched` versions some are taken whatever `validate` says."""
    contracts = {version.id for version in model.versions if version.contract is not None}
    for version in model.versions:
        if (version.validate or version.id in watched) and version.endpoints:
            if version.id in contracts:
                yield version.id, version.id
            for chain in model.chains:
                if chain.served == version.id and chain.pinned in contracts:
                    yield version.id, chain.pinned


def shares(spec: SnapshotSpec, *, at_rest: bool = False) -> Mapping[str, float]:
    """Share (0 to 1) of the evidence of each rollout that is held against contracts; none of those left out.

    `at_rest`: also of those that are not driven, once they are.
    """
    found = {}
    for model, rollout in _asking(spec) if at_rest else _watching(spec):
        both = _versions(rollout)
        found[rollout.name] = max(LEAST, *(version.validate for version in model.versions if version.id in both))
    return found


def wanted(spec: SnapshotSpec) -> bool:
    """Whether there is anything for a comparer: answers to hold against contracts, shadows to ask, recordings."""
    mirrored = any(True for route in spec.routes for _ in copied(route.shadows, route.record))
    return mirrored or bool(held(spec))


def asks(rollout: Rollout, kind: str) -> bool:
    """Whether a guard of a rollout is on what Stepdown itself counts under `kind`."""
    counted = (guard for guard in rollout.guards if not isinstance(guard, Threshold))
    return any(guard.kind == kind and guard.source is None for guard in counted)


def _asking(spec: SnapshotSpec) -> Iterator[tuple[Model, Rollout]]:
    """The rollouts that have a guard on broken contracts, each with its model."""
    models = {model.name: model for model in spec.models}
    routes = {rule.rollout: route for route in spec.routes for rule in route.rules if rule.rollout}
    for rollout in spec.rollouts:
        route = routes.get(rollout.name)
        if route is not None and asks(rollout, VIOLATIONS):
            yield models[route.model], rollout


def _watching(spec: SnapshotSpec) -> Iterator[tuple[Model, Rollout]]:
    """Those of them that are driven and count evidence."""
    for model, rollout in _asking(spec):
        if rollout.driven is not None and rollout.driven.evidence:
            yield model, rollout


def _versions(rollout: Rollout) -> tuple[str, ...]:
    """Stable, as it is now, and the candidate."""
    return (rollout.candidate, rollout.stable if rollout.driven is None else rollout.driven.stable)
