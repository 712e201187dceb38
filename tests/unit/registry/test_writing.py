from __future__ import annotations

import os
from pathlib import Path

import pytest

from stepdown.registry import BadInputError, RefusedError
from stepdown.registry.writing import Draft


def test_a_draft_becomes_a_version_or_goes(tmp_path: Path) -> None:
    with Draft(tmp_path / "churn") as draft:
        draft.write("a", b"1")
    assert os.listdir(tmp_path) == []
    with Draft(tmp_path / "churn") as draft:
        draft.write("a", b"1")
        draft.publish("1.0.0")
    assert (tmp_path / "churn" / "1.0.0" / "a").read_bytes() == b"1"
    assert os.listdir(tmp_path / "churn") == ["1.0.0"]


def test_a_version_is_never_overwritten_even_without_the_lock(tmp_path: Path) -> None:
    for content in (b"first", b"second"):
        with Draft(tmp_path / "churn") as draft:
            draft.write("a", content)
            if content == b"first":
                draft.publish("1.0.0")
            else:
                with pytest.raises(RefusedError, match="was added by another program just now"):
                    draft.publish("1.0.0")
    assert (tmp_path / "churn" / "1.0.0" / "a").read_bytes() == b"first"
    assert os.listdir(tmp_path / "churn") == ["1.0.0"]


def test_a_file_that_changes_while_it_is_added_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model.pkl").write_bytes(b"x")
    with (
        Draft(tmp_path / "churn") as draft,
        pytest.raises(BadInputError, match=r"model\.pkl: changed while it was being added"),
    ):
        draft.copy("model.pkl", tmp_path / "model.pkl", "0" * 64)
