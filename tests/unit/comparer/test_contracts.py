"""Contracts are found by the configuration that a sample was taken under."""

from __future__ import annotations

from typing import Any

import pytest

from stepdown.comparer.contracts import KEPT, Contracts
from stepdown.decide.checks import Subject
from stepdown.decide.spec import digest, encode
from tests.kit import specs


def encoded(contract: Any, **more: Any) -> bytes:
    model = specs.model(specs.version("1.0.0", 1, contract=contract, validate=1.0))
    return encode(specs.snapshot(models=[model], **more))


def subject(data: bytes) -> Subject:
    return Subject(digest(data), "m", "1.0.0", "1.0.0")


def test_a_sample_is_held_against_the_contract_of_its_own_configuration() -> None:
    contracts = Contracts()
    before, after = encoded({"type": "object"}), encoded({"type": "array"})
    contracts.adopt(*specs.named(before))
    contracts.adopt(*specs.named(after))
    older, newer = contracts.find(subject(before)), contracts.find(subject(after))
    assert older is not None
    assert newer is not None
    assert older.is_valid(b"{}")
    assert not newer.is_valid(b"{}")


def test_only_the_last_configurations_are_known() -> None:
    contracts = Contracts()
    all_of_them = [encoded({}, trusted_hops=number) for number in range(KEPT + 2)]
    for data in all_of_them:
        contracts.adopt(*specs.named(data))
    assert [contracts.knows(digest(data)) for data in all_of_them] == [False] * 2 + [True] * KEPT


def test_a_contract_that_stays_is_compiled_once() -> None:
    contracts = Contracts()
    before, after = encoded({"type": "object"}), encoded({"type": "object"}, trusted_hops=1)
    contracts.adopt(*specs.named(before))
    compiled = contracts.find(subject(before))
    contracts.adopt(*specs.named(after))
    assert contracts.find(subject(after)) is compiled


def test_a_contract_that_does_not_compile_is_told_once_and_harms_nobody(caplog: pytest.LogCaptureFixture) -> None:
    contracts = Contracts()
    data = encoded({"type": "nonsense"})
    contracts.adopt(*specs.named(data))
    assert contracts.find(subject(data)) is None
    assert contracts.find(subject(data)) is None
    assert [record.message for record in caplog.records] == [
        "contract cannot be compiled: answers are not held against it"
    ]


def test_versions_without_a_share_or_a_contract_are_left_out() -> None:
    contracts = Contracts()
    model = specs.model(specs.version("1.0.0", 1, contract={}), specs.version("2.0.0", 1, validate=1.0))
    data = encode(specs.snapshot(models=[model]))
    contracts.adopt(*specs.named(data))
    for version in ("1.0.0", "2.0.0"):
        assert contracts.find(Subject(digest(data), "m", version, version)) is None
