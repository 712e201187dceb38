"""`stepdown rollout simulate | plan`: numbers for fixed seeds, effects as they are written, and mistakes."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from stepdown.cli.app import app
from stepdown.cli.rollout import rollout
from tests.kit.configuration import CHURN
from tests.kit.terminal import in_terminal

ROUTES = """\
routes:
  churn:
    match: {path: /infer}
    model: churn
    rules: [{name: everyone, rollout: churn-2}]
rollouts:
  churn-2:
    stable: "1.1.0"
    candidate: "2.0.0"
    steps: [5, {weight: 50, for: 20m, manual: true}, 100]
    guards: [errors, latency, {kind: event, event: clicks, name: ctr, margin: 10%}, {kind: timeouts, limit: 5%}]
"""
FILE = CHURN + ROUTES
QUICK = ("--rate", "200/s", "--runs", "30")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "stepdown.yaml"
    path.write_text(FILE.replace(", margin: 10%", ""))
    return path


def run(file: Path, command: str, *arguments: str, name: str = "churn-2") -> Result:
    return CliRunner().invoke(rollout, [command, name, "--config", str(file), *arguments])


def found(file: Path, command: str, *arguments: str) -> Any:
    result = run(file, command, *arguments, "--json")
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def test_two_equal_versions_are_promoted_by_these_guards_and_taken_back_by_checks(file: Path) -> None:
    told = found(file, "simulate", *QUICK, "--seed", "3")
    ours, checks = told["decided_by"]["stepdown"], told["decided_by"]["failed_checks"]
    assert told["alike"]
    assert (ours["rolled_back"], ours["promoted"], ours["held"]) == (0, 30, 0)
    assert checks["rolled_back"] >= 10
    assert told["promotion_seconds_median"] == (10 + 20 + 10) * 60
    assert 0 == ours["rolled_back_interval"][0] < ours["rolled_back_interval"][1] < 0.12


def test_an_effect_is_found_and_said_when(file: Path) -> None:
    told = found(file, "simulate", *QUICK, "--effect", "errors=1%")
    ours = told["decided_by"]["stepdown"]
    assert (ours["rolled_back"], told["rolled_back_by_step"]) == (30, [30, 0, 0])
    assert 36_000 <= ours["requests_until_found_median"] <= 84_000
    assert ours["seconds_until_found_median"] == ours["requests_until_found_median"] / 200


def test_a_seed_gives_the_same_and_another_one_not(file: Path) -> None:
    effect = ("--effect", "ctr=-15%")
    first, same, other = (found(file, "simulate", *QUICK, *effect, "--seed", seed) for seed in ("1", "1", "2"))
    assert first == same
    assert first["decided_by"] != other["decided_by"]


def test_a_terminal_shows_how_far_it_is(file: Path) -> None:
    arguments = ("rollout", "simulate", "churn-2", "--config", str(file), *QUICK)
    code, shown = in_terminal(*arguments, errors=True)
    assert code == 0
    assert "simulating" in shown
    assert "0/30" in shown
    assert "what became of it" in shown


def test_many_runs_on_several_processes_are_all_counted(file: Path) -> None:
    told = found(file, "simulate", "--rate", "200/s", "--runs", "90", "--effect", "errors=3%")
    assert told["decided_by"]["stepdown"]["rolled_back"] == 90


def test_what_is_printed_says_what_was_supposed_and_what_it_comes_to(file: Path) -> None:
    shown = run(file, "simulate", *QUICK, "--stable", "ctr=10%", "--effect", "errors=x10").stdout
    lines = [" ".join(line.split()) for line in shown.splitlines()]
    assert lines[0] == "churn-2: 2.0.0 for 1.1.0, simulated 30 times at 200/s (seed 1)"
    assert "errors 0.1 % 1 % 1 %" in lines
    assert "ctr 10 % 10 % 9 %" in lines
    assert any(line.startswith("these guards 100 % 88.6 to 100 % 0 % 0 % ") for line in lines)
    assert "Steps that a person lets on were let on at once." in lines
    alike = run(file, "simulate", *QUICK).stdout
    assert "Both versions are the same, so every rollback is one for nothing: 0 % here, and alpha allows 5 %." in alike


@pytest.mark.parametrize(
    ("effect", "rate"),
    [("1%", 0.01), ("0.01", 0.01), ("x10", 0.01), ("+0.9pp", 0.01), ("+50%", 0.0015), ("-50%", 0.0005), ("0", 0.0)],
)
def test_an_effect_may_be_written_in_several_ways(effect: str, rate: float, file: Path) -> None:
    told = found(file, "plan", "--rate", "200/s", "--detect", f"errors={effect}")
    assert told["effects"][0]["candidate"] == pytest.approx(rate)


def test_a_small_change_of_something_rare_is_doubted(file: Path) -> None:
    result = run(file, "plan", "--rate", "200/s", "--detect", "errors=+0.9%")
    assert "makes 0.1009 % of 0.1 %, as a part of it; for points write +0.9pp" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--rate", "200"), "--rate 200: allowed requests in a time, such as 200/s, 12k/min or 1.5M/d"),
        (("--rate", "0/s"), "--rate 0/s: allowed requests in a time"),
        (("--rate", "1/h"), "--rate 1/h: less than a request in a window of 60 s"),
        (("--rate", "1/s", "--effect", "ctrl=-5%"), 'found "ctrl"; allowed a guard of the rollout: "errors"'),
        (("--rate", "1/s", "--effect", "ctrl=-5%"), 'did you mean "ctr"?'),
        (("--rate", "1/s", "--effect", "ctr"), "--effect ctr: allowed GUARD=VALUE"),
        (("--rate", "1/s", "--effect", "ctr=less"), "--effect ctr=less: allowed a change (-25%), a factor"),
        (("--rate", "1/s", "--effect", "ctr=0.9pp"), "allowed a change"),
        (("--rate", "1/s", "--effect", "ctr=-4"), "allowed a change"),
        (("--rate", "1/s", "--effect", "ctr=x100"), "makes a rate of 400 %; allowed one from 0 to less than 100 %"),
        (("--rate", "1/s", "--stable", "errors=-1%"), "--stable errors=-1%: allowed events a request, such as 4%"),
        (("--rate", "1/s", "--stable", "errors=100%"), "allowed events a request, from 0 to less than 1 (100%)"),
        (("--rate", "1/s", "--max-rolled-back", "few"), "--max-rolled-back few: allowed a percentage such as 20%"),
        (("--rate", "1/s", "--min-rolled-back", "200%"), "--min-rolled-back 200%: "),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_said_with_what_could(arguments: tuple[str, ...], message: str, file: Path) -> None:
    result = run(file, "simulate", "--runs", "1", *arguments)
    assert result.exit_code == 2
    assert message in result.stderr


def test_a_rollout_that_is_not_there_is_named_with_those_that_are(file: Path) -> None:
    result = run(file, "plan", "--rate", "1/s", name="churn-3")
    assert result.exit_code == 2
    assert 'found no rollout "churn-3"; allowed one of rollouts: "churn-2"; did you mean "churn-2"?' in result.stderr


def test_a_file_that_is_refused_is_refused_here_too(file: Path) -> None:
    file.write_text(FILE.replace("[5, {", "[60, {"))
    result = run(file, "simulate", *QUICK)
    assert result.exit_code == 2
    assert "found the weights 60, 50, 100; allowed weights that rise with each step" in result.stderr


def test_limits_decide_the_exit_code(file: Path) -> None:
    kept = run(file, "simulate", *QUICK, "--max-rolled-back", "10%", "--min-rolled-back", "0")
    assert kept.exit_code == 0
    all_of_them = ("--max-rolled-back", "100%", "--min-rolled-back", "100%")
    assert run(file, "simulate", *QUICK, "--effect", "errors=3%", *all_of_them).exit_code == 0
    more = run(file, "simulate", *QUICK, "--effect", "errors=3%", "--max-rolled-back", "2%")
    assert (more.exit_code, more.stderr.strip()) == (1, "100.00% were rolled back, and at most 2.00% may be")
    fewer = run(file, "simulate", *QUICK, "--min-rolled-back", "90%")
    assert (fewer.exit_code, fewer.stderr.strip()) == (1, "0.00% were rolled back, and at least 90.00% have to be")


def test_a_plan_says_how_long_each_step_takes(file: Path) -> None:
    told = found(file, "plan", "--rate", "200/s")
    assert [(step["weight"], step["seconds"], step["requests"]) for step in told["steps"]] == [
        (5, 600, 120_000),
        (50, 1200, 240_000),
        (100, 600, 120_000),
    ]
    slow = found(file, "plan", "--rate", "2/s")
    assert slow["steps"][0]["seconds"] == 10_020  # its 1,000 requests of the candidate, by whole windows


def test_a_plan_says_at_which_weight_clicks_can_be_judged(file: Path) -> None:
    asked = ("--rate", "200/s", "--detect", "ctr=-15%")
    needed = [
        {one["guard"]: one["requests_until_found"] for one in step["guards"]}
        for step in found(file, "plan", *asked)["steps"]
    ]
    assert needed[0]["ctr"] > 120_000 > needed[1]["ctr"]
    lines = run(file, "plan", *asked).stdout.splitlines()
    (said,) = (line for line in lines if line.startswith("ctr from 4 % to 3.4 % is"))
    assert said.startswith("ctr from 4 % to 3.4 % is found in time at 50 %, after ")
    assert "Limits of their own, which need no comparison: timeouts." in lines
    assert "The time that people take to let a step on is not in it." in lines


def test_a_plan_says_so_where_steps_are_too_short(file: Path) -> None:
    shown = run(file, "plan", "--rate", "200/s", "--detect", "ctr=-6%", "--detect", "errors=-10%").stdout
    assert "ctr from 4 % to 3.76 % is not found in time at any step; soonest at 50 %" in shown
    assert "errors from 0.1 % to 0.09 % is not found at any step" in shown


def test_a_margin_makes_steps_longer_until_it_is_shown(file: Path) -> None:
    file.write_text(FILE)
    assert found(file, "plan", "--rate", "200/s")["steps"][0]["seconds"] > 600
    shown = run(file, "plan", "--rate", "200/s").stdout
    assert "requests until an equal candidate is shown not to be worse by the margin" in shown


ELSEWHERE = "prometheus: http://prometheus:9090\n"
COUNTERS = (
    "{kind: prometheus, name: cart, must_not: fall, events: 'c{v=\"{{version}}\"}', trials: 't{v=\"{{version}}\"}'}"
)
READY = "{kind: threshold, name: ready, query: up, success: 'result[0] > 0', interval: 30s}"


@pytest.fixture
def elsewhere(file: Path) -> Path:
    """Of guards whose numbers come from elsewhere."""
    file.write_text(ELSEWHERE + FILE.replace("guards: [errors,", f"guards: [errors, {COUNTERS}, {READY},"))
    return file


def test_counters_of_somebody_else_are_supposed_like_any_event(elsewhere: Path) -> None:
    told = found(elsewhere, "simulate", *QUICK, "--effect", "cart=-50%")
    assert told["decided_by"]["stepdown"]["rolled_back"] == 30
    assert "of cart: " in run(elsewhere, "simulate", *QUICK, "--effect", "cart=-50%").stdout.replace("\n", " ")
    plan = run(elsewhere, "plan", "--rate", "200/s", "--detect", "cart=-50%").stdout
    assert "cart from 4 % to 2 % is found in time at 5 %" in plan


@pytest.mark.parametrize("command", [("simulate", *QUICK), ("plan", "--rate", "200/s")])
def test_thresholds_cannot_be_made_up_and_that_is_said(command: tuple[str, ...], elsewhere: Path) -> None:
    result = run(elsewhere, *command)
    assert result.exit_code == 0, result.stderr
    said = "Left out, since what they measure is no traffic that could be made up: ready."
    assert said in " ".join(result.stdout.split())
    for option in ("--stable", "--effect" if command[0] == "simulate" else "--detect"):
        refused = run(elsewhere, *command, option, "ready=1%")
        assert refused.exit_code == 2
        assert refused.stderr == (
            f"{option} ready=1%: ready is a threshold guard, and what it measures cannot be made up\n"
        )


def test_a_rollout_that_a_threshold_watches_is_not_held_by_it(elsewhere: Path) -> None:
    told = found(elsewhere, "simulate", *QUICK, "--stable", "ctr=20%", "--stable", "cart=20%")
    assert told["decided_by"]["stepdown"]["held"] == 0


@pytest.fixture
def segments_first(tmp_path: Path) -> Path:
    """A ladder that begins with half of a segment."""
    path = tmp_path / "segments.yaml"
    changed = FILE.replace(", margin: 10%", "").replace("steps: [5,", "steps: [{segment: beta, weight: 50}, 5,")
    path.write_text(changed + "segments: {beta: {header: {x-plan: beta}}}\n")
    return path


def test_steps_for_a_segment_say_whose_they_are_and_what_they_suppose(segments_first: Path) -> None:
    told = run(segments_first, "plan", "--rate", "200/s")
    assert told.exit_code == 0, told.stderr
    assert re.search(r"^ *50 % of beta  +10 min", told.stdout, re.MULTILINE)
    assert "at 50 % of beta" in told.stdout
    assert "as if every request were in it: beta." in " ".join(told.stdout.split())
    steps = found(segments_first, "plan", "--rate", "200/s")["steps"]
    assert [(step["segment"], step["weight"]) for step in steps] == [("beta", 50), (None, 5), (None, 50), (None, 100)]
    worse = run(segments_first, "simulate", *QUICK, "--effect", "errors=20%").stdout
    assert "rolled back 30 at 50 % of beta" in " ".join(worse.split())


def test_check_shows_whom_a_step_is_for(segments_first: Path) -> None:
    shown = CliRunner().invoke(app, ["check", str(segments_first)])
    assert shown.exit_code == 0, shown.output
    assert "50 % of beta for 10 min, 5 % for 10 min" in " ".join(shown.stdout.split())
    checked = json.loads(CliRunner().invoke(app, ["check", str(segments_first), "--json"]).stdout)
    assert [step["segment"] for step in checked["rollouts"]["churn-2"]["steps"]] == ["beta", None, None, None]


SCHEMA = '{"type": "object", "properties": {"score": {"type": "number"}}}'
SAID = "Live, 10 % of the answers are held against contracts (more with `validate`): broken ones take 10 times as many."


@pytest.mark.parametrize(
    ("validate", "guard", "said"),
    [
        ("", "contract_violations", SAID),
        ("validate: 25%, ", "contract_violations", SAID.replace("10 %", "25 %").replace("10 times", "4 times")),
        ("validate: 100%, ", "contract_violations", ""),
        ("", "errors", ""),
    ],
    ids=["by itself", "a share of the file", "all", "no guard asks"],
)
@pytest.mark.parametrize("command", [("simulate", "--rate", "200/s", "--runs", "2"), ("plan", "--rate", "200/s")])
def test_what_is_not_looked_at_of_contracts_is_said(
    command: tuple[str, ...], validate: str, guard: str, said: str, tmp_path: Path
) -> None:
    path = tmp_path / "contracts.yaml"
    (tmp_path / "contract.json").write_text(SCHEMA)
    text = re.sub(r"guards: .*", f"guards: [{guard}]", FILE)
    path.write_text(text.replace("{endpoints:", f"{{schema: contract.json, {validate}endpoints:"))
    result = run(path, *command)
    assert result.exit_code == 0, result.stderr
    assert result.stdout.splitlines()[-1].startswith("Live") == bool(said)
    assert not said or result.stdout.splitlines()[-1] == said
