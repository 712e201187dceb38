"""`stepdown rollout watch`: what is seen while a rollout goes on, and how it ends."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from rich.console import Console

from stepdown.cli.admin_client import AdminError
from stepdown.cli.rollout_watch import BETWEEN_LINES, PATIENCE, Lines, _follow, frame
from stepdown.control.rollouts.api import shown
from stepdown.rollout import events
from tests.kit.rollout_admin import RolloutAdmin, rollout_admin
from tests.kit.rollouts import FOUR, rollout
from tests.kit.terminal import in_terminal
from tests.kit.walked import One, Walked


def view(one: One) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.to_builtins(shown(one.standing()))
    return found


class Moving(Walked):
    """Does one thing more each time that it is looked at."""

    def __init__(self, *does: Callable[[One], object]) -> None:
        super().__init__(rollout(5, 50, 100, guards=FOUR))
        self.does = list(does)

    def standings(self) -> Any:
        found = super().standings()
        if self.does:
            self.does.pop(0)(self.one)
        return found


def promoted(one: One) -> None:
    one.does(events.PromotedByHand, who="ann")


def aborted(one: One) -> None:
    one.does(events.AbortedByHand, who="ann")


def watched(sidecar: RolloutAdmin, *arguments: str) -> tuple[int, list[str], str]:
    done = sidecar.run("watch", "churn-2", "--every", "0.1", *arguments, token="look-only")
    return done.exit_code, done.stdout.splitlines(), done.stderr


def test_it_ends_when_the_candidate_was_promoted_with_0() -> None:
    with rollout_admin(Moving(One.started, lambda one: one.sees(10), promoted)) as sidecar:
        code, lines, _ = watched(sidecar)
    said = [line[9:] for line in lines]
    assert code == 0
    assert said[0] == "churn-2: 2.0.0 for 1.1.0 on churn/everyone"
    assert said[1] == "pending: 2.0.0 has nothing, waits for a start"
    assert said[2] == "started with step 1 of 3 (5 %): by ann"
    assert said[3].startswith("stepping at step 1 of 3 (5 %), E = 1 of 40, 0 units of 0, waits for 0 s of 10 min; 0 of")
    assert said[4].startswith("step 1 of 3 (5 %) passed, on to step 2 of 3 (50 %): 10 min at 5 % with 500 units")
    assert said[-2] == "promoted at step 2 of 3 (50 %): by ann; 2.0.0 has all traffic"
    assert said[-1] == "promoted: 2.0.0 has 100 %"


def test_it_ends_when_the_candidate_was_taken_back_with_1() -> None:
    bad = {"errors": (40, 5), "slow": (5, 5), "contract_violations": (5, 5), "clicks": (5, 5)}
    with rollout_admin(Moving(One.started, lambda one: one.sees(10).sees(20, **bad))) as sidecar:
        code, lines, _ = watched(sidecar)
    assert code == 1
    assert "rolled back at step 2 of 3 (50 %): E = " in lines[-2]
    assert lines[-1].endswith("rolled back: 2.0.0 has 0 %, waits for a person to start it: 2.0.0 is in quarantine")
    with rollout_admin(Moving(One.started, aborted)) as sidecar:
        assert watched(sidecar)[0] == 1


def test_what_is_over_already_is_shown_and_not_waited_for() -> None:
    with rollout_admin(Walked.of(5, 100)) as sidecar:
        promoted(sidecar.rollouts.one.started())
        code, lines, _ = watched(sidecar)
    assert code == 0
    assert lines[-1].endswith("promoted: 2.0.0 has 100 %")


def test_it_is_given_up_after_the_timeout_with_3() -> None:
    with rollout_admin(Walked.of(5, 100)) as sidecar:
        sidecar.rollouts.one.started()
        code, _, errors = watched(sidecar, "--timeout", "300ms")
        wrong = watched(sidecar, "--timeout", "soon")
    assert code == 3
    assert errors.startswith("churn-2 is not over after 300ms: stepping at step 1 of 2 (5 %), E = 1 of 20")
    assert wrong == (2, [], "--timeout soon: found no duration such as 90s, 30m or 2h.\n")


def test_of_a_rollout_that_is_not_there_nothing_can_be_seen() -> None:
    with rollout_admin(Walked.of(5, 100)) as sidecar:
        done = sidecar.run("watch", "chrun")
    assert done.exit_code == 2
    assert done.stderr == "Refused with 404 (not-found): There is no rollout chrun; there are: churn-2.\n"


def test_for_machines_each_look_is_a_line() -> None:
    with rollout_admin(Moving(One.started, promoted)) as sidecar:
        code, lines, _ = watched(sidecar, "--json")
    assert code == 0
    assert [json.loads(line)["phase"] for line in lines] == ["pending", "stepping", "promoted"]


def test_ctrl_c_ends_it_without_a_word() -> None:
    with rollout_admin(Walked.of(5, 100)) as sidecar:
        command = [sys.executable, "-m", "stepdown", "rollout", "watch", "churn-2", "--json", "--admin", sidecar.admin]
        environ = {**os.environ, "STEPDOWN_ADMIN_TOKEN": "look-only"}
        with subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            assert process.stdout is not None
            assert json.loads(process.stdout.readline())["phase"] == "pending"
            process.send_signal(2)
            _, errors = process.communicate(timeout=20)
    assert (process.returncode, errors) == (130, b"")


# --- lines ------------------------------------------------------------------------------------------------------------


def test_lines_tell_what_happens_at_once_and_numbers_now_and_then(capsys: pytest.CaptureFixture[str]) -> None:
    one, times = One(rollout(5, 100)).started(), [0.0]
    lines = Lines(lambda: times[-1])
    lines.show(view(one), "")
    assert len(capsys.readouterr().out.splitlines()) == 3
    one.sees(1)
    lines.show(view(one), "")
    assert capsys.readouterr().out == ""
    times.append(times[-1] + BETWEEN_LINES)
    lines.show(view(one), "")
    (line,) = capsys.readouterr().out.splitlines()
    assert "50 units of 1,000, waits for 1 min of 10 min; 50 of 100 units of the candidate. This step needs" in line
    times.append(times[-1] + BETWEEN_LINES)
    lines.show(view(one), "")
    assert capsys.readouterr().out == ""
    one.does(events.Paused, who="bob")
    lines.show(view(one), "")
    assert [line[9:] for line in capsys.readouterr().out.splitlines()] == [
        "paused at step 1 of 2 (5 %): by bob",
        "paused at step 1 of 2 (5 %), E = 0.73 of 20, 50 units of 1,000, waits for a person to resume it",
    ]


def test_a_sidecar_that_does_not_answer_is_told_of_once(capsys: pytest.CaptureFixture[str]) -> None:
    lines = Lines(lambda: 0.0)
    one = view(One(rollout()))
    lines.show(one, "")
    lines.show(one, "gone")
    lines.show(one, "gone")
    lines.show(one, "")
    lines.show(one, "gone")
    assert capsys.readouterr().err == "gone\ngone\n"


@pytest.mark.parametrize(("status", "looks"), [(0, 3), (503, 3), (401, 2), (404, 2)])
def test_a_sidecar_that_starts_again_is_waited_for_and_one_that_refuses_is_not(status: int, looks: int) -> None:
    done = One(rollout(5)).started()
    promoted(done)
    answers: list[Any] = [view(One(rollout(5))), AdminError("no", status=status), view(done)]
    seen: list[str] = []

    def look() -> Any:
        answer = answers.pop(0)
        if isinstance(answer, AdminError):
            raise answer
        return answer

    def follow() -> None:
        _follow(look, lambda _view, trouble: seen.append(trouble), 0.001, float("inf"))

    if looks == 2:
        with pytest.raises(AdminError):
            follow()
    else:
        follow()
        assert seen == ["", "no", ""]
    assert PATIENCE >= 10


# --- on a terminal ----------------------------------------------------------------------------------------------------


def test_on_a_terminal_the_picture_changes_in_place(monkeypatch: pytest.MonkeyPatch) -> None:
    bad = {"errors": (40, 5), "slow": (5, 5), "contract_violations": (5, 5), "clicks": (5, 5)}
    does = (One.started, lambda one: one.sees(10).sees(1, **bad), lambda one: one.sees(20, **bad))
    monkeypatch.setenv("STEPDOWN_ADMIN_TOKEN", "look-only")
    with rollout_admin(Moving(*does)) as sidecar:
        code, text = in_terminal("rollout", "watch", "churn-2", "--every", "0.1", "--admin", sidecar.admin)
    assert code == 1
    assert "\x1b[36mstepping at step 1 of 3 (5 %)" in text
    assert "\x1b[31mrolled back: 2.0.0 has 0 %" in text
    assert text.count("\x1b[2K") > 10  # what was there before is written over
    for word in ("\x1b[32mpassed", "\x1b[1;36mnow", "\x1b[31mtaken back", "\x1b[31mrollback", "█", "░"):
        assert word in text, word


def test_a_picture_says_also_what_went_wrong_with_the_look() -> None:
    console = Console(width=120, record=True, file=io.StringIO())
    console.print(frame(view(One(rollout(5, 100))), "it cannot be reached"))
    text = console.export_text()
    assert text.splitlines()[0] == "churn-2: 2.0.0 for 1.1.0 on churn/everyone"
    assert "it cannot be reached" in text
    assert "guards" not in text
