"""`stepdown replay` as a command: options, mistakes, what a terminal shows, exit codes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.kit.configuration import GOOD, Folder
from tests.kit.looping import LoopThread
from tests.kit.replaying import exchange, file_of, model, replayed
from tests.kit.terminal import in_terminal
from tests.kit.upstream import Upstream

NOWHERE = "http://127.0.0.1:1"


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    return file_of(tmp_path / "a.jsonl.zst", map(exchange, range(30)))


def test_the_help_teaches_targets_examples_and_exit_codes() -> None:
    text = replayed("--help").output
    for line in (
        "--against URL | VERSION",
        "stepdown replay recordings --against 2.1.0 --config new.yaml --rate 50/s",
        "1    with --max-different: it fails",
        "2    with --max-different: neither can be said (yet)",
        "3    nothing is known",
        "130  stopped with Ctrl-C",
    ):
        assert line in text


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--against", "ftp://h"), "--against ftp://h: found no such URL; allowed a URL such as"),
        (("--against", "two"), "--against two: 'two' is no version"),
        (("--against", "2.0.0"), "stepdown.yaml: nothing is replayed, because of what is wrong above"),
        (("--against", NOWHERE, "--rate", "0"), "--rate 0: allowed a rate such as 50/s, 600/m or 0.5/s"),
        (("--against", NOWHERE, "--sample", "0"), "--sample 0: allowed more than 0"),
        (("--against", NOWHERE, "--sample", "200%"), "--sample 200%: allowed a percentage"),
        (("--against", NOWHERE, "--max-different", "few"), "--max-different few: allowed a percentage"),
        (("--against", NOWHERE, "--min-compared", "5"), "--min-compared: goes together with --max-different"),
        (("--against", NOWHERE, "-H", "authorization"), "--header authorization: found no field such as"),
        (("--against", NOWHERE, "-H", "a: b\nc: d"), "--header a: found no field such as"),
        (("--against", NOWHERE, "-H", "Host: other"), "--header Host: is set for each request by itself"),
        (("--against", NOWHERE, "--ignore", "id"), "--ignore id: a path starts with /"),
        (("--against", NOWHERE, "--config", "gone.yaml"), "gone.yaml: nothing is replayed"),
        (("--against", NOWHERE, "--concurrency", "0"), "--concurrency"),
        (("--against", NOWHERE, "--noise", "50%"), "--noise: goes with --against VERSION or VERSION=URL"),
        (("--against", f"2.0.0={NOWHERE}", "--noise", "half"), "--noise half: allowed a percentage"),
        (("--no-such-option",), "No such option: --no-such-option"),
        ((), "Missing option '--against'"),
    ],
)
def test_a_mistake_says_what_is_allowed(
    arguments: tuple[str, ...], said: str, recording: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = replayed(recording, *arguments)
    assert result.exit_code == 3
    assert said in result.stderr
    assert "s3cret" not in result.output


def test_a_secret_in_a_broken_header_is_not_repeated(recording: Path) -> None:
    result = replayed(recording, "--against", NOWHERE, "-H", "author ization: Bearer s3cret")
    assert result.exit_code == 3
    assert "s3cret" not in result.output


def test_what_a_configuration_has_is_named(recording: Path, folder: Folder) -> None:
    folder.write("stepdown.yaml", GOOD)
    config = ("--config", folder.file)
    result = replayed(recording, "--against", "1.0.0", *config)
    assert (result.exit_code, result.stderr) == (
        3,
        "--against 1.0.0: no model has this version with endpoints; allowed 1.1.0, 2.0.0, or a URL\n",
    )
    result = replayed(recording, "--against", "2.0.0", *config, "--route", "none")
    assert (result.exit_code, result.stderr) == (3, "--route none: allowed churn\n")


@pytest.mark.parametrize("what", ["nothing", "empty", "folder"])
def test_a_recording_that_is_none_says_so(what: str, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    if what == "empty":
        path.touch()
    elif what == "folder":
        path.mkdir()
    result = replayed(path, "--against", NOWHERE)
    assert result.exit_code == 3
    assert {
        "nothing": f"{path}: cannot be read: No such file or directory",
        "empty": "nothing is compared: the recording has no entry",
        "folder": f"{path}: has no recording; the names of recordings end with",
    }[what] in result.stderr


def test_a_terminal_shows_how_far_it_is(recording: Path) -> None:
    with LoopThread() as thread, Upstream(thread, model(lambda x: {"logit": x / 10})) as upstream:
        against = ("--against", f"http://127.0.0.1:{upstream.port}", "--rate", "60/s")
        code, shown = in_terminal("replay", str(recording), *against, errors=True)
        _, quiet = in_terminal("replay", str(recording), *against)
    assert code == 0
    assert "/30" in shown
    assert "0 different" in shown
    assert "\x1b[32mchurn: 30 compared, 30 equal, 0 different" in shown
    assert "/30" not in quiet


def test_a_narrow_terminal_wraps_what_a_table_says_and_leaves_nothing_out(tmp_path: Path) -> None:
    recording = file_of(tmp_path / "a.jsonl", [exchange(3)])
    with LoopThread() as thread, Upstream(thread, model(lambda _: {"logit": 123456789.25})) as upstream:
        code, shown = in_terminal(
            "replay", str(recording), "--against", f"http://127.0.0.1:{upstream.port}", columns=44
        )
    assert code == 0
    assert "…" not in shown
    assert "/logit" in shown
