"""Which contracts answers are held against, and how a sample is written down."""

from __future__ import annotations

from typing import Any

import pytest

from stepdown.decide import checks
from stepdown.decide.checks import Sample, Subject, head, parse
from stepdown.decide.shadow_spec import Recording, Shadow
from stepdown.decide.spec import Chain, Model
from tests.kit import specs

SUBJECT = Subject("0123456789abcdef", "churn", "2.0.0", "1.0.0-röntgen")
CHAIN = Chain(served="2.0.0", pinned="1.0.0", steps=())


def model(old: object, new: object, share: float, *, ports: tuple[int, ...] = (1,)) -> Model:
    """1.0.0 without servers and 2.0.0 with, and their contracts."""
    return specs.model(
        specs.version("1.0.0", contract=old),
        specs.version("2.0.0", *ports, contract=new, validate=share),
        chains=(CHAIN,),
    )


def test_a_sample_is_read_as_it_was_written() -> None:
    body = b'{"a": "\\u0000"}\0\xff'
    assert parse(head(SUBJECT, 77, b"gzip") + body) == Sample(SUBJECT, "gzip", 77, body)
    assert parse(head(SUBJECT, 0)) == Sample(SUBJECT, "", 0, b"")


@pytest.mark.parametrize("record", [b"", b"1234567", head(SUBJECT, 1)[:-30], b"\xff" * 40, b"\0" * 40])
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
