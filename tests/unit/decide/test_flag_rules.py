"""Feature flags in decisions: what targeting is told of a request, and rules that take their version from a flag."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stepdown.decide import spec
from stepdown.decide.choice import Choice
from stepdown.decide.flag_context import Reads, context_of, reads_of
from stepdown.decide.flag_spec import FlagRule, Flags, NamedFact
from stepdown.decide.flag_view import compiled_flags
from stepdown.decide.flags import Needs, compile_flags
from stepdown.decide.shadow_spec import Shadow
from stepdown.decide.snapshot import Route
from stepdown.decide.when import EVERYONE, All, FlagIs, Not
from tests.kit.request import Request, request
from tests.kit.whens import PLAIN, Asked, a_route

BY_PLAN = {"if": [{"==": [{"var": "header.x-plan"}, "beta"]}, "new", "old"]}
BY_KEY = {"fractional": [["new", 50], ["old", 50]]}


def flags(targeting: Any, state: str = "ENABLED", default: str | None = "old") -> Flags:
    """One flag with three variants, of which `odd` names no version."""
    flag = {"state": state, "variants": {"old": "a", "new": "b", "odd": "c"}, "defaultVariant": default}
    return Flags(document=json.dumps({"flags": {"model": flag | {"targeting": targeting}}}))


def ruled(asked: Flags, *, default: str = "1.0.0", **options: Any) -> Route:
    """A route whose first rule, which is for everyone, takes its version from the flag."""
    rule = FlagRule(flag="model", versions=(("old", "1.0.0"), ("new", "2.0.0")), default=default)
    split = tuple((version, int(version == default)) for version in ("1.0.0", "2.0.0"))
    made = spec.Rule(name="flagged", split=split, flag=rule)
    return a_route(made, flags=asked, **options)


def chosen(route: Route, head: Request, ready: tuple[bool, bool] = (True, True)) -> Choice:
    asked = Asked(head=head).view(route)
    return route.choose(asked, (b"churn",), None, "10.0.0.7", ready, lambda: 0)


def of(path: str = "/m/churn/infer", **headers: str) -> Request:
    return request(path, **headers)


def context(*paths: str, asked: Asked | None = None) -> Any:
    reads = reads_of(Needs(frozenset(paths)))
    return context_of(reads)((asked or Asked()).view(PLAIN))


# --- the context ----------------------------------------------------------------------------------------------------


def test_targeting_is_told_what_it_reads_and_no_more() -> None:
    fields = {b"x-user-id": b"u1", b"x-plan": b"beta", b"cookie": b"uid=7; t=1"}
    head = Request(b"PUT", b"/m/churn/infer", b"b=x%20y&c", b"A.example:80", fields)
    asked = Asked(head=head)
    assert context("targetingKey", "method", "path", "host", "client", asked=asked) == {
        "targetingKey": "u1",
        "method": "PUT",
        "path": "/m/churn/infer",
        "host": "a.example",
        "client": "10.0.0.7",
    }
    named = context("header.X-Plan", "header.absent", "query.b", "query.c", "cookie.uid", "param.model", asked=asked)
    assert named == {
        "header": {"X-Plan": "beta", "absent": None},
        "query": {"b": "x y", "c": ""},
        "cookie": {"uid": "7"},
        "param": {"model": "churn"},
    }
    assert context() == {}


def test_what_a_request_does_not_have_is_null() -> None:
    asked = ("targetingKey", "header.x", "query.x", "cookie.x", "param.x")
    nothing = {"x": None}
    assert context(*asked) == {
        "targetingKey": None, "header": nothing, "query": nothing, "cookie": nothing, "param": nothing
    }  # fmt: skip


def test_facts_may_have_names_of_their_own() -> None:
    named = (
        NamedFact("email", "header", "x-email"),
        NamedFact("plan", "cookie", "plan"),
        NamedFact("country", "query", "c"),
        NamedFact("tenant", "param", "model"),
    )
    asked = flags({"if": [{"ends_with": [{"var": "email"}, "@company.com"]}, "new", {"var": "plan"}]})
    route = ruled(Flags(document=asked.document, context=named))
    assert chosen(route, of(x_email="a@company.com")).assigned == "2.0.0"
    assert chosen(route, of(cookie="plan=new")).assigned == "2.0.0"
    assert chosen(route, of(x_email="a@example.com", cookie="plan=old")).assigned == "1.0.0"
    assert route.asking == {"x-email", "cookie"}
    reads = reads_of(Needs(frozenset({"country", "tenant", "email.0"})), named)
    assert reads.unknown == frozenset()
    head = Request(path=b"/m/churn/infer", query=b"c=de")
    made = context_of(reads)(Asked(head=head).view(PLAIN))
    assert made == {"country": "de", "tenant": "churn", "email": None}


def test_paths_that_lead_nowhere_and_computed_ones_are_known() -> None:
    reads = reads_of(Needs(frozenset({"email", "header", "user.plan", "header.a.0"}), time=True))
    assert reads == Reads(headers=frozenset("a"), unknown=frozenset({"email", "header", "user.plan"}), clock=True)
    computed = reads_of(Needs(frozenset(), everything=True))
    assert computed.everything
    assert computed.names == {"targetingKey", "method", "path", "host", "client"}


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=30), st.binary(max_size=30), st.binary(max_size=30))
def test_no_bytes_of_a_request_make_a_flag_fail(header: bytes, query: bytes, cookie: bytes) -> None:
    head = Request(path=b"/m/churn/infer", query=query, fields={b"x-user-id": header, b"cookie": b"c=" + cookie})
    parts = ["targetingKey", "header.x-user-id", "query.q", "cookie.c", "host", "path"]
    targeting = {"if": [{"in": ["x", {"cat": [{"var": part} for part in parts]}]}, "new", BY_KEY]}
    route = ruled(flags(targeting))
    assert chosen(route, head).assigned in {"1.0.0", "2.0.0"}
    told = explained(route, head).flags[0]
    assert (told.reason, told.error) != ("ERROR", "GENERAL")


# --- rules ----------------------------------------------------------------------------------------------------------


def explained(route: Route, head: Request) -> Any:
    view = Asked(head=head).view(route)
    return route.explain(view, (b"churn",), None, "10.0.0.7", (True, True), lambda: 0)


def test_a_variant_names_the_version_and_is_no_evidence() -> None:
    route = ruled(flags(BY_PLAN))
    new, old = chosen(route, of(x_plan="beta")), chosen(route, of())
    assert (new.assigned, new.served, new.reason, new.evidence) == ("2.0.0", "2.0.0", "flag", False)
    assert (old.assigned, old.served, old.reason, old.evidence) == ("1.0.0", "1.0.0", "flag", False)
    assert new.key_source == "none", "the flag does not read the key"


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        (flags({"if": [True, "odd"]}), "TARGETING_MATCH"),
        (flags(BY_PLAN, state="DISABLED"), "DISABLED"),
        (flags({"if": [False, "new"]}, default=None), "DEFAULT"),
        (flags({"/": [1, 0]}), "ERROR"),
        (flags({"no_such_operator": 1}), "ERROR"),
        (Flags(document='{"flags": {}}'), "ERROR"),
    ],
    ids=["a variant without a version", "off", "no default variant", "an error", "an unknown operator", "no such flag"],
)
def test_what_names_no_version_takes_the_default_and_says_why(asked: Flags, reason: str) -> None:
    route = ruled(asked)
    choice = chosen(route, of(x_plan="beta"))
    assert (choice.assigned, choice.reason) == ("1.0.0", "flag")
    told = explained(route, of(x_plan="beta"))
    assert [(one.flag, one.reason) for one in told.flags] == [("model", reason)]
    assert (told.by_flag, told.flag_default, told.served) == ("model", "1.0.0", "1.0.0")


def test_an_explanation_tells_what_the_flag_said_and_whose_key_it_read() -> None:
    route = ruled(flags(BY_KEY))
    users = {chosen(route, of(x_user_id=f"u{number}")).assigned: f"u{number}" for number in range(40)}
    told = "\n".join(explained(route, of(x_user_id=users["2.0.0"])).sentences())
    assert "Flag model says new (TARGETING_MATCH)." in told
    assert "its version comes from flag model (old is 1.0.0, new is 2.0.0, else 1.0.0)" in told
    assert f"The key, which the flag reads, is '{users['2.0.0']}' from header:x-user-id." in told
    assert "Served by 2.0.0, because the flag gave it the request." in told
    assert "would not count as evidence" in told
    broken = "\n".join(explained(ruled(flags({"/": [1, 0]})), of()).sentences())
    assert "Flag model says nothing of its own (ERROR, GENERAL: ZeroDivisionError" in broken


def test_the_key_of_the_route_is_the_targeting_key() -> None:
    asked = flags(BY_KEY)
    route, alone = ruled(asked), compile_flags(asked.document)
    for number in range(50):
        key = f"user-{number}"
        variant = alone.evaluate("model", {"targetingKey": key}, now=0).variant
        choice = chosen(route, of(x_user_id=key))
        assert choice.assigned == {"old": "1.0.0", "new": "2.0.0"}[variant or ""]
        assert choice.key_source == "header:x-user-id"
    assert chosen(route, of()).key_source == "none"


def test_a_version_that_is_down_gives_way_to_the_default_and_is_charged() -> None:
    route = ruled(flags(BY_PLAN))
    choice = chosen(route, of(x_plan="beta"), ready=(True, False))
    assert (choice.assigned, choice.served, choice.reason, choice.evidence) == ("2.0.0", "1.0.0", "unhealthy", False)
    choice = chosen(route, of(), ready=(False, True))
    assert (choice.assigned, choice.served, choice.reason, choice.evidence) == ("1.0.0", "2.0.0", "unhealthy", False)


def test_a_flag_moves_servers_and_never_shapes() -> None:
    for default in ("1.0.0", "2.0.0"):
        route = ruled(flags(BY_PLAN), default=default)
        choices = [chosen(route, of(x_model_version="*", x_plan=plan)) for plan in ("beta", "basic")]
        assert [(one.pinned, one.served) for one in choices] == [("1.0.0", "2.0.0"), ("1.0.0", "1.0.0")]
    route = ruled(flags(BY_PLAN))
    forced = chosen(route, of(x_model_version="2.0.0"))
    assert (forced.pinned, forced.assigned, forced.served, forced.reason) == ("2.0.0", "1.0.0", "2.0.0", "pin-forced")


def test_a_route_knows_that_flags_decide_for_it() -> None:
    route = ruled(
        flags({"if": [{">": [{"var": "$flagd.timestamp"}, 5]}, {"var": "header.X-Plan"}, {"var": "cookie.c"}]})
    )
    assert route.needs_view
    assert not route.recallable
    assert route.reads_clock
    assert route.asking == {"x-plan", "cookie"}, "which shared caches have to be told"
    assert route.settle(of(), (b"churn",), "") is None
    assert "x-user-id" in ruled(flags(BY_KEY)).asking
    assert not PLAIN.needs_view


def test_a_route_asks_flags_where_a_rule_or_a_condition_does_and_not_where_only_a_shadow_does() -> None:
    asked = FlagIs(flag="model", variant="new")
    by_condition = spec.Rule(name="beta", when=asked, split=(("2.0.0", 1),))
    nested = spec.Rule(name="beta", when=All(tests=(EVERYONE, Not(test=asked))), split=(("2.0.0", 1),))
    for route in (ruled(flags(BY_PLAN)), *(a_route(rule, flags=flags(BY_PLAN)) for rule in (by_condition, nested))):
        assert route.asks_flags
    copied = a_route(flags=flags(BY_PLAN), shadows=(Shadow(name="s", version="2.0.0", when=asked),))
    assert copied.needs_view
    assert not copied.asks_flags
    assert not PLAIN.asks_flags


def test_a_condition_asks_the_flags_of_the_snapshot() -> None:
    rule = spec.Rule(name="beta", when=FlagIs(flag="model", variant="new"), split=(("2.0.0", 1),))
    route = a_route(rule, flags=flags(BY_PLAN))
    assert chosen(route, of(x_plan="beta")).rule == "beta"
    assert chosen(route, of()).rule == "everyone"


def test_flags_of_a_specification_are_evaluated_by_the_generation_that_it_names() -> None:
    shares = {}
    for generation in (1, 2, 3):
        route = ruled(Flags(document=flags(BY_KEY).document, fractional=generation))
        shares[generation] = [chosen(route, of(x_user_id=f"u{number}")).assigned for number in range(64)]
    assert len({tuple(users) for users in shares.values()}) == 3
    assert compiled_flags(None).flags.names == frozenset()


def test_a_visitor_whose_key_stepdown_sets_keeps_the_version() -> None:
    cookie = spec.SetCookie(secrets=("a-secret-of-some-length",), ttl=1000)
    route = ruled(flags(BY_KEY), key=(spec.KeySource(cookie="uid", set_cookie=cookie),))
    for number in range(8):
        visitor = route.visitor(of(), None, "", 0.0, lambda number=number: bytes([number]) * 16)  # type: ignore[misc]
        assert visitor is not None
        view = route.view(of(), (b"churn",), None, "", 0.0, visitor)
        first = route.choose(view, (b"churn",), None, "", (True, True), lambda: 0, visitor)
        line = route.set_cookie(visitor, first, 0.0)
        assert line, "without it the next request would be another visitor's"
        back = of(cookie=line.decode().removeprefix("set-cookie: ").partition(";")[0])
        known = route.visitor(back, None, "", 1.0, lambda: b"")
        view = route.view(back, (b"churn",), None, "", 1.0, known)
        assert route.choose(view, (b"churn",), None, "", (True, True), lambda: 0, known).assigned == first.assigned
