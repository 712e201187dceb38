"""The model of many versions is a good configuration whose clients are all served."""

from pathlib import Path

import pytest

from bench.adapters.many import check, configuration


def test_every_version_has_a_contract_and_an_adapter_to_the_one_before(tmp_path: Path) -> None:
    text = configuration(tmp_path / "five", 5).read_text()
    assert sorted(file.name for file in (tmp_path / "five/contracts").iterdir()) == [f"{v}.json" for v in range(1, 6)]
    assert [f"from: {v}.0.0" in text for v in range(1, 7)] == [False, True, True, True, True, False]
    assert text.count("endpoints:") == 2


def test_the_whole_command_is_timed_on_it(tmp_path: Path) -> None:
    checked = check(configuration(tmp_path / "three", 3), times=1)
    assert checked.wall > 0
    assert checked.cpu > 0


def test_a_configuration_that_check_refuses_is_not_timed(tmp_path: Path) -> None:
    file = configuration(tmp_path / "three", 3)
    file.write_text(file.read_text().replace("score_2", "scare_2"))
    with pytest.raises(RuntimeError, match="scare_2"):
        check(file, times=1)
