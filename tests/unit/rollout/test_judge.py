"""The judge: which guards watch a step, the mean over them, and the decisions in their order."""

from __future__ import annotations

import math

import msgspec
import pytest

from stepdown.decide.rollout_spec import Ceiling, Threshold
from stepdown.rollout.counts import Arms, Measurement, Window
from stepdown.rollout.judge import Evidence, decide, explain, mean_log_e, missing, panels, readings
from stepdown.statistics.evidence import log_mean
from tests.kit.rollouts import CLICKS, ERRORS, FOUR, after, rollout, window
from tests.kit.statistics import vectors

LIMIT = Ceiling(name="limit", kind="errors", limit=0.01)
READY = Threshold(name="ready", success="result >= 0.95", interval=60)
PANEL = panels(rollout())[0]
FINE, BAD = window(errors=(1, 19)), window(errors=(20, 20))


def measured(one: Window, *values: str) -> Window:
    return msgspec.structs.replace(one, measured={"ready": tuple(Measurement(at=one.end, value=v) for v in values)})


def test_alpha_is_split_over_the_stages_that_have_evidence() -> None:
    assert [panel.terms.stages for panel in panels(rollout(guards=FOUR))] == [3, 3, 3, 3]
    assert panels(rollout(guards=(ERRORS, LIMIT)))[0].terms.stages == 4  # a ceiling says something at 100 % too
    assert panels(rollout(guards=(READY,)))[0].terms.stages == 1
    assert PANEL.terms.level == pytest.approx(math.log(60))


def test_at_100_per_cent_only_ceilings_and_thresholds_watch_and_in_a_warm_up_only_copies() -> None:
    copies = Ceiling(name="copies", kind="shadow_different", limit=0.01)
    found = panels(rollout(0, 5, 100, guards=(ERRORS, LIMIT, READY, copies)))
    assert [[guard.name for guard in panel.guards] for panel in found] == [
        ["ready", "copies"],
        ["errors", "limit", "ready", "copies"],
        ["limit", "ready", "copies"],
    ]
    assert [panel.terms.guards for panel in found] == [1, 3, 2]


def test_evidence_is_the_mean_over_the_guards() -> None:
    panel = panels(rollout(guards=(ERRORS, CLICKS)))[0]
    evidence = after(panel, [window(errors=(20, 20), clicks=(2, 40))] * 3)
    logs = [reading.log_e for reading in readings(evidence, panel)]
    assert mean_log_e(evidence, panel) == pytest.approx(log_mean([log for log in logs if log is not None]))
    assert mean_log_e(Evidence(), panel) == 0.0
    assert mean_log_e(Evidence(), panels(rollout(guards=()))[0]) == 0.0


def test_the_published_mean_is_reproduced() -> None:
    case = vectors("combine")
    assert math.exp(log_mean([math.log(e) for e in case["E"]])) == pytest.approx(case["mean"])


def test_a_step_passes_after_its_time_with_enough_units_and_all_guards_well() -> None:
    evidence = after(PANEL, [FINE] * 10)
    assert decide(evidence, PANEL, 599) == "more"
    assert decide(evidence, PANEL, 600) == "passed"
    assert decide(after(PANEL, [FINE]), PANEL, 600) == "more"  # 50 of 100 units
    assert decide(after(PANEL, [*[FINE] * 9, window()]), PANEL, 600) == "more"  # cannot be read
    assert decide(Evidence(), PANEL, 600) == "more"


def test_a_worse_candidate_is_taken_back_but_not_before_there_are_enough_units() -> None:
    evidence = after(PANEL, [BAD] * 6)
    assert decide(evidence, PANEL, 360) == "worse"
    many = panels(rollout(least_units=301))[0]
    assert decide(evidence, many, 360) == "more"


def test_a_deadline_without_a_verdict_is_inconclusive_and_never_a_pass() -> None:
    panel = panels(rollout(deadline=1200.0))[0]
    evidence = after(panel, [FINE] * 20 + [window()])
    assert decide(evidence, panel, 1199) == "more"
    assert decide(evidence, panel, 1200) == "inconclusive"
    assert explain("inconclusive", evidence, panel, 1200) == (
        "20 min without a verdict (deadline 20 min): errors cannot be read: no data; until then 20 of 400 errors came"
        " from the candidate, which had 5 % of the assignment"
    )
    assert decide(after(panel, [FINE] * 20), panel, 1200) == "passed"


def test_a_wrong_assignment_comes_before_everything_else_and_is_no_rollback() -> None:
    odd = msgspec.structs.replace(BAD, units=Arms(candidate=150, stable=850))
    evidence = after(PANEL, [odd] * 6)
    assert decide(evidence, PANEL, 360) == "mismatch"
    assert explain("mismatch", evidence, PANEL, 360) == (
        "sample ratio: E = over 10^179 >= 1,000 (alpha 0.001): 900 of 6,000 units were the candidate's, which had 5 %"
        " of the assignment"
    )
    whole = panels(rollout(100, guards=(LIMIT,)))[0]
    assert decide(after(whole, [window(share=1.0, errors=(0, 0))] * 10), whole, 600) == "passed"


def test_a_threshold_that_failed_takes_the_candidate_back_and_one_that_ended_open_holds_it() -> None:
    panel = panels(rollout(guards=(READY,)))[0]
    failed = after(panel, [FINE] * 2 + [measured(FINE, "0.9")])
    assert decide(failed, panel, 180) == "worse"
    assert explain("worse", failed, panel, 180) == "ready: failed: failed (1) > failureLimit (0)"
    both = msgspec.structs.replace(READY, failure="result < 0.5")
    panel = panels(rollout(guards=(both,)))[0]
    open_ = after(panel, [measured(FINE, "0.9")])
    assert decide(open_, panel, 60) == "inconclusive"
    assert "inconclusive (1) > inconclusiveLimit (0)" in explain("inconclusive", open_, panel, 60)


def test_a_threshold_that_was_not_measured_yet_is_waited_for() -> None:
    panel = panels(rollout(guards=(READY,)))[0]
    evidence = after(panel, [FINE] * 10)
    assert decide(evidence, panel, 600) == "more"
    assert missing(evidence, panel, 600) == ["ready: nothing measured yet"]
    assert decide(after(panel, [FINE] * 9 + [measured(FINE, "0.99")]), panel, 600) == "passed"


def test_sentences_have_their_numbers() -> None:
    worse = after(PANEL, [BAD] * 6)
    assert explain("worse", worse, PANEL, 360).endswith(
        " >= 60 (alpha 0.05/3): 120 of 240 errors came from the candidate, which had 5 % of the assignment"
    )
    assert explain("worse", worse, PANEL, 360).startswith("errors: E = ")
    four = panels(rollout(guards=(ERRORS, CLICKS)))[0]
    both = after(four, [window(errors=(20, 20), clicks=(2, 38))] * 6)
    assert ", the mean over 2 guards, most of it of errors: E = " in explain("worse", both, four, 360)
    fine = after(PANEL, [FINE] * 10)
    assert explain("passed", fine, PANEL, 600).startswith("10 min at 5 % with 500 units of the candidate, E = 0.")
    assert explain("more", after(PANEL, [FINE]), PANEL, 60) == "1 min of 10 min; 50 of 100 units of the candidate"


def test_what_is_known_can_be_kept_as_json() -> None:
    panel = panels(rollout(guards=(ERRORS, LIMIT, READY)))[0]
    evidence = after(panel, [measured(BAD, "0.99")] * 3)
    assert msgspec.json.decode(msgspec.json.encode(evidence), type=Evidence) == evidence
