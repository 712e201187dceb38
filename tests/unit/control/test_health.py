from __future__ import annotations

import itertools

import pytest

from stepdown.control.health import Health, Result, State, after, contradiction

PASSED, FAILED, WRONG = Result.PASSED, Result.FAILED, Result.WRONG


def play(results: list[Result], *, rise: int = 2, fall: int = 3, start: State = "unknown") -> list[State]:
    """The states that these results lead through; the time is their number."""
    health, states = Health(state=start), []
    for now, result in enumerate(results, 1):
        health = after(health, result, "saw it", rise=rise, fall=fall, now=now)
        states.append(health.state)
    return states


def test_the_first_result_decides() -> None:
    assert play([PASSED]) == ["up"]
    assert play([FAILED]) == ["down"]
    assert play([WRONG]) == ["down"]


def test_an_endpoint_goes_down_after_fall_failures_in_a_row() -> None:
    assert play([FAILED, FAILED, FAILED], start="up") == ["up", "up", "down"]
    assert play([FAILED, FAILED, PASSED, FAILED, FAILED, FAILED], start="up")[-2:] == ["up", "down"]


def test_an_endpoint_comes_up_after_rise_passes_in_a_row() -> None:
    assert play([PASSED, PASSED], start="down") == ["down", "up"]
    assert play([PASSED, FAILED, PASSED, PASSED], start="down") == ["down", "down", "down", "up"]


def test_a_wrong_server_is_down_at_once() -> None:
    assert play([WRONG], start="up", fall=100) == ["down"]


def test_a_wrong_server_that_becomes_right_has_to_rise() -> None:
    assert play([PASSED, WRONG, PASSED, PASSED], start="down") == ["down", "down", "down", "up"]


@pytest.mark.parametrize(("rise", "fall"), [(1, 1), (2, 3), (5, 1)])
def test_no_sequence_turns_a_state_faster_than_its_threshold(rise: int, fall: int) -> None:
    for results in itertools.product([PASSED, FAILED], repeat=8):
        states = ["up", *play(list(results), rise=rise, fall=fall, start="up")]
        for place in range(1, len(states)):
            if states[place] != states[place - 1]:
                needed, result = (fall, FAILED) if states[place] == "down" else (rise, PASSED)
                assert results[place - needed : place] == (result,) * needed


def test_the_time_of_the_last_change_is_kept() -> None:
    up = after(Health(), PASSED, "GET /ready answers 200", rise=2, fall=3, now=10.0)
    assert (up.since, up.reason) == (10.0, "GET /ready answers 200")
    still = after(up, FAILED, "GET /ready answers 503", rise=2, fall=3, now=12.0)
    assert (still.since, still.reason) == (10.0, "GET /ready answers 503 (1 of 3 before it counts as down)")


def test_a_verdict_says_how_often_it_was_seen() -> None:
    health = Health(state="up", against=2)
    assert after(health, FAILED, "no answer", rise=2, fall=3, now=1.0).reason == "no answer (3 in a row)"


V2 = (("model_name", "churn"), ("model_version", "v2"))
PATH = "/v2/models/churn/versions/v2"


def test_a_server_that_claims_what_the_file_expects_is_right() -> None:
    assert contradiction(V2, {"name": "churn", "versions": ["v1", "v2"]}, "/v2/models/churn") is None


def test_a_server_of_another_version_is_told_apart() -> None:
    said = contradiction(V2, {"name": "churn", "versions": ["v1", "v3"]}, PATH)
    assert said == "it claims model_version v1 or v3, where the file expects v2"


def test_a_server_of_another_model_is_told_apart() -> None:
    assert contradiction(V2, {"name": "fraud"}, PATH) == "it claims model_name fraud, where the file expects churn"


def test_a_server_that_lists_no_versions_is_believed_by_the_path_that_answered() -> None:
    assert contradiction(V2, {"name": "churn", "versions": []}, PATH) is None
    said = contradiction(V2, {"name": "churn", "versions": []}, "/v2/models/churn")
    assert said == "its metadata says nothing of model_version, where the file expects v2"


def test_any_field_can_be_expected_by_its_own_name() -> None:
    assert contradiction((("build", "7"),), {"build": 7}, "/about") is None
    assert contradiction((("build", "7"),), {"build": 8}, "/about") == "it claims build 8, where the file expects 7"
    assert contradiction((("model_version", "v2"),), {"model_version": "v2"}, "/about") is None


@pytest.mark.parametrize("metadata", [None, [], "v2", 2])
def test_metadata_that_is_no_object_proves_nothing(metadata: object) -> None:
    assert contradiction(V2, metadata, PATH) == "its metadata is no JSON object"
