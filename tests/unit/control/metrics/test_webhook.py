"""A webhook's answer: what a pointer finds in it, and what of that is a number or counts."""

from __future__ import annotations

import json
from typing import Any

import pytest
from yarl import URL

from stepdown.control.metrics.asking import Inconclusive
from stepdown.control.metrics.webhook import Hook, Webhook
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


def counted(document: Any) -> Counted | Inconclusive:
    with servers(serve(answer(json.dumps(document)))) as running:
        return running.ask(lambda asker: Webhook(asker, Hook(running.urls[0], pointer="/counts")).counts(TOLD))


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


@pytest.mark.parametrize("sides", [
    None, {}, {"candidate": SIDES["candidate"]}, SIDES | {"stable": {"events": 1.5, "trials": 3}},
    SIDES | {"stable": {"events": 4, "trials": 3}}, SIDES | {"candidate": {"events": -1, "trials": 3}},
    SIDES | {"candidate": {"events": "1", "trials": 3}}, SIDES | {"candidate": {"events": 0, "trials": 10**30}},
])  # fmt: skip
def test_what_are_no_counts_is_inconclusive(sides: Any) -> None:
    assert isinstance(counted({"counts": sides}), Inconclusive)


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
