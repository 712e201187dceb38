"""Pins: what the value of `X-Model-Version` means to a model."""

from __future__ import annotations

import pytest

from stepdown.decide import spec
from stepdown.decide.pins import Pins
from stepdown.errors import BadPinError


def pins(room: int = 100) -> Pins:
    versions = tuple(
        spec.Version(id=text, retired=text in {"0.9.0", "1.1.0"})
        for text in ("0.9.0", "1.0.0", "1.1.0", "1.2.0", "2.0.0-rc.1", "2.0.0")
    )
    return Pins(spec.Model(name="churn", default_version="1.0.0", latest="1.2.0", versions=versions), room)


@pytest.mark.parametrize(
    ("value", "versions"),
    [
        (b"1.0.0", "1.0.0"),
        (b"v1.0.0", "1.0.0"),
        (b"v1.0", "1.0.0"),
        (b"1", "1.2.0 1.0.0"),
        (b"v1", "1.2.0 1.0.0"),
        (b"^1", "1.2.0 1.0.0"),
        (b">=1 <1.2", "1.0.0"),
        (b"*", "2.0.0 1.2.0 1.0.0"),
        (b"2.0.0-rc.1", "2.0.0-rc.1"),
        (b"latest", "1.2.0"),
        (b" latest ", "1.2.0"),
        (b"churn=1.0.0", "1.0.0"),
        (b"churn=latest", "1.2.0"),
        (b"churn=>=1 <2", "1.2.0 1.0.0"),
        (b"fraud=2.0.0,churn=1.0.0", "1.0.0"),
        (b"fraud=no-version, churn=^1 ", "1.2.0 1.0.0"),
        (b"3.0.0", ""),
        (b"1" * 128, ""),
    ],
)
def test_a_value_allows_declared_versions_newest_first(value: bytes, versions: str) -> None:
    pin = pins().read(value)
    assert pin is not None
    assert pin.versions == tuple(versions.split())


def test_a_retired_version_is_kept_apart() -> None:
    pin = pins().read(b"1.1.0")
    assert pin is not None
    assert (pin.versions, pin.retired) == ((), ("1.1.0",))


@pytest.mark.parametrize("value", [b"fraud=2.0.0", b"fraud=2.0.0,spam=1", b"Churn=1.0.0"])
def test_a_list_that_does_not_name_the_model_is_no_pin(value: bytes) -> None:
    table = pins()
    assert table.read(value) is None
    assert table.read(value) is None


@pytest.mark.parametrize(
    ("value", "complaint"),
    [
        (b"banana", "'banana' is no version and no range"),
        (b"1.2.3.4", "left over"),
        (b"Latest", "no range"),
        (b"churn=", "no version"),
        (b"churn=1.0.0,2.0.0", "'2.0.0' in a list names no model"),
        (b"1,2", "'1' in a list names no model"),
        (b"churn=1,churn=2", "churn is named twice"),
        (b"", "1 to 128 letters"),
        (b"1.0.0+build", "1 to 128 letters"),
        (b"1.0.0\xff", "1 to 128 letters"),
        (b"1%2e0", "1 to 128 letters"),
        (b"1" * 129, "1 to 128 letters"),
    ],
)
def test_a_pin_that_is_no_version_is_refused_with_400(value: bytes, complaint: str) -> None:
    with pytest.raises(BadPinError, match=complaint) as refused:
        pins().read(value)
    assert refused.value.code == 400


def test_values_that_mean_the_same_share_one_pin() -> None:
    table = pins()
    assert table.read(b"^1") is table.read(b"1") is table.read(b">=1 <2")
    assert table.exactly("1.0.0") is table.read(b"v1.0")
    assert table.read(b"8.0.0") is table.read(b"9.0.0")


def test_what_is_remembered_has_a_bound() -> None:
    table = pins(room=4)
    for number in range(100):
        table.read(str(number).encode())
        assert len(table._read) <= 4
    assert table.read(b"1") is table.read(b"1.x")
