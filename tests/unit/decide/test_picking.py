"""Picking a rule: what is read of a request, and how often."""

from __future__ import annotations

from dataclasses import dataclass, field

from stepdown.decide.conditions import Conditions
from stepdown.decide.digests import Digests
from stepdown.decide.picking import picker
from stepdown.decide.when import All, Any, ClientIn, FieldIs, InSegment, Segment, When
from tests.kit.request import Request


@dataclass
class Watched(Request):
    """A request that notes which fields are asked for."""

    asked: list[bytes] = field(default_factory=list)

    def get(self, name: bytes, /) -> bytes | None:
        self.asked.append(name)
        return super().get(name)


def header(name: str, value: str) -> FieldIs:
    return FieldIs(source="header", name=name, equals=value)


def asked_for(*rules: When, client: str = "10.0.0.7", segments: tuple[Segment, ...] = (), **fields: str) -> list[str]:
    """Names of the fields that picking among these rules asks for; the result's place is the last item."""
    conditions = Conditions(segments, Digests())
    numbered = [(one, conditions.condition(one), place) for place, one in enumerate(rules)]
    head = Watched(fields={name.encode(): value.encode() for name, value in fields.items()})
    picked = picker(numbered, conditions, views=False)(head, client)
    return [*(name.decode() for name in head.asked), str(picked)]


A, B, C = header("a", "1"), header("b", "1"), header("c", "1")


def test_a_field_is_read_once_for_all_rules() -> None:
    assert asked_for(A, header("a", "2"), All((header("a", "3"), B)), header("a", "4"), a="4") == ["a", "3"]


def test_no_field_is_read_before_it_is_needed() -> None:
    assert asked_for(A, B, C, a="1") == ["a", "0"]
    assert asked_for(A, All((B, C)), a="2", b="2", c="1") == ["a", "b", "None"]


def test_a_field_is_read_where_an_earlier_test_may_have_been_left_out() -> None:
    assert asked_for(Any((A, B)), All((C, B)), B, a="2", b="3", c="2") == ["a", "b", "c", "b", "None"]


def test_neighbours_that_compare_one_field_are_one_look_up_and_the_first_of_equals_counts() -> None:
    plans = [header("plan", f"plan-{number % 50}") for number in range(100)]
    assert asked_for(*plans, plan="plan-7") == ["plan", "7"]
    assert asked_for(*plans, plan="another") == ["plan", "None"]
    assert asked_for(*plans) == ["plan", "None"]


def test_segments_and_addresses_need_no_more_than_a_head_and_an_address() -> None:
    office = Segment("office", ClientIn(("10.0.0.0/8",)))
    nested = Segment("nested", All((InSegment("office"), A)))
    rules = (InSegment("nested"), ClientIn(("192.0.2.0/24",)))
    assert asked_for(*rules, segments=(office, nested), a="1")[-1] == "0"
    assert asked_for(*rules, segments=(office, nested), a="2")[-1] == "None"
    assert asked_for(*rules, segments=(office, nested), client="192.0.2.1", a="1")[-1] == "1"


def test_rules_that_are_alike_but_for_their_constants_have_their_own() -> None:
    conditions = Conditions((), Digests())
    picks = [
        picker([(one, conditions.condition(one), value)], conditions, views=False)
        for value in ("gold", "basic")
        for one in [header("plan", value)]
    ]
    for _ in range(100):  # so often that the interpreter has noted what it found
        assert [pick(Request(fields={b"plan": b"basic"}), "") for pick in picks] == [None, "basic"]
        assert [pick(Request(fields={b"plan": b"gold"}), "") for pick in picks] == ["gold", None]
