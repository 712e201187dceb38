"""The overlay on disk is found again, replaced whole, and never written over something else."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from stepdown.config import load
from stepdown.config.overlay import OverlayError, first_spec, read_overlay, write_overlay
from stepdown.decide.colours import NOTHING_SWITCHED, Overlay, Switched
from tests.kit.colours import coloured

ENTRY = Switched(colour="green", declared="blue", before="blue", by="ops", when=7)
OVERLAY = Overlay(revision=3, switched={"r": ENTRY})
ENVIRON = {"STEPDOWN_TEST_TOKEN": "x" * 20, "STEPDOWN_TEST_VIEW_TOKEN": "y" * 20}


def test_what_was_written_is_read_again_and_nothing_else_is_left(tmp_path: Path) -> None:
    path = tmp_path / "switched.json"
    assert read_overlay(path) == NOTHING_SWITCHED
    write_overlay(path, NOTHING_SWITCHED)
    write_overlay(path, OVERLAY)
    assert read_overlay(path) == OVERLAY
    assert os.listdir(tmp_path) == ["switched.json"]


@pytest.mark.parametrize("content", [b"", b"[]", b"\xff", b"listen: 127.0.0.1:8080\n", b'{"switched": {"r": {}}}'])
def test_what_is_no_overlay_is_refused_and_left_alone(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "switched.json"
    path.write_bytes(content)
    with pytest.raises(OverlayError, match="holds no overlay"):
        read_overlay(path)
    with pytest.raises(OverlayError, match="holds no overlay"):
        write_overlay(path, OVERLAY)
    assert path.read_bytes() == content


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(OverlayError, match=r"no/switched\.json cannot be written: No such file"):
        write_overlay(tmp_path / "no" / "switched.json", OVERLAY)


def test_a_start_finds_what_was_switched_relative_to_its_file(tmp_path: Path) -> None:
    file = tmp_path / "stepdown.yaml"
    file.write_text(coloured("r", 1, 2, more="state: {overlay: switched.json}"))
    loaded = load(file, ENVIRON)
    assert first_spec(loaded) == (loaded.spec, "")
    write_overlay(tmp_path / "switched.json", OVERLAY)
    spec, warning = first_spec(loaded)
    assert (spec.routes[0].rules[0].split, warning) == ((("1.0.0", 0), ("2.0.0", 1)), "")


def test_a_start_with_an_unreadable_overlay_goes_on_with_the_file_and_says_so(tmp_path: Path) -> None:
    file = tmp_path / "stepdown.yaml"
    file.write_text(coloured("r", 1, 2, more="state: {overlay: switched.json}"))
    (tmp_path / "switched.json").write_text("{")
    loaded = load(file, ENVIRON)
    spec, warning = first_spec(loaded)
    assert spec == loaded.spec
    assert warning.endswith("; what the file declares is in force")
