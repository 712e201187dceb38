"""`stepdown rollout status | verdict | history | start ...`: what is printed, what is asked, and the exit codes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from typer.testing import CliRunner

from stepdown.cli.app import app
from stepdown.control.rollouts.asking import RolloutRefusedError
from stepdown.decide.rollout_spec import Ceiling, Step, Threshold
from stepdown.rollout import events
from stepdown.rollout.counts import Measurement, Window
from tests.kit.looping import LoopThread
from tests.kit.rollout_admin import RolloutAdmin, rollout_admin
from tests.kit.rollouts import ERRORS, FOUR, rollout
from tests.kit.terminal import in_terminal
from tests.kit.upstream import Peer, Upstream
from tests.kit.walked import Walked

ACTIONS = ["start", "pause", "resume", "promote", "abort", "undo"]


@pytest.fixture
def sidecar() -> Iterator[RolloutAdmin]:
    with rollout_admin(Walked(rollout(5, 25, 100, guards=FOUR), rollout(5, 100, name="other"))) as sidecar:
        yield sidecar


def cells(text: str) -> list[list[str]]:
    """Lines of a table, cell by cell."""
    return [re.split(r" {2,}", line.strip()) for line in text.splitlines()]


# --- status -----------------------------------------------------------------------------------------------------------


def test_all_rollouts_are_a_table_with_a_line_for_each(sidecar: RolloutAdmin) -> None:
    sidecar.rollouts.one.started().sees(10).sees(3)
    done = sidecar.run("status", token="look-only")
    assert done.exit_code == 0
    head, first, second = cells(done.stdout)[2:]
    assert head == ["rollout", "rule", "versions", "phase", "step", "weight", "E", "waits for"]
    assert first[:6] == ["churn-2", "churn/everyone", "1.1.0 -> 2.0.0", "stepping", "2 of 3", "25 %"]
    assert first[-1] == "3 min of 10 min"
    assert re.fullmatch(r"0\.\d+ of 40", first[6])
    assert second == ["other", "churn/everyone", "1.1.0 -> 2.0.0", "pending", "0 of 2", "0 %", "a start"]


def test_without_rollouts_it_says_so() -> None:
    with rollout_admin(Walked()) as sidecar:
        done = sidecar.run("status")
    assert (done.exit_code, done.stdout) == (0, "The file has no rollouts.\n")


def test_one_rollout_is_shown_whole(sidecar: RolloutAdmin) -> None:
    sidecar.rollouts.one.started().sees(10).sees(3)
    sidecar.rollouts.one.fields["differs"] = ("steps: the file says 5 and 50",)
    text = sidecar.run("status", "churn-2").stdout
    lines = text.splitlines()
    assert lines[:2] == ["churn-2: 2.0.0 for 1.1.0 on churn/everyone, run 1", "stepping at step 2 of 3 (25 %)"]
    table = cells(text)
    assert table[lines.index("ladder") + 2][:5] == ["1", "5 %", "passed", "500 and 9,500", "10 min"]
    assert table[lines.index("ladder") + 3][:5] == ["2", "25 %", "now", "750 and 2,250", "3 min of 10 min"]
    assert table[lines.index("ladder") + 4] == ["3", "100 %", "to come", "10 min"]
    (guards,) = (place for place, line in enumerate(lines) if line.startswith("guards: E = "))
    assert re.fullmatch(r"guards: E = 0\.\d+ of 40", lines[guards])
    assert table[guards + 2][:2] == ["errors", "ok"]
    assert table[guards + 2][3:6] == ["160", "15 of 750", "45 of 2,250"]
    low, high = map(float, table[guards + 2][6].split(" to "))
    assert low < 1 < high
    assert "Last: step 1 of 3 (5 %) passed, on to step 2 of 3 (25 %): 10 min at 5 % with 500 units" in text
    assert "Waits for: 3 min of 10 min.\n" in text
    assert "This step needs about 7 min more; all steps 17 min.\n" in text
    assert "This sidecar's workers still have 0 %.\n" in text
    assert lines[-1] == "Differs from the file: steps: the file says 5 and 50."


def test_a_rollback_is_shown_with_its_quarantine_and_a_code_of_its_own() -> None:
    with rollout_admin(Walked.of(50, 100, cool_down=3600.0)) as sidecar:
        sidecar.rollouts.one.started().sees(20, errors=(40, 5))
        done, whole = sidecar.run("status"), sidecar.run("status", "churn-2")
    assert (done.exit_code, whole.exit_code) == (1, 1)
    assert "rolled back: 2.0.0 has 0 %" in whole.stdout
    assert "taken back" in whole.stdout
    assert "In quarantine: 2.0.0 (endpoints aa), until a person starts it again." in whole.stdout
    assert "Cool-down: 1 h left." in whole.stdout


@pytest.mark.parametrize(
    ("store", "leads", "holder", "code", "said"),
    [
        ("lost", True, "", 1, "Warning: its state cannot be stored, so nothing advances."),
        ("missing", True, "", 0, "There is no state of it: it was never started, or its state is gone."),
        ("none", True, "", 0, "Warning: the file names no place for its state (`state`), so it cannot be driven."),
        ("ok", False, "pod-2", 0, "pod-2 decides; this sidecar follows."),
        ("ok", False, "", 0, "Nobody, as far as is known, decides; this sidecar follows."),
    ],
)
def test_it_says_who_decides_and_what_is_wrong_with_its_store(
    store: str, leads: bool, holder: str, code: int, said: str
) -> None:
    with rollout_admin(Walked.of(5, 100)) as sidecar:
        sidecar.rollouts.one.fields |= {"store": store, "leads": leads, "holder": holder}
        done = sidecar.run("status", "churn-2")
    assert done.exit_code == code
    assert said in done.stdout.splitlines()


@pytest.mark.parametrize(
    ("units", "rate", "windows", "said"),
    [
        (200, 2.0, 1, "This step needs about 25 min: 3,000 more requests, at 2/s; all steps 35 min."),
        (200, None, 1, "This step needs 3,000 more requests; at which rate they come is not known yet."),
        (100, None, 4, "This step needs about 6 min more."),
        (100, 5.0, 10, "This step needs nothing more but the end of its window; all steps 10 min."),
    ],
)
def test_it_says_how_long_a_step_takes_still_as_far_as_that_is_known(
    units: int, rate: float | None, windows: int, said: str
) -> None:
    with rollout_admin(Walked.of(5, 100, least_units=units)) as sidecar:
        one = sidecar.rollouts.one.started().sees(min(windows, 9))
        one.now += 60.0 * (windows - min(windows, 9))
        one.fields["rate"] = rate
        assert said in sidecar.run("status", "churn-2").stdout.splitlines()


def test_guards_of_every_kind_have_their_columns() -> None:
    limit = Ceiling(name="limit", kind="errors", limit=0.05, prove=True)
    rate = Threshold(name="rate", success="result > 0.9", count=5, interval=60.0, failure_limit=3)
    spec = rollout(5, 100, guards=(ERRORS, limit, rate), min_ready=2)
    with rollout_admin(Walked(spec)) as sidecar:
        one = sidecar.rollouts.one.started().sees(1, errors=(1, 19))
        values = (Measurement(at=1.0, value="1"), Measurement(at=2.0, value="0"))
        one.window(Window(stage=0, share=0.05, begin=0, end=60, measured={"rate": values}))
        text = sidecar.run("status", "churn-2").stdout
    rows = {row[0]: row for row in cells(text)}
    assert rows["rate"] == ["rate", "needs-more", "1 well, 1 failed, 0 neither", "3"]
    assert rows["limit"][4] == "1 of 50"
    assert re.fullmatch(r"0\.\d+ % to [\d.]+ % \(limit 5 %\)", rows["limit"][5])
    assert "Stable has 1 of 2 endpoints ready: no more than 50 % until it has." in text


def test_a_step_says_who_it_is_for_and_that_a_person_lets_it_on() -> None:
    step = Step(weight=50, segment="beta", shadow=2.5, least_duration=60.0, gate=True)
    plain = rollout(5, 100)
    with rollout_admin(Walked(type(plain)(**{**_fields(plain), "steps": (step, *plain.steps)}))) as sidecar:
        text = sidecar.run("status", "churn-2").stdout
        sidecar.rollouts.one.started()
        at_work, every = sidecar.run("status", "churn-2").stdout, sidecar.run("status").stdout
    assert ["1", "50 % of beta, 2.5 % copied", "to come, by hand", "1 min"] in cells(text)
    assert "stepping at step 1 of 3 (50 % of beta)" in at_work.splitlines()
    assert "50 % of beta" in every


def _fields(spec: Any) -> dict[str, Any]:
    return {name: getattr(spec, name) for name in spec.__struct_fields__}


def test_as_json_it_is_what_the_admin_api_says(sidecar: RolloutAdmin) -> None:
    every = json.loads(sidecar.run("status", "--json").stdout)["rollouts"]
    one = json.loads(sidecar.run("status", "other", "--json").stdout)
    assert [each["name"] for each in every] == ["churn-2", "other"]
    assert one == every[1]


def test_on_a_terminal_phases_have_their_colours(sidecar: RolloutAdmin, monkeypatch: pytest.MonkeyPatch) -> None:
    sidecar.rollouts.one.started()
    monkeypatch.setenv("STEPDOWN_ADMIN_TOKEN", "look-only")
    code, text = in_terminal("rollout", "status", "churn-2", "--admin", sidecar.admin)
    assert code == 0
    assert "\x1b[36mstepping at step 1 of 3 (5 %)" in text


# --- verdict ----------------------------------------------------------------------------------------------------------


def test_the_verdicts_exit_codes_are_for_scripts() -> None:
    with rollout_admin(Walked.of(5, 25, 100, gate=True)) as sidecar:
        one = sidecar.rollouts.one.started()
        waiting = sidecar.run("verdict", "churn-2", token="look-only")
        assert (waiting.exit_code, waiting.stdout.partition(":")[0]) == (3, "inconclusive")
        one.sees(10)
        passed = sidecar.run("verdict", "churn-2")
        assert passed.exit_code == 0
        assert passed.stdout == "success: step 1 of 3 (5 %) has passed and waits for a person to let it on\n"
        assert sidecar.run("verdict", "churn-2", "--of", "rollout").exit_code == 3
        one.does(events.AbortedByHand, who="ann")
        ended = sidecar.run("verdict", "churn-2", "--of", "2", "--json")
        assert ended.exit_code == 1
        assert json.loads(ended.stdout)["outcome"] == "failure"
        wrong = sidecar.run("verdict", "churn-2", "--of", "9")
    assert wrong.exit_code == 2
    assert wrong.stderr == (
        'Refused with 400 (bad-request): of: found "9"; allowed "step", "rollout" or a step from 1 to 3.\n'
    )


# --- history ----------------------------------------------------------------------------------------------------------


def test_the_history_is_a_table_of_sentences_the_newest_first(sidecar: RolloutAdmin) -> None:
    sidecar.rollouts.one.started().sees(10)
    done = sidecar.run("history", "churn-2", token="look-only")
    rows = cells(done.stdout)[2:]
    assert rows[0] == ["time", "run", "what happened"]
    assert rows[1][:2] == ["2027-01-15 08:10:00 UTC", "1"]
    assert rows[1][2].startswith("step 1 of 3 (5 %) passed, on to step 2 of 3 (25 %): 10 min at 5 % with 500 units")
    assert rows[2] == ["2027-01-15 08:00:00 UTC", "1", "started with step 1 of 3 (5 %): by ann"]


def test_the_history_goes_on_over_pages_until_there_is_enough(sidecar: RolloutAdmin) -> None:
    one = sidecar.rollouts.one.started()
    for _ in range(600):
        one.does(events.Paused, who="ann")
        one.does(events.Resumed, who="ann")
    found = [
        json.loads(line) for line in sidecar.run("history", "churn-2", "--limit", "1100", "--json").stdout.splitlines()
    ]
    assert [each["number"] for each in found] == list(range(1201, 101, -1))
    assert len(sidecar.run("history", "churn-2", "--limit", "5000", "--json").stdout.splitlines()) == 1201
    assert len(cells(sidecar.run("history", "churn-2").stdout)) == 20 + 3


def test_before_anything_has_happened_it_says_so(sidecar: RolloutAdmin) -> None:
    done = sidecar.run("history", "other")
    assert (done.exit_code, done.stdout) == (0, "Nothing has happened to other yet.\n")
    assert sidecar.run("history", "other", "--json").stdout == ""


# --- driving ----------------------------------------------------------------------------------------------------------


def test_a_rollout_is_driven_by_hand(sidecar: RolloutAdmin) -> None:
    def says(*arguments: str) -> str:
        done = sidecar.run(*arguments)
        assert done.exit_code == 0, done.output
        return done.stdout

    assert says("start", "churn-2") == "churn-2: started with step 1 of 3 (5 %): by deploy.\n"
    assert says("pause", "churn-2") == "churn-2: paused at step 1 of 3 (5 %): by deploy.\n"
    assert says("resume", "churn-2") == "churn-2: stepping at step 1 of 3 (5 %): by deploy.\n"
    assert says("abort", "churn-2") == "churn-2: aborted at step 1 of 3 (5 %): by deploy; 1.1.0 has all traffic.\n"
    assert json.loads(says("start", "churn-2", "--force", "--json"))["run"] == 2
    assert says("promote", "churn-2").endswith("by deploy; 2.0.0 has all traffic.\n")
    assert says("undo", "churn-2").endswith("by deploy; 1.1.0 has all traffic.\n")
    assert [(asked.action, asked.force) for asked in sidecar.rollouts.asked] == [
        ("start", False),
        ("pause", False),
        ("resume", False),
        ("abort", False),
        ("start", True),
        ("promote", False),
        ("undo", False),
    ]


def test_what_changes_nothing_says_why_and_exits_with_1(sidecar: RolloutAdmin) -> None:
    done = sidecar.run("pause", "churn-2")
    assert (done.exit_code, done.stdout) == (1, "churn-2: pause: not possible while pending.\n")
    sidecar.rollouts.refusal = RolloutRefusedError(409, "rollout-changed", "Somebody else was faster.")
    refused = sidecar.run("start", "churn-2")
    assert (refused.exit_code, refused.stderr) == (1, "Refused with 409 (rollout-changed): Somebody else was faster.\n")


@pytest.mark.parametrize("action", ACTIONS)
def test_what_could_not_be_asked_exits_with_2(sidecar: RolloutAdmin, action: str) -> None:
    viewer = sidecar.run(action, "churn-2", token="look-only")
    assert viewer.exit_code == 2
    assert viewer.stderr == "Refused with 403 (forbidden): This needs the role operate.\n"
    unknown = sidecar.run(action, "chrun")
    assert unknown.exit_code == 2
    assert unknown.stderr == "Refused with 404 (not-found): There is no rollout chrun; there are: churn-2, other.\n"
    sidecar.rollouts.refusal = RolloutRefusedError(503, "store-unavailable", "Nothing can be stored.")
    lost = sidecar.run(action, "churn-2", "--json")
    assert (lost.exit_code, json.loads(lost.stdout)["detail"]) == (2, "Nothing can be stored.")


@pytest.mark.parametrize("command", ["status", "history", "verdict", "watch", *ACTIONS])
def test_without_a_token_or_a_sidecar_every_command_says_what_to_do(command: str) -> None:
    name = [] if command == "status" else ["churn-2"]
    runner = CliRunner()
    missing = runner.invoke(app, ["rollout", command, *name], env={"STEPDOWN_ADMIN_TOKEN": ""})
    assert missing.exit_code == 2
    assert missing.stderr == (
        "The environment variable STEPDOWN_ADMIN_TOKEN holds no token: set it, or name another with --token-env.\n"
    )
    gone = runner.invoke(
        app, ["rollout", command, *name, "--admin", "http://127.0.0.1:1"], env={"STEPDOWN_ADMIN_TOKEN": "x"}
    )
    assert gone.exit_code == 2
    assert gone.stderr.startswith("http://127.0.0.1:1 cannot be reached: ")


def test_a_call_whose_answer_is_lost_tells_how_to_find_out() -> None:
    async def leave(peer: Peer) -> None:
        await peer.request()
        peer.fin()

    with LoopThread() as thread, Upstream(thread, leave) as silent:
        done = CliRunner().invoke(
            app,
            ["rollout", "abort", "churn-2", "--admin", f"http://127.0.0.1:{silent.port}"],
            env={"STEPDOWN_ADMIN_TOKEN": "x"},
        )
    assert done.exit_code == 2
    assert "whether the call was done is not known. `stepdown rollout status` tells." in done.stderr


def test_the_help_teaches_every_command_of_the_room() -> None:
    text = CliRunner().invoke(app, ["rollout", "--help"]).stdout
    for command in ("simulate", "plan", "watch", "status", "history", "verdict", *ACTIONS):
        assert re.search(rf"^    .*\b{command} (NAME|\[NAME\])|`{command} NAME`", text, re.MULTILINE), command
        assert re.search(rf"^  {command} +\S.*\.$", text, re.MULTILINE), command
