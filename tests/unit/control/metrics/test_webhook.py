"""A webhook's answer: what a pointer finds in it, and what of that is a number or counts."""

from __future__ import annotations

import json
from typing import Any

import pytest
from yarl import URL

from stepdown.control.metrics.asking import Inconclusive
from stepdown.control.metrics.webhook import Hook, Webhook
from stepdown.decide.rollout_spec import PerArm
from stepdown.rollout.counts import Arms, Counted, Measurement
from tests.kit.metrics import NOW, Servers, answer, servers
from tests.kit.upstream import serve

TOLD = {"rollout": "churn-2", "candidate": "2.0.0", "stage": 1}
SIDES = {"candidate": {"events": 3, "trials": 90}, "stable": {"events": 5, "trials": 910}}


def measured(document: Any, pointer: str = "", *, as_is: bool = False, status: int = 200) -> Measurement:
    """What is measured where a hook answers this."""
    body = document if isinstance(document, str) else json.dumps(document)
    with servers(serve(answer(body, status))) as running:
        hook = Hook(running.urls[0], pointer=pointer)
        return running.ask(lambda asker: Webhook(asker, hook).measure(TOLD, NOW, as_is=as_is))


EVENTS = PerArm(candidate="/candidate/events", stable="/stable/events")
TRIALS = PerArm(candidate="/candidate/trials", stable="/stable/trials")


def counted(document: Any, events: PerArm = EVENTS, trials: PerArm = TRIALS) -> Counted | Inconclusive:
    with servers(serve(answer(json.dumps(document)))) as running:
        hook = Hook(running.urls[0], pointer="/counts")
        return running.ask(lambda asker: Webhook(asker, hook).counts(TOLD, events, trials))


@pytest.mark.parametrize(("document", "pointer", "value"), [
    (0.97, "", "0.97"), ({"data": {"rate": 3}}, "/data/rate", "3"), ({"a/b": {"m~n": [1, 2]}}, "/a~1b/m~0n/1", "2"),
    ({"": 1}, "/", "1"), ({"r": [0.5, 1]}, "/r", ("0.5", "1")), ({"r": "0.25"}, "/r", "0.25"), (True, "", "1"),
    ({"ok": False}, "/ok", "0"), ({"0": 7}, "/0", "7"),
])  # fmt: skip
def test_a_pointer_finds_a_number_or_a_list_of_them(document: Any, pointer: str, value: str | tuple[str, ...]) -> None:
    assert measured(document, pointer) == Measurement(at=NOW, value=value)


@pytest.mark.parametrize(("document", "pointer", "said"), [
    ({"rate": 1}, "/other", "the answer has nothing at /other"),
    ([1, 2], "/2", "the answer has nothing at /2"),
    ([1, 2], "/-1", "the answer has nothing at /-1"),
    ([1, 2], "/01", "the answer has nothing at /01"),
    ([1, 2], "/-", "the answer has nothing at /-"),
    ({"rate": 1}, "/rate/0", "the answer has nothing at /rate/0"),
    ({"rate": None}, "/rate", "where a number is asked for is null"),
    ({"rate": {}}, "/rate", "where a number is asked for is an object"),
    ({"rate": "high"}, "/rate", "where a number is asked for is a text"),
    ({"rate": [[1]]}, "/rate", "where a number is asked for is a list"),
    ({"rate": []}, "/rate", "the list is empty"),
    ({"rate": "NaN"}, "/rate", "the value is NaN"),
    ({"rate": "+Inf"}, "/rate", "the value is +Inf"),
    ({"rate": 10**1000}, "/rate", "where a number is asked for is a number of too many digits"),
    ('{"rate": NaN}', "/rate", "the answer is not JSON"),
    ("<html>", "", "the answer is not JSON"),
    ("", "", "the answer is not JSON"),
    ("[" * 200_000, "", "the answer is not JSON"),
])  # fmt: skip
def test_what_is_no_number_is_an_error_with_its_reason(document: Any, pointer: str, said: str) -> None:
    found = measured(document, pointer)
    assert (found.value, found.error.partition(": ")[2].partition(": ")[2] or found.error) != ("", "")
    assert found.value is None
    assert found.error.endswith(said)


@pytest.mark.parametrize(("document", "value"), [(None, None), ([], ()), ("NaN", "NaN"), (["+Inf", 1], ("+Inf", "1"))])
def test_conditions_that_deal_with_everything_themselves_get_it_as_it_is(document: Any, value: Any) -> None:
    found = measured(json.dumps(document), as_is=True)
    assert found == Measurement(at=NOW, value=value)


@pytest.mark.parametrize("status", [201, 204, 301, 404, 500])
def test_any_other_status_than_200_is_an_error(status: int) -> None:
    found = measured("1" if status != 204 else "", status=status)
    assert found.value is None
    assert str(status) in found.error


def test_counts_of_both_arms_are_read() -> None:
    assert counted({"counts": SIDES}) == Counted(
        events=Arms(candidate=3, stable=5), trials=Arms(candidate=90, stable=910)
    )


@pytest.mark.parametrize(("sides", "said"), [
    (None, "the answer has nothing at /candidate/events"), ({}, "the answer has nothing at /candidate/events"),
    ({"candidate": SIDES["candidate"]}, "the answer has nothing at /stable/events"),
    (SIDES | {"stable": {"events": 1.5, "trials": 3}}, "the value at /stable/events is 1.5, which is no count"),
    (SIDES | {"stable": {"events": 4, "trials": 3}}, "stable has 4 events among 3 trials"),
    (SIDES | {"candidate": {"events": -1, "trials": 3}}, "the value at /candidate/events is -1, which is no count"),
    (SIDES | {"candidate": {"events": "1", "trials": 3}},
     "where a count is asked for (/candidate/events) is a text"),
    (SIDES | {"candidate": {"events": True, "trials": 3}},
     "where a count is asked for (/candidate/events) is true or false"),
    (SIDES | {"candidate": {"events": 0, "trials": None}}, "where a count is asked for (/candidate/trials) is null"),
    (SIDES | {"candidate": {"events": 0, "trials": 10**30}}, "which is no count"),
])  # fmt: skip
def test_what_are_no_counts_is_inconclusive_and_says_where(sides: Any, said: str) -> None:
    found = counted({"counts": sides})
    assert isinstance(found, Inconclusive)
    assert found.reason.endswith(said)


def test_counts_are_where_the_file_says_and_stable_need_not_be_asked_about() -> None:
    document = {"counts": {"v2": [3, 90.0], "v1": [5, 910]}}
    both = counted(document, PerArm(candidate="/v2/0", stable="/v1/0"), PerArm(candidate="/v2/1", stable="/v1/1"))
    assert both == Counted(events=Arms(candidate=3, stable=5), trials=Arms(candidate=90, stable=910))
    alone = counted(document, PerArm(candidate="/v2/0"), PerArm(candidate="/v2/1"))
    assert alone == Counted(events=Arms(candidate=3), trials=Arms(candidate=90))


def posted(running: Servers) -> tuple[bytes, Any, bytes | None]:
    (request,) = running.upstreams[0].requests
    return request.method, json.loads(request.body) if request.body else None, request.get(b"authorization")


@pytest.mark.parametrize(("method", "told"), [("POST", TOLD), ("GET", None)])
def test_a_hook_is_told_about_the_rollout_with_its_own_headers(method: Any, told: Any) -> None:
    with servers(serve(answer("1"))) as running:
        hook = Hook(running.urls[0] / "hook", method, {"Authorization": "Bearer s3cret"})
        assert running.ask(lambda asker: Webhook(asker, hook).measure(TOLD, NOW)).value == "1"
        assert posted(running) == (method.encode(), told, b"Bearer s3cret")
        assert "s3cret" not in repr(hook)


@pytest.mark.parametrize(("status", "value"), [
    (200, "1"), (201, "1"), (202, "1"), (203, "0"), (204, "0"), (302, "0"), (404, "0"), (500, "0"),
])  # fmt: skip
def test_by_flaggers_rule_200_to_202_pass_and_everything_else_fails(status: int, value: str) -> None:
    with servers(serve(answer("" if status == 204 else "<html>", status))) as running:
        hook = Hook(running.urls[0])
        assert running.ask(lambda asker: Webhook(asker, hook).passed(TOLD, NOW)) == Measurement(at=NOW, value=value)


def test_by_flaggers_rule_a_hook_that_is_not_there_fails() -> None:
    with servers(serve(answer("1"))) as running:
        running.upstreams[0].stop()
        hook = Hook(running.urls[0])
        assert running.ask(lambda asker: Webhook(asker, hook).passed(TOLD, NOW)).value == "0"
        running.upstreams[0].start()


def test_an_error_names_the_hook_without_its_secrets() -> None:
    with servers(serve(answer("{}", 500))) as running:
        port = running.urls[0].port
        hook = Hook(URL(f"http://user:s3cret@127.0.0.1:{port}/hook?key=s3cret"))
        found = running.ask(lambda asker: Webhook(asker, hook).measure(TOLD, NOW))
        assert found.error == f"http://127.0.0.1:{port}/hook: it answers 500"
