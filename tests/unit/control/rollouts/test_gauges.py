"""What Prometheus sees of rollouts: the phase, the weights, the evidence and the verdict of each."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import msgspec
import pytest

from stepdown.control import status
from stepdown.control.rollouts.gauges import PHASES, gauges
from stepdown.decide.rollout_spec import Driven, Threshold
from stepdown.rollout import events
from stepdown.telemetry.families import FAMILIES
from tests.kit.controller_state import SetState, served
from tests.kit.rollouts import CLICKS, ERRORS, rollout
from tests.kit.walked import One, Walked


def seen(one: One) -> Mapping[str, Mapping[Any, float]]:
    """Values by the tail of their family's name and by their labels behind the rollout's."""
    found: dict[str, dict[Any, float]] = {}
    for name, labels, value in gauges([one.standing()]):
        assert len(labels) == len(FAMILIES[name].labels)
        assert labels[0] == "churn-2"
        rest = labels[1] if len(labels) > 1 else ""
        found.setdefault(name.removeprefix("stepdown_rollout_"), {})[rest] = value
    return found


def test_one_phase_is_1_and_all_are_there() -> None:
    found = seen(One(rollout()).started())
    assert set(found["phase"]) == set(PHASES)
    assert [phase for phase, value in found["phase"].items() if value] == ["stepping"]


def test_step_and_weights_are_those_of_the_state_and_of_this_sidecar() -> None:
    one = One(rollout(5, 25, 100))
    assert (seen(one)["step"][""], seen(one)["weight_ratio"]) == (0, {"state": 0.0, "applied": 0.0})
    one.started().sees(10)
    driven = Driven(run=1, step=0, weight=5, stable="1.1.0")
    one.walk.rollout = msgspec.structs.replace(one.walk.rollout, driven=driven)
    assert (seen(one)["step"][""], seen(one)["weight_ratio"]) == (2, {"state": 0.25, "applied": 0.05})


def test_evidence_has_the_mean_under_no_name_and_each_guard_under_its_own() -> None:
    probe = Threshold(name="probe", success="result > 0")
    one = One(rollout(50, 100, guards=(ERRORS, CLICKS, probe))).started().sees(1, errors=(30, 10))
    found = seen(one)
    assert set(found["evidence"]) == set(found["evidence_level"]) == {"", "errors", "clicks"}
    mean = (math.exp(found["evidence"]["errors"]) + math.exp(found["evidence"]["clicks"])) / 2
    assert math.exp(found["evidence"][""]) == pytest.approx(mean)
    assert math.exp(found["evidence_level"][""]) == pytest.approx(20)
    assert math.exp(found["evidence_level"]["errors"]) == pytest.approx(40)
    assert found["guard_readable"] == {"errors": 1, "clicks": 0, "probe": 1}


def test_before_its_first_window_no_guard_is_called_unreadable() -> None:
    found = seen(One(rollout(guards=(ERRORS, CLICKS))).started())
    assert "guard_readable" not in found
    assert set(found["evidence"]) == {"", "errors", "clicks"}


def test_of_what_is_over_there_is_no_evidence_and_the_verdict_stays() -> None:
    one = One(rollout(50, 100)).started().sees(20, errors=(40, 5))
    found = seen(one)
    assert "evidence" not in found
    assert found["verdict"] == {"step": -1, "rollout": -1}
    assert found["quarantined"][""] == 1


def test_a_step_that_has_passed_is_1_while_the_rollout_is_0() -> None:
    assert seen(One(rollout(5, 100, gate=True)).started().sees(10))["verdict"] == {"step": 1, "rollout": 0}


@pytest.mark.parametrize("store", ["ok", "lost", "missing"])
def test_what_is_true_of_the_stored_state_is_1(store: str) -> None:
    one = One(rollout())
    one.fields["store"] = store
    assert seen(one)["state"] == {"ok": 0, "lost": 0, "missing": 0} | {store: 1}


def test_without_a_place_for_state_nothing_is_said_of_it() -> None:
    one = One(rollout())
    one.fields |= {"store": "none", "leads": False}
    assert "state" not in seen(one)
    assert seen(one)["leads"] == {"": 0}


def test_a_scrape_has_them() -> None:
    walked = Walked.of(5, 100)
    walked.one.started()
    walked.one.does(events.Paused, who="ann")
    with served(lambda: status.application(SetState(rollouts=walked))) as server:
        text = server.ask("GET", "/metrics").body.decode()
    assert 'stepdown_rollout_phase{phase="paused",rollout="churn-2"} 1.0' in text
    assert 'stepdown_rollout_weight_ratio{rollout="churn-2",where="state"} 0.05' in text
    assert 'stepdown_rollout_evidence{guard="",rollout="churn-2"} 0.0' in text


def test_a_scrape_has_none_before_states_were_read() -> None:
    walked = Walked.of(5, 100)
    walked.unread = walked.one.started
    with served(lambda: status.application(SetState(rollouts=walked))) as server:
        assert "stepdown_rollout_phase{" not in server.ask("GET", "/metrics").body.decode()
        walked.unread = None
        assert "stepdown_rollout_phase{" in server.ask("GET", "/metrics").body.decode()
