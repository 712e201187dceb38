"""The one function for all rules of a route chooses what their conditions choose, tried one after the other."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from stepdown.decide.conditions import Conditions
from stepdown.decide.digests import Digests
from stepdown.decide.inputs import inputs_of
from stepdown.decide.picking import picker
from stepdown.decide.when import FieldIs, HostIs, When
from tests.kit.whens import PLAIN, Asked
from tests.property.decide.test_conditions import LISTS, SEGMENTS, oracle, requests, trees, words

HOSTS = st.sampled_from([HostIs(("h",)), HostIs(("*.h", "g"))])
ONE_OF = st.lists(words, min_size=1, max_size=3).map(tuple)
COMPARED = st.one_of(
    st.builds(lambda value: FieldIs(source="header", name="x", equals=value), words),
    st.builds(lambda values: FieldIs(source="header", name="x", any_of=values), ONE_OF),
)
"""What neighbours have to be for a dictionary."""


@settings(max_examples=300, deadline=None)
@given(st.lists(trees | HOSTS, max_size=6), requests())
def test_the_first_rule_that_holds_is_picked(rules: list[When], asked: Asked) -> None:
    _check(rules, asked)


@settings(max_examples=300, deadline=None)
@given(st.lists(COMPARED | COMPARED | COMPARED | trees, min_size=3, max_size=9), requests())
def test_the_first_of_neighbours_that_compare_one_header_is_picked(rules: list[When], asked: Asked) -> None:
    _check(rules, asked)


def _check(rules: list[When], asked: Asked) -> None:
    """The function for views against closures and an oracle; and the one for heads, where a head is enough."""
    conditions = Conditions(SEGMENTS, Digests(), LISTS)
    compiled = [(one, conditions.condition(one), number) for number, one in enumerate(rules)]
    view = asked.view(PLAIN)
    expected = next((number for _, condition, number in compiled if condition.holds(view)), None)
    assert picker(compiled, conditions, views=True)(view, asked.client) == expected
    for one in rules[:expected]:
        assert isinstance(one, HostIs) or not oracle(one, asked)
    if not inputs_of(rules, conditions.segments).view_to_pick:
        assert picker(compiled, conditions, views=False)(asked.head, asked.client) == expected
