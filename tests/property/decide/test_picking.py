"""The one function for all rules of a route chooses what their conditions choose, tried one after the other."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from stepdown.decide.conditions import Conditions
from stepdown.decide.digests import Digests
from stepdown.decide.picking import picker
from stepdown.decide.when import HostIs, When
from tests.kit.whens import PLAIN, Asked
from tests.property.decide.test_conditions import LISTS, SEGMENTS, oracle, requests, trees

HOSTS = st.sampled_from([HostIs(("h",)), HostIs(("*.h", "g"))])


@settings(max_examples=300, deadline=None)
@given(st.lists(trees | HOSTS, max_size=6), requests())
def test_the_first_rule_that_holds_is_picked(rules: list[When], asked: Asked) -> None:
    conditions = Conditions(SEGMENTS, Digests(), LISTS)
    compiled = [(one, conditions.condition(one), number) for number, one in enumerate(rules)]
    pick = picker(compiled, conditions, views=True)
    view = asked.view(PLAIN)
    expected = next((number for _, condition, number in compiled if condition.holds(view)), None)
    assert pick(view) == expected
    for one in rules[:expected]:
        assert isinstance(one, HostIs) or not oracle(one, asked)
