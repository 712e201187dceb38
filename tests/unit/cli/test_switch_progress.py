"""What is seen while a switch is under way."""

from __future__ import annotations

import io
from typing import Any

from stepdown.cli.admin_client import AdminError
from stepdown.cli.switch_progress import Progress, line, told

WARMTH = {
    "seconds": 20.0, "duration": 60.0, "seconds_left": 40.4, "copies": 31, "min_copies": 200, "answered": 29,
    "failed": 2, "failures": {"error": 2}, "client_errors": 0,
}  # fmt: skip


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def way(phase: str = "warming", **changes: Any) -> dict[str, Any]:
    return {"colour": "green", "by": "ops", "phase": phase, "warm_up": {**WARMTH, **changes}}


def asked(under_way: dict[str, Any] | None) -> dict[str, Any]:
    return {"places": [{"place": "r", "active": "blue", "under_way": under_way}]}


def test_a_line_for_each_phase() -> None:
    assert line("r", {**way(), "warm_up": None}) == "r -> green: it is checked whether it is ready"
    assert line("r", way()) == "r -> green: warming up, 29 copies answered, 2 failed (31 of 200), 40 s left"
    late = way(seconds=70.0, seconds_left=230.0)
    assert line("r", late).endswith("29 copies answered, 2 failed (31 of 200), 230 s more at most")
    assert line("r", way(copies=200)).endswith("warming up, 29 copies answered, 2 failed, 40 s left")
    assert line("r", way("warm")) == "r -> green: warmed up, 29 copies answered, 2 failed; it is checked once more"


def test_a_terminal_has_one_line_that_goes_and_a_file_a_line_now_and_then() -> None:
    terminal, file = Terminal(), io.StringIO()
    for stream in (terminal, file):
        progress = Progress(lambda: asked(way()), "r", stream)
        assert progress.look()
        assert progress.look()
        progress.clear()
    text = line("r", way())
    assert terminal.getvalue() == f"\r{text}\r{text}\r{'':{len(text)}}\r"
    assert file.getvalue() == f"{text}\n"


def test_where_nothing_is_under_way_or_nobody_answers_nothing_is_shown() -> None:
    def fail() -> dict[str, Any]:
        raise AdminError("cannot be reached")

    stream = io.StringIO()
    assert not Progress(lambda: asked(None), "r", stream).look()
    assert not Progress(lambda: asked(way()), "other", stream).look()
    assert not Progress(fail, "r", stream).look()
    assert stream.getvalue() == ""


def test_what_became_of_an_interrupted_switch_is_waited_for() -> None:
    answers = [asked(way()), asked(None)]
    ended = Progress(lambda: answers.pop(0), "r", io.StringIO()).ended()
    assert ended == "Interrupted: the switch is over; blue is active."


def test_what_a_warm_up_came_to_and_that_copies_have_no_credentials() -> None:
    assert told(WARMTH) == ["  Warmed up for 20 s: 29 copies were answered and 2 failed (6.45%): 2 error."]
    good = {**WARMTH, "failed": 0, "failures": {}, "client_errors": 7}
    first, second = told(good)
    assert first == "  Warmed up for 20 s: 29 copies were answered and 0 failed."
    assert second.startswith("  7 of the answers say 4xx: copies carry no credentials")
