"""Templates of PromQL: what is filled in, what a counter is, and what of it is asked for."""

from __future__ import annotations

import pytest

from stepdown.decide.rollout_spec import PerArm
from stepdown.rollout.queries import PLACEHOLDERS, Place, filled, growth_of, is_countable, names, of_texts, queries_of

PLACE = Place("churn-2", 2, candidate="2.0.0", stable="1.1.0", since=1000.0)


def test_version_arm_and_time_are_filled_in_and_single_braces_are_left() -> None:
    template = 'sum(increase(clicks{version="{{version}}",arm="{{ arm }}",x="{y}"}[{{since}}]))'
    found = filled(template, PLACE.values(1136.2, "candidate"))
    assert found == 'sum(increase(clicks{version="2.0.0",arm="candidate",x="{y}"}[136200ms]))'
    assert filled("{{version}}", PLACE.values(1136.2, "stable")) == "1.1.0"


def test_a_query_of_the_whole_rollout_knows_both_versions_and_no_arm() -> None:
    template = "{{rollout}} {{step}} {{candidate}} {{stable}} {{arm}} {{version}}"
    assert filled(template, PLACE.values(1001.0)) == "churn-2 2 2.0.0 1.1.0 {{arm}} {{version}}"
    assert set(PLACE.values(0.0, "stable")) == PLACEHOLDERS


def test_a_stage_that_has_just_begun_is_a_millisecond_long() -> None:
    assert filled("[{{since}}]", PLACE.values(1000.0)) == filled("[{{since}}]", PLACE.values(995.0)) == "[1ms]"


def test_what_is_unknown_is_left_and_named() -> None:
    assert filled("{{model}}", PLACE.values(1001.0)) == "{{model}}"
    assert names("{{version}} {{ model }} {{since}} {{}}") == ("version", "model", "since", "")


def test_a_counter_is_compared_with_what_it_was_before_the_stage() -> None:
    found = filled(growth_of("c"), PLACE.values(1090.0))
    assert found.startswith("sum((last_over_time(c[90000ms]) - last_over_time(c[1h] offset 90000ms) >= 0 or ")
    assert set(names(growth_of("c"))) == {"since"}


def test_that_trials_are_fresh_and_reach_back_is_asked_too() -> None:
    queries = of_texts("clicks", 'shown{version="{{version}}"}')
    assert queries.known == 'count(last_over_time(shown{version="{{version}}"}[1h] offset {{since}}))'
    assert queries.fresh == 'max(timestamp(shown{version="{{version}}"}))'
    assert queries.events == growth_of("clicks")


def test_events_that_may_be_missing_end_with_zero() -> None:
    queries = of_texts("clicks{a='}'}  or  vector(0)", "shown or vector(0)")
    assert queries.events == growth_of("clicks{a='}'}") + " or vector(0)"
    assert (queries.trials, queries.fresh, queries.known) == (growth_of("shown") + " or vector(0)", "", "")


def test_a_query_of_ones_own_is_asked_as_it_is() -> None:
    own = "sum(increase(clicks[{{since}}]))"
    assert of_texts(own, own) == (own, own, "", "")


def test_stable_is_asked_whether_it_reaches_back_and_not_at_all_where_there_is_nothing_of_it() -> None:
    both = queries_of(PerArm(candidate="a", stable="b"), PerArm(candidate="c", stable="d"))
    assert {arm: (bool(each.fresh), bool(each.known)) for arm, each in both.items()} == {
        "candidate": (True, False),
        "stable": (True, True),
    }
    assert both["stable"].events == growth_of("b")
    assert list(queries_of(PerArm(candidate="a"), PerArm(candidate="c"))) == ["candidate"]


@pytest.mark.parametrize(("text", "countable"), [
    ("clicks_total", True), ("job:clicks:total", True), ('clicks{a="b",c=~"d|}"}', True), ('{__name__="clicks"}', True),
    ("clicks{v='{{version}}'}", True), ("clicks{a={{arm}}}", True), ("clicks or vector(0)", True), (" clicks ", True),
    ("sum(increase(clicks[{{ since }}]))", True), ("sum(clicks)", False), ("rate(clicks[5m])", False),
    ("clicks[5m]", False), ("clicks offset 5m", False), ("a + b", False), ("5", False), ("", False), ("clicks{", False),
])  # fmt: skip
def test_what_is_counted_is_a_counter_or_says_since_when(text: str, countable: bool) -> None:
    assert is_countable(text) is countable
