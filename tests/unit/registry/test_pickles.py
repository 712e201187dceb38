from __future__ import annotations

import collections
import datetime
import decimal
import pickle
from pathlib import Path

import pytest

from stepdown.registry import PickleRiskWarning, pickles
from tests.kit.model_registry import Bomb, Workshop

VALUE = [collections.Counter("ab"), datetime.date(2026, 1, 1), collections.Counter("c"), decimal.Decimal(1), {"x": "y"}]


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_what_a_pickle_imports_is_read_without_running_it(protocol: int, tmp_path: Path) -> None:
    named = pickles.names(pickle.dumps([*VALUE, Bomb(tmp_path / "exploded")], protocol))
    assert named is not None
    assert set(named) - {"_codecs.encode"} == {"collections.Counter", "datetime.date", "decimal.Decimal", "posix.mkdir"}
    assert not (tmp_path / "exploded").exists()


def test_a_pickle_of_plain_values_imports_nothing() -> None:
    assert pickles.names(pickle.dumps({"a": [1, "b", None]})) == ()


@pytest.mark.parametrize("data", [b"", b"no pickle", b"\x80\x04"], ids=["empty", "text", "cut"])
def test_what_cannot_be_read_is_told_apart(data: bytes) -> None:
    assert pickles.names(data) is None


def test_the_warning_names_what_would_be_imported(workshop: Workshop) -> None:
    workshop.add(value=Bomb(workshop.folder / "exploded"))
    with pytest.warns(PickleRiskWarning, match=r"it names posix\.mkdir; say trusted=True"):
        workshop.registry.load("churn", "1.0.0")
