"""Conditions put together: segments, what failed, what they read, and what is recalled."""

from __future__ import annotations

import pytest

from stepdown.decide import spec
from stepdown.decide.conditions import Conditions
from stepdown.decide.digests import Digests
from stepdown.decide.inputs import inputs_of
from stepdown.decide.sentences import sentence_of
from stepdown.decide.when import (
    All,
    Any,
    ClientIn,
    FieldIs,
    FlagIs,
    InSegment,
    KeyIn,
    KeyList,
    MethodIs,
    Not,
    Percent,
    PinIs,
    Segment,
    TimeIn,
    When,
)
from tests.kit.request import Request
from tests.kit.whens import PLAIN, Asked, a_route, compiled, holds

A = FieldIs(source="header", name="a", exists=True)
B = FieldIs(source="header", name="b", exists=True)
POST = MethodIs(("POST",))
BETA = Segment("beta", Any((A, InSegment("staff"))))
STAFF = Segment("staff", B)


def with_fields(*names: str) -> Asked:
    return Asked(head=Request(fields={name.encode(): b"1" for name in names}))


def test_a_segment_is_its_condition_by_name_wherever_it_is_named() -> None:
    segments = (BETA, STAFF)
    assert holds(InSegment("beta"), with_fields("a"), segments=segments)
    assert holds(InSegment("beta"), with_fields("b"), segments=segments)
    assert not holds(InSegment("beta"), with_fields(), segments=segments)
    assert holds(Not(InSegment("staff")), with_fields("a"), segments=segments)


def test_a_segment_that_is_missing_or_leads_back_to_itself_is_an_error_when_compiled() -> None:
    with pytest.raises(LookupError, match="there is no segment staff"):
        Conditions((BETA,), Digests())
    with pytest.raises(ValueError, match="beta -> staff -> beta"):
        Conditions((BETA, Segment("staff", Not(InSegment("beta")))), Digests())


@pytest.mark.parametrize(
    ("when", "failed"),
    [
        (All((POST, A, B)), "header b is present"),
        (All((POST, All((A, B)))), "header b is present"),
        (All((POST, Any((B, Not(A))))), "header b is present or not (header a is present)"),
        (Not(A), "not (header a is present)"),
        (InSegment("staff"), "the request is in segment staff (header b is present)"),
        (Not(All((POST, A))), "not (the method is POST and header a is present)"),
    ],
)
def test_what_failed_is_the_leaf_that_was_not_met(when: When, failed: str) -> None:
    condition = compiled(when, (STAFF,))
    assert condition.failed(with_fields("a").view(PLAIN)) == failed


def test_alternatives_in_a_sentence_are_told_from_what_has_to_hold_together() -> None:
    assert (
        sentence_of(All((POST, Any((A, B))))) == "the method is POST and (header a is present or header b is present)"
    )
    assert (
        sentence_of(Any((POST, All((A, B))))) == "the method is POST or (header a is present and header b is present)"
    )
    assert sentence_of(All((POST, Any((A,))))) == "the method is POST and header a is present"
    assert sentence_of(All()) == "always"


IDS = KeyIn(KeyList("ids.txt", "d"))


@pytest.mark.parametrize(
    ("when", "headers", "view", "recallable"),
    [
        (A, {"a"}, False, True),
        (All((POST, Not(B))), {"b"}, False, True),
        (FieldIs(source="cookie", name="c", equals="1"), {"cookie"}, False, True),
        (FieldIs(source="query", name="q", equals="1"), set(), False, True),
        (FieldIs(source="param", name="p", equals="1"), set(), True, True),
        (FieldIs(source="json", name="/j", equals="1"), set(), True, False),
        (ClientIn(("10.0.0.0/8",)), set(), True, True),
        (PinIs(semver="1"), set(), True, True),
        (Percent(0.5, "s"), set(), True, True),
        (IDS, set(), True, True),
        (TimeIn(since=1), set(), True, False),
        (FlagIs(flag="f"), set(), True, False),
        (Any((A, InSegment("when"))), {"a"}, True, False),
    ],
)
def test_a_condition_says_what_it_reads(when: When, headers: set[str], view: bool, recallable: bool) -> None:
    inputs = inputs_of([when], {"when": TimeIn(since=1)})
    assert (inputs.headers, inputs.view, inputs.recallable) == (headers, view, recallable)


def rule(when: When) -> spec.Rule:
    return spec.Rule(name="some", split=(("2.0.0", 1),), when=when)


def test_a_route_settles_nothing_that_depends_on_more_than_its_head() -> None:
    head = Request(path=b"/m/churn/infer")

    def settles(when: When) -> bool:
        route = a_route(rule(when))
        return route.settle(route.view(head, (b"churn",), None, "", 0.0), (b"churn",), "") is not None

    assert settles(A)
    assert settles(ClientIn(("10.0.0.0/8",)))
    assert not settles(TimeIn(since=1))
    assert not settles(FieldIs(source="json", name="/j", equals="1"))


def test_the_fields_of_the_key_decide_where_a_condition_reads_the_key() -> None:
    assert b"x-user-id" not in a_route(rule(A)).deciding
    assert b"x-user-id" in a_route(rule(Percent(0.5, "s"))).deciding
    by_cookie = a_route(rule(Percent(0.5, "s")), key=(spec.KeySource(cookie="uid"), spec.KeySource(client_ip=True)))
    assert by_cookie.deciding >= {b"cookie"}


def test_a_route_needs_a_body_for_a_condition_on_it_and_for_nothing_else_of_a_condition() -> None:
    assert a_route(rule(FieldIs(source="json", name="/j", equals="1"))).needs_body
    assert not a_route(rule(Percent(0.5, "s"))).needs_body


def test_an_explanation_says_which_leaf_of_which_rule_was_not_met() -> None:
    route = a_route(rule(All((POST, FieldIs(source="json", name="/tier", equals="gold"), A))))
    head = Request(path=b"/m/churn/infer", fields={b"a": b"1"})

    def told(body: bytes) -> tuple[str | None, tuple[str, ...]]:
        view = route.view(head, (b"churn",), body, "10.0.0.1", 0.0)
        explanation = route.explain(view, (b"churn",), body, "10.0.0.1", [True, True], lambda *_: 0)
        return explanation.rule, explanation.passed_over

    assert told(b'{"tier": "gold"}') == ("some", ())
    assert told(b'{"tier": "tin"}') == ("everyone", ("some: wants that body field /tier is 'gold'",))
