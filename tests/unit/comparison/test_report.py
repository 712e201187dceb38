"""Reports as they are kept and sent: bounded, whole again when read, and refused when they are of another kind."""

from __future__ import annotations

from random import Random

import msgspec
import pytest

from stepdown.comparison.book import Book
from stepdown.comparison.report import FORMAT, LARGEST, Report, decode
from stepdown.decide.shadow_spec import Comparing, Examples
from tests.kit.comparing import judged


def full(contracts: int, keep: int = 20, *, bodies: bool = False, name: str = "n" * 250) -> Report:
    """Everything that there is room for, in so many pinned versions."""
    dice = Random(1)
    labels = tuple(f"/l{number}" for number in range(8))
    one = Book(Comparing(labels=labels), Examples(keep=keep, bodies=bodies), dice.random)
    for contract in range(contracts):
        for number in range(60):
            values = {f"{name}{number}/{index}": dice.lognormvariate(0, 8) for index in range(10)}
            served = {f"l{index}": "x" * 50 + str(number % 25) for index in range(8)}
            candidate = {f"l{index}": "x" * 50 + str(number * 7 % 23) for index in range(8)}
            one.add(
                judged(
                    served | values,
                    candidate | {key: value * 2 for key, value in values.items()},
                    contract=str(contract),
                )
            )
    return one.report("churn/2.0.0")


def test_what_is_read_is_what_was_written() -> None:
    report = full(1)
    assert decode(report.encode()) == report
    assert report.left_out == []


@pytest.mark.parametrize(("keep", "bodies"), [(20, False), (200, True), (2000, True)])
def test_a_report_is_never_larger_than_a_mebibyte_and_says_what_it_left_out(keep: int, bodies: bool) -> None:
    report = full(9, keep, bodies=bodies)
    assert len(report.encode()) <= LARGEST
    assert report.sections["0"].compared == 60
    if bodies:
        assert report.left_out[:1] == ["bodies"]


def test_the_least_needed_is_left_out_first() -> None:
    report = full(2)
    section = report.sections["0"]
    for number in range(3000):
        section.worst[str(number)] = msgspec.structs.replace(next(iter(section.worst.values())), served="x" * 300)
    assert decode(report.encode()).left_out == ["bodies", "examples"]
    assert decode(report.encode()).sections["0"].paths == section.paths
    assert len(section.worst) > 3000  # the report itself keeps everything


def test_in_the_end_only_totals_are_left() -> None:
    report = full(1)
    section = report.sections["0"]
    for number in range(20_000):
        section.paths["x" * 250 + str(number)] = section.paths["/l0"]
    found = decode(report.encode())
    assert found.left_out == ["bodies", "examples", "numbers", "labels", "paths"]
    assert found.sections["0"].compared == 60


@pytest.mark.parametrize(
    "encoded", [b"", b"\xc1", b"\x93\x01", b'{"shadow": 1}', msgspec.msgpack.encode({"sections": 1})]
)
def test_what_is_no_report_is_refused(encoded: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        decode(encoded)


def test_a_report_of_another_format_is_refused() -> None:
    with pytest.raises(ValueError, match=f"format {FORMAT + 1} cannot be read"):
        decode(Report(format=FORMAT + 1).encode())
