"""Which contracts answers are held against, and how a sample is written down."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from stepdown.decide import checks
from stepdown.decide.checks import LEAST, Sample, Subject, Watched, head, label, parse
from stepdown.decide.rollout_spec import Ceiling, Driven, Guard, Hook, MetricServer, Rollout, Share, Step, Threshold
from stepdown.decide.shadow_spec import Recording, Shadow
from stepdown.decide.spec import Chain, Model, Rule, SnapshotSpec
from stepdown.rollout.counts import CONTRACT_VIOLATIONS
from tests.kit import specs

SUBJECT = Subject("0123456789abcdef", "churn", "2.0.0", "1.0.0-röntgen")
CHAIN = Chain(served="2.0.0", pinned="1.0.0", steps=())
WATCHED = Watched("churn-2-röntgen", 12, 3, "candidate")
GUARD = Share(name="contracts", kind=checks.VIOLATIONS)
ELSEWHERE = Hook(server=MetricServer(url="http://localhost/violations"))


def model(old: object, new: object, share: float, *, ports: tuple[int, ...] = (1,)) -> Model:
    """1.0.0 without servers and 2.0.0 with, and their contracts."""
    return specs.model(
        specs.version("1.0.0", contract=old),
        specs.version("2.0.0", *ports, contract=new, validate=share),
        chains=(CHAIN,),
    )


def test_a_sample_is_read_as_it_was_written() -> None:
    body = b'{"a": "\\u0000"}\0\xff'
    assert parse(head(label(SUBJECT), 77, b"gzip") + body) == Sample(SUBJECT, "gzip", 77, body)
    assert parse(head(label(SUBJECT), 0)) == Sample(SUBJECT, "", 0, b"")
    of_somebody = head(label(SUBJECT, WATCHED), 77, b"gzip", 2**64 - 1)
    assert parse(of_somebody + body) == Sample(SUBJECT, "gzip", 77, body, WATCHED, 2**64 - 1)


@pytest.mark.parametrize(
    "record",
    [b"", b"1234567", head(label(SUBJECT), 1)[:-30], head(label(SUBJECT, WATCHED), 1)[:-12], b"\xff" * 40, b"\0" * 40],
)
def test_anything_else_is_no_sample(record: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - whatever says that it is none
        parse(record)


@pytest.mark.parametrize(
    ("subject", "expected"),
    [
        (model({}, {}, 0.5), [("2.0.0", "2.0.0"), ("2.0.0", "1.0.0")]),
        (model(None, {}, 0.5), [("2.0.0", "2.0.0")]),
        (model({}, None, 0.5), [("2.0.0", "1.0.0")]),
        (model(None, None, 1.0), []),
        (model({}, {}, 0.0), []),
        (model({}, {}, 1.0, ports=()), []),
        (model(False, True, 1.0), [("2.0.0", "2.0.0"), ("2.0.0", "1.0.0")]),
    ],
    ids=["both", "no old contract", "no new contract", "no contract", "no share", "no server", "boolean schemas"],
)
def test_answers_are_held_against_what_there_is(subject: Model, expected: list[tuple[str, str]]) -> None:
    assert list(checks.pairs(subject)) == expected
    assert checks.wanted(specs.snapshot(models=[subject])) == bool(expected)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, False),
        ({"shadows": (Shadow(name="next", version="2.0.0", percent=0.0),)}, False),
        ({"shadows": (Shadow(name="next", version="2.0.0", percent=0.1),)}, True),
        ({"record": Recording(sample=0.1, folder="/recordings")}, True),
    ],
    ids=["nothing", "a shadow without a share", "a shadow", "a recording"],
)
def test_copies_are_work_too(options: dict[str, Any], expected: bool) -> None:
    served = model(None, None, 1.0)
    assert checks.wanted(specs.snapshot(specs.route({"2.0.0": 100}, **options), models=[served])) == expected


# --- rollouts -------------------------------------------------------------------------------------------------------


def rolled_out(
    *guards: Guard,
    driven: Driven | None = None,
    stable: float = 0.0,
    candidate: float = 0.0,
    other: float = 0.0,
    rule: str = "next",
) -> SnapshotSpec:
    """A walk from 1.0.0 to 2.0.0, each with its own `validate`, and 1.1.0 that stands by."""
    contracts: Any = {"contract": {}}
    versions = (
        specs.version("1.0.0", 1, validate=stable, **contracts),
        specs.version("1.1.0", 1, validate=other, **contracts),
        specs.version("2.0.0", 1, validate=candidate, **contracts),
    )
    owned = Rule(name="all", split=(("1.0.0", 100),), rollout=rule)
    step = Rollout(name="next", stable="1.0.0", candidate="2.0.0", steps=(Step(weight=5),), guards=guards)
    return specs.snapshot(
        specs.route({}, rules=(owned,)),
        models=[specs.model(*versions, chains=(CHAIN,))],
        rollouts=(msgspec.structs.replace(step, driven=driven),),
    )


def driven(*, evidence: bool = True, stable: str = "1.0.0") -> Driven:
    return Driven(run=1, step=0, weight=5, stable=stable, evidence=evidence)


def test_the_kind_of_guard_is_called_as_it_is_counted() -> None:
    assert checks.VIOLATIONS == CONTRACT_VIOLATIONS


def test_while_a_rollout_watches_for_broken_contracts_answers_of_both_its_versions_are_held_against_them() -> None:
    spec = rolled_out(GUARD, driven=driven())
    assert checks.shares(spec) == {"next": LEAST}
    assert checks.held(spec) == {("m", "1.0.0", "1.0.0"), ("m", "2.0.0", "2.0.0"), ("m", "2.0.0", "1.0.0")}
    assert checks.wanted(spec)


@pytest.mark.parametrize(
    ("validate", "share"),
    [
        ({"stable": 0.02, "candidate": 0.01}, LEAST),
        ({"candidate": 0.5}, 0.5),
        ({"stable": 0.25, "candidate": 0.2}, 0.25),
        ({"other": 1.0}, LEAST),
    ],
)
def test_both_versions_are_looked_at_alike_and_at_least_as_often_as_the_file_says(
    validate: dict[str, float], share: float
) -> None:
    assert checks.shares(rolled_out(GUARD, driven=driven(), **validate)) == {"next": share}


@pytest.mark.parametrize(
    "spec",
    [
        rolled_out(GUARD),
        rolled_out(GUARD, driven=driven(evidence=False)),
        rolled_out(driven=driven()),
        rolled_out(Share(name="errors", kind="errors"), driven=driven()),
        rolled_out(Threshold(name=checks.VIOLATIONS), driven=driven()),
        rolled_out(Share(name="c", kind=checks.VIOLATIONS, source=ELSEWHERE), driven=driven()),
        rolled_out(GUARD, driven=driven(), rule="another"),
    ],
    ids=[
        "not started",
        "no evidence",
        "no guard",
        "another guard",
        "a guard of that name only",
        "elsewhere",
        "no rule",
    ],
)
def test_nothing_is_looked_at_for_a_rollout_that_does_not_ask(spec: SnapshotSpec) -> None:
    assert (checks.shares(spec), checks.held(spec), checks.wanted(spec)) == ({}, set(), False)


def test_what_will_be_looked_at_is_known_before_a_rollout_is_started() -> None:
    assert checks.shares(rolled_out(GUARD, candidate=0.5), at_rest=True) == {"next": 0.5}
    assert checks.shares(rolled_out(Share(name="errors", kind="errors")), at_rest=True) == {}


def test_a_limit_on_broken_contracts_asks_too_and_stable_is_the_last_good_version() -> None:
    spec = rolled_out(Ceiling(name="c", kind=checks.VIOLATIONS, limit=0.01), driven=driven(stable="1.1.0"), other=0.3)
    assert checks.shares(spec) == {"next": 0.3}
    assert checks.held(spec) == {("m", "1.1.0", "1.1.0"), ("m", "2.0.0", "2.0.0"), ("m", "2.0.0", "1.0.0")}
