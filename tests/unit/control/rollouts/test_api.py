"""The admin API of rollouts, asked over HTTP about rollouts that the real walk has brought where they are."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import msgspec
import pytest

from stepdown.control import admin
from stepdown.control.rollouts.asking import RolloutRefusedError
from stepdown.decide.rollout_spec import Driven
from stepdown.rollout import events
from stepdown.rollout.members import RolloutView, VerdictView
from tests.kit.controller_state import Answer, Server, SetState, a_token, served
from tests.kit.rollouts import rollout
from tests.kit.walked import Walked

TOKENS = (a_token("grafana", "view", "look-only"), a_token("deploy", "operate", "s3cret"))
VIEW = {"Authorization": "Bearer look-only"}
OPERATE = {"Authorization": "Bearer s3cret"}
JSON = {"Content-Type": "application/json"}
ACTIONS = ["start", "pause", "resume", "promote", "abort", "undo"]


class Api:
    """An admin API over rollouts that a test walks."""

    def __init__(self, server: Server, rollouts: Walked) -> None:
        self.server, self.rollouts = server, rollouts

    def get(self, path: str, **options: Any) -> Any:
        answer = self.server.ask("GET", path, headers=VIEW, **options)
        assert answer.status == 200, answer.body
        return json.loads(answer.body)

    def post(self, action: str, body: Any = None, name: str = "churn-2") -> Answer:
        data = json.dumps(body) if body is not None else None
        return self.server.ask("POST", f"/v1/rollouts/{name}/{action}", headers=OPERATE | JSON, data=data)


@contextmanager
def serving(rollouts: Walked) -> Iterator[Api]:
    state = SetState(tokens=TOKENS, rollouts=rollouts)
    with served(lambda: admin.application(state)) as server:
        yield Api(server, rollouts)


@pytest.fixture
def api() -> Iterator[Api]:
    with serving(Walked(rollout(5, 25, 100), rollout(5, 100, name="other"))) as api:
        yield api


def refused(answer: Answer) -> tuple[int, str, str]:
    content = json.loads(answer.body)
    assert answer.headers["Content-Type"] == "application/problem+json; charset=utf-8"
    assert content["status"] == answer.status
    return answer.status, content["type"].removeprefix("urn:stepdown:problem:"), content["detail"]


# --- what they are like -----------------------------------------------------------------------------------------------


def test_all_rollouts_come_in_the_files_order_with_everything_about_them(api: Api) -> None:
    api.rollouts.one.started().sees(3)
    found = api.get("/v1/rollouts")
    assert [one["name"] for one in found["rollouts"]] == ["churn-2", "other"]
    assert [one["phase"] for one in found["rollouts"]] == ["stepping", "pending"]
    assert found["digest"] == SetState().digest
    assert set(found["rollouts"][0]) == set(RolloutView.__struct_fields__)


@pytest.mark.parametrize(
    "path", ["/v1/rollouts", "/v1/rollouts/churn-2", "/v1/rollouts/churn-2/verdict", "/v1/rollouts/churn-2/history"]
)
def test_nothing_is_said_before_states_were_read(path: str, api: Api) -> None:
    api.rollouts.unread = api.rollouts.one.started
    found = api.get(path)
    assert "stepping" in json.dumps(found)


@pytest.mark.parametrize("action", ACTIONS)
def test_nothing_is_done_before_states_were_read(action: str, api: Api) -> None:
    def learned() -> None:
        assert not api.rollouts.asked
        api.rollouts.one.started().sees(1)

    api.rollouts.unread = learned
    api.post(action)
    assert api.rollouts.unread is None
    assert len(api.rollouts.asked) == 1


def test_without_rollouts_there_are_none() -> None:
    with serving(Walked()) as api:
        assert api.get("/v1/rollouts")["rollouts"] == []
        assert refused(api.server.ask("GET", "/v1/rollouts/churn-2", headers=VIEW)) == (
            404,
            "not-found",
            "There is no rollout churn-2; there are: none.",
        )


def test_one_rollout_is_what_its_position_says(api: Api) -> None:
    api.rollouts.one.started().sees(10).sees(2)
    found = api.get("/v1/rollouts/churn-2")
    assert (found["step"], found["weight"], found["route"], found["rule"]) == (2, 25, "churn", "everyone")
    assert [step["state"] for step in found["ladder"]] == ["passed", "now", "to come"]
    assert found["estimate"] == {"requests": 0, "seconds": 480.0, "ladder_seconds": 1080.0, "rate": 100.0}
    assert found["waits_for"] == ["2 min of 10 min"]
    assert found["guards"][0]["interval"]["low"] < 1 < found["guards"][0]["interval"]["high"]
    assert found["store"] == {"state": "ok", "leads": True, "holder": "here"}


def test_the_salt_of_a_run_is_told_to_nobody() -> None:
    salt = "5a17" * 8
    driven = Driven(run=1, step=0, weight=5, stable="1.1.0", salt=salt)
    rollouts = Walked(msgspec.structs.replace(rollout(5, 100), driven=driven))
    rollouts.one.started().sees(2)
    with serving(rollouts) as api:
        for path in ("", "/churn-2", "/churn-2/verdict", "/churn-2/history"):
            assert salt.encode() not in api.server.ask("GET", f"/v1/rollouts{path}", headers=VIEW).body
        assert api.get("/v1/rollouts/churn-2")["applied"] == 5


@pytest.mark.parametrize("path", ["", "/verdict", "/history"])
def test_a_name_that_is_not_there_is_answered_with_those_that_are(api: Api, path: str) -> None:
    answer = api.server.ask("GET", f"/v1/rollouts/chrun{path}", headers=VIEW)
    assert refused(answer) == (404, "not-found", "There is no rollout chrun; there are: churn-2, other.")


# --- verdicts ---------------------------------------------------------------------------------------------------------


def test_a_verdict_is_of_the_step_unless_it_is_asked_of_something_else(api: Api) -> None:
    api.rollouts.one.started().sees(10).sees(2)
    whole, step = api.get("/v1/rollouts/churn-2/verdict"), api.get("/v1/rollouts/churn-2/verdict?of=1")
    assert set(whole) == set(VerdictView.__struct_fields__)
    assert (whole["outcome"], whole["score"], whole["of"]) == ("inconclusive", 0, "step")
    assert (step["outcome"], step["score"], step["of"]) == ("success", 1, "1")
    assert step["sentence"] == "step 1 of 3 (5 %) has passed"
    assert api.get("/v1/rollouts/churn-2/verdict?of=rollout")["outcome"] == "inconclusive"


@pytest.mark.parametrize(
    ("query", "detail"),
    [
        ("of=4", 'of: found "4"; allowed "step", "rollout" or a step from 1 to 3.'),
        ("of=%00", 'of: found "\0"; allowed "step", "rollout" or a step from 1 to 3.'),
        ("step=1", "step: found no such parameter; allowed of."),
        ("of=1&of=2", "of: found it more than once."),
    ],
)
def test_a_question_that_makes_no_sense_is_refused(api: Api, query: str, detail: str) -> None:
    answer = api.server.ask("GET", f"/v1/rollouts/churn-2/verdict?{query}", headers=VIEW)
    assert refused(answer) == (400, "bad-request", detail)


# --- history ----------------------------------------------------------------------------------------------------------


def test_the_history_comes_newest_first_and_page_by_page(api: Api) -> None:
    one = api.rollouts.one.started().sees(10)
    one.does(events.Paused, who="bob")
    one.does(events.Resumed, who="bob")
    first = api.get("/v1/rollouts/churn-2/history?limit=3")
    assert [each["number"] for each in first["transitions"]] == [4, 3, 2]
    assert first["transitions"][0]["sentence"] == "stepping at step 2 of 3 (25 %): by bob"
    assert first["transitions"][0]["at"] == one.now
    assert first["transitions"][0]["run"] == 1
    assert first["transitions"][0]["details"] == {"phase": "stepping"}
    rest = api.get(f"/v1/rollouts/churn-2/history?limit=3&before={first['next']}")
    assert [each["number"] for each in rest["transitions"]] == [1]
    assert rest["next"] is None


def test_a_page_that_ends_with_the_first_has_none_after_it(api: Api) -> None:
    api.rollouts.one.started().sees(10)
    assert api.get("/v1/rollouts/churn-2/history?limit=2")["next"] is None
    assert api.get("/v1/rollouts/other/history") == {"rollout": "other", "transitions": [], "next": None}


@pytest.mark.parametrize("query", ["before=x", "limit=0", "limit=-1", "before=1.5", "limit=²", "before=1" + "0" * 15])
def test_numbers_of_a_history_are_from_1(api: Api, query: str) -> None:
    name, _, value = query.partition("=")
    answer = api.server.ask("GET", f"/v1/rollouts/churn-2/history?{query}", headers=VIEW)
    assert refused(answer) == (400, "bad-request", f'{name}: found "{value}"; allowed a number from 1.')


def test_a_history_that_cannot_be_read_is_a_problem() -> None:
    class Lost(Walked):
        async def history(self, rollout: str, before: int | None, limit: int) -> Any:
            raise RolloutRefusedError(503, "store-unavailable", "The store does not answer.")

    with serving(Lost(rollout())) as api:
        answer = api.server.ask("GET", "/v1/rollouts/churn-2/history", headers=VIEW)
    assert refused(answer) == (503, "store-unavailable", "The store does not answer.")


# --- what is asked of them --------------------------------------------------------------------------------------------


def test_a_rollout_is_walked_by_hand(api: Api) -> None:
    done = json.loads(api.post("start").body)
    assert done == {
        "rollout": "churn-2",
        "action": "start",
        "moved": True,
        "sentence": "started with step 1 of 3 (5 %): by deploy",
        "phase": "stepping",
        "run": 1,
        "step": 1,
        "weight": 5,
    }
    assert json.loads(api.post("pause", {}).body)["phase"] == "paused"
    assert json.loads(api.post("resume").body)["phase"] == "stepping"
    aborted = json.loads(api.post("abort").body)
    assert (aborted["phase"], aborted["weight"]) == ("aborted", 0)
    assert json.loads(api.post("start").body)["run"] == 2
    assert json.loads(api.post("promote").body)["weight"] == 100
    assert [asked.by for asked in api.rollouts.asked] == ["deploy"] * 6


def test_what_changes_nothing_says_why_and_is_no_error(api: Api) -> None:
    answer = api.post("pause")
    done = json.loads(answer.body)
    assert (answer.status, done["moved"], done["sentence"]) == (200, False, "pause: not possible while pending")


def test_a_start_may_be_forced_and_nothing_else(api: Api) -> None:
    assert json.loads(api.post("start", {"force": True}).body)["moved"] is True
    assert api.rollouts.asked[-1].force is True
    for action in ACTIONS[1:]:
        assert refused(api.post(action, {"force": True})) == (
            400,
            "bad-request",
            f"Only a start can be forced, and this is to {action}.",
        )
    assert len(api.rollouts.asked) == 1


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ('{"forced": true}', "Object contains unknown field `forced`"),
        ('{"force": 1}', "Expected `bool`, got `int` - at `$.force`"),
        ("[]", "Expected `object`, got `array`"),
        ('{"force"', "Input data was truncated"),
    ],
)
def test_a_body_that_is_none_is_refused(api: Api, body: str, why: str) -> None:
    answer = api.server.ask("POST", "/v1/rollouts/churn-2/start", headers=OPERATE | JSON, data=body)
    assert refused(answer) == (400, "bad-request", f"The body is not what an action takes: {why}.")
    assert api.rollouts.asked == []


def test_what_cannot_be_asked_now_is_a_problem(api: Api) -> None:
    api.rollouts.refusal = RolloutRefusedError(503, "store-unavailable", "Nothing can be stored.")
    assert refused(api.post("start")) == (503, "store-unavailable", "Nothing can be stored.")


def test_of_a_rollout_that_is_not_there_nothing_can_be_asked(api: Api) -> None:
    detail = "There is no rollout chrun; there are: churn-2, other."
    assert refused(api.post("start", name="chrun")) == (404, "not-found", detail)
    assert api.rollouts.asked == []


def test_there_are_no_other_actions(api: Api) -> None:
    assert refused(api.post("delete"))[:2] == (404, "not-found")
    answer = api.server.ask("PUT", "/v1/rollouts/churn-2/start", headers=OPERATE | JSON)
    assert (refused(answer)[:2], answer.headers["Allow"]) == ((405, "method-not-allowed"), "POST")


@pytest.mark.parametrize("action", ACTIONS)
def test_every_action_takes_a_token_that_may_operate_and_json(api: Api, action: str) -> None:
    path = f"/v1/rollouts/churn-2/{action}"
    assert refused(api.server.ask("POST", path, headers=JSON))[0] == 401
    assert refused(api.server.ask("POST", path, headers=VIEW | JSON))[:2] == (403, "forbidden")
    assert refused(api.server.ask("POST", path, headers=OPERATE, data=b"force=1"))[0] == 415
    assert api.rollouts.asked == []


@pytest.mark.parametrize("path", ["", "/churn-2", "/churn-2/verdict", "/churn-2/history"])
def test_looking_takes_a_token_too(api: Api, path: str) -> None:
    assert refused(api.server.ask("GET", f"/v1/rollouts{path}"))[0] == 401


def test_every_action_is_logged_with_the_name_of_its_token(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "stepdown.control.rollouts.api"):
        api.post("start", {"force": True})
        api.post("pause", name="nobody")
    logged: list[tuple[str, Mapping[str, Any]]] = [
        (each.getMessage(), each.__dict__["fields"]) for each in caplog.records
    ]
    assert [(message, each["token"], each["rollout"], each["action"]) for message, each in logged] == [
        ("admin call: rollout", "deploy", "churn-2", "start"),
        ("rollout was asked", "deploy", "churn-2", "start"),
        ("admin call: rollout", "deploy", "nobody", "pause"),
    ]
    assert logged[0][1]["force"] is True
    assert logged[1][1]["sentence"] == "started with step 1 of 3 (5 %): by deploy"


def test_a_controller_that_drives_none_has_none() -> None:
    with served(lambda: admin.application(SetState(tokens=TOKENS, rollouts=Walked()))) as server:
        assert json.loads(server.ask("GET", "/v1/rollouts", headers=VIEW).body)["rollouts"] == []
        answer = server.ask("POST", "/v1/rollouts/churn-2/start", headers=OPERATE | JSON)
        assert refused(answer) == (404, "not-found", "There is no rollout churn-2; there are: none.")
