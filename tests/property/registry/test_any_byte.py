"""No byte of a version can change, go or come without being found."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stepdown.registry import DamagedError
from tests.kit.model_registry import QUESTION, Workshop


@pytest.fixture(scope="module")
def workshop() -> Iterator[Workshop]:
    with tempfile.TemporaryDirectory() as folder:
        made = Workshop(Path(folder))
        made.contract(QUESTION, "question.json")
        made.add("1.0.0", value={"weights": [0.1, 0.7]}, input="question.json", training={"rows": 569})
        for path in made.at().iterdir():
            os.chmod(path, 0o644)
        yield made


@given(data=st.data())
@settings(max_examples=80, deadline=None)
def test_any_change_of_any_file_is_found_and_nothing_is_loaded(workshop: Workshop, data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(sorted(workshop.at().iterdir())), label="file")
    before = path.read_bytes()
    at = data.draw(st.integers(0, len(before)), label="offset")
    cut = data.draw(st.integers(0, 3), label="bytes taken")
    put = data.draw(st.binary(max_size=3), label="bytes put")
    after = before[:at] + put + before[at + cut :]
    if after == before:
        return
    path.write_bytes(after)
    try:
        assert workshop.registry.verify("churn", "1.0.0").damages
        with pytest.raises(DamagedError):
            workshop.registry.load("churn", "1.0.0", trusted=True)
    finally:
        path.write_bytes(before)
    assert workshop.registry.load("churn", "1.0.0", trusted=True) == {"weights": [0.1, 0.7]}
