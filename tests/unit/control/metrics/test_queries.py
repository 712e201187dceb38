"""Templates of PromQL: what is filled in, and what of a counter is asked for."""

from __future__ import annotations

from stepdown.control.metrics.queries import filled, growth_of, of_counters, unknown_placeholders


def test_version_arm_and_time_are_filled_in_and_single_braces_are_left() -> None:
    template = 'sum(increase(clicks{version="{{version}}",arm="{{ arm }}",x="{y}"}[{{since}}]))'
    found = filled(template, "candidate", "2.0.0", 136.2)
    assert found == 'sum(increase(clicks{version="2.0.0",arm="candidate",x="{y}"}[136200ms]))'


def test_a_stage_that_has_just_begun_is_a_millisecond_long() -> None:
    assert filled("[{{since}}]", "stable", "1.0.0", 0.0) == filled("[{{since}}]", "stable", "1.0.0", -5.0) == "[1ms]"


def test_what_is_unknown_is_left_and_named() -> None:
    assert filled("{{model}}", "stable", "1.0.0", 1.0) == "{{model}}"
    assert unknown_placeholders("{{version}} {{ model }} {{since}} {{}}") == ("model", "")


def test_a_counter_is_compared_with_what_it_was_before_the_stage() -> None:
    found = filled(growth_of("c"), "stable", "1.0.0", 90.0)
    assert found.startswith("sum((last_over_time(c[90000ms]) - last_over_time(c[1h] offset 90000ms) >= 0 or ")
    assert unknown_placeholders(growth_of("c")) == ()


def test_that_trials_are_fresh_and_reach_back_is_asked_too() -> None:
    queries = of_counters("clicks", 'shown{version="{{version}}"}')
    assert queries.known == 'count(last_over_time(shown{version="{{version}}"}[1h] offset {{since}}))'
    assert queries.fresh == 'max(timestamp(shown{version="{{version}}"}))'
    assert unknown_placeholders("".join(queries)) == ()
