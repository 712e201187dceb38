"""Who gets copies during a warm-up, what counts of them, and when what is said."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from stepdown.decide.colours import Overlay, Switched, overlaid, places
from stepdown.decide.shadow_spec import Shadow
from stepdown.decide.snapshot import compile_snapshot
from stepdown.decide.spec import Chain, Colours, Rule, SnapshotSpec, WarmUp, decode, encode
from stepdown.decide.warming import (
    WARM_UP,
    Copies,
    State,
    WarmUpAsked,
    cooled,
    is_warming,
    judge,
    left,
    planned,
    warmed,
)
from stepdown.decide.when import EVERYONE, All, FieldIs, Not
from tests.kit.request import request
from tests.kit.specs import endpoint, model, route, snapshot, version

COLOURS = Colours(names=("blue", "green"), active="blue", declared="blue")
BETA = FieldIs(source="header", name="x-plan", equals="beta")
EU = FieldIs(source="header", name="x-region", equals="eu")
PLAN = WarmUp(percent=100.0, duration=60.0, timeout=300.0, min_copies=100, max_errors=0.01)


def a_spec(*before: Rule, when: object = EVERYONE) -> SnapshotSpec:
    """The route `r` between 1.0.0 (itself coloured) and 2.0.0, behind these rules; two routes without colours."""
    rule = Rule(name="all", split=(("1.0.0", 1), ("2.0.0", 0)), colours=COLOURS, when=when)  # type: ignore[arg-type]
    coloured = version("1.0.0", 1, idle=(endpoint(2),), colours=COLOURS)
    chains = (Chain(served="2.0.0", pinned="1.0.0", steps=()),)
    return snapshot(
        route({}, rules=(*before, rule)),
        route({"2.0.0": 1}, name="plain", shadows=(Shadow(name="mine", version="1.0.0"),)),
        replace(route({"1.0.0": 1}, name="other"), model="n"),
        models=[
            model(coloured, version("2.0.0", 3), chains=chains),
            replace(model(version("1.0.0", 4)), name="n"),
        ],
    )


def shadows(spec: SnapshotSpec) -> dict[str, list[str]]:
    return {one.name: [shadow.name for shadow in one.shadows] for one in spec.routes}


# --- what is copied -------------------------------------------------------------------------------------------------


def test_of_versions_the_other_one_gets_copies_on_the_route() -> None:
    spec = a_spec()
    made = warmed(spec, places(spec)["r"], "green", replace(PLAN, percent=20.0, deadline=3.0))
    assert shadows(made) == {"r": [WARM_UP], "plain": ["mine"], "other": []}
    (shadow,) = made.routes[0].shadows
    assert (shadow.version, shadow.percent, shadow.deadline, shadow.idle) == ("2.0.0", 20.0, 3.0, False)
    assert (shadow.when, shadow.examples.keep) == (EVERYONE, 0)
    assert decode(encode(made)) == made


def test_of_endpoints_the_idle_ones_get_copies_on_every_route_of_the_model() -> None:
    spec = a_spec()
    made = warmed(spec, places(spec)["m/1.0.0"], "green", PLAN)
    assert shadows(made) == {"r": [WARM_UP], "plain": ["mine", WARM_UP], "other": []}
    assert all(one.shadows[-1].idle and one.shadows[-1].version == "1.0.0" for one in made.routes[:2])


def test_copied_are_requests_that_the_rule_with_the_colours_gets() -> None:
    spec = a_spec(Rule(name="beta", when=BETA, split=(("1.0.0", 1),)), when=EU)
    made = warmed(spec, places(spec)["r"], "green", PLAN)
    assert made.routes[0].shadows[0].when == All(tests=(Not(test=BETA), EU))
    mirror = compile_snapshot(made).routes[0].mirror
    assert mirror is not None
    samplers = mirror.samplers(1)
    chosen = {
        (plan, region): bool(mirror.choose(request(x_plan=plan, x_region=region), "1.0.0", None, samplers).shadows)
        for plan in ("beta", "free")
        for region in ("eu", "us")
    }
    assert [who for who, copied in chosen.items() if copied] == [("free", "eu")]


def test_cooled_is_what_it_was_and_warmed_twice_is_warmed_once() -> None:
    spec = a_spec()
    place = places(spec)["m/1.0.0"]
    made = warmed(spec, place, "green", PLAN)
    assert cooled(made) == cooled(made, place.routes) == spec
    assert cooled(spec) is spec
    assert cooled(made, frozenset({"r"})).routes[1:] == made.routes[1:]
    assert cooled(made, frozenset({"other"})) is made
    assert warmed(made, place, "green", PLAN) == made
    assert [is_warming(one) for one in made.routes] == [True, True, False]


def test_a_warm_up_lives_through_a_switch_of_another_place() -> None:
    spec = a_spec()
    made = warmed(spec, places(spec)["r"], "green", PLAN)
    entry = Switched(colour="green", declared="blue", before="blue", by="ops", when=1)
    switched = overlaid(made, Overlay(switched={"m/1.0.0": entry}))
    assert switched != made
    assert shadows(switched) == shadows(made)


# --- what is wanted -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "declared", "plan"),
    [
        (None, None, None),
        (None, PLAN, PLAN),
        (False, PLAN, None),
        (True, None, WarmUp()),
        (True, PLAN, PLAN),
        (WarmUpAsked(duration=5.0), None, WarmUp(duration=5.0)),
        (WarmUpAsked(duration=5.0, max_errors=0.0), PLAN, replace(PLAN, duration=5.0, max_errors=0.0)),
    ],
    ids=range(7),
)
def test_what_was_asked_goes_over_what_the_file_says(asked: object, declared: WarmUp | None, plan: object) -> None:
    assert planned(asked, declared) == plan  # type: ignore[arg-type]


# --- what is said ---------------------------------------------------------------------------------------------------


def copies(answered: int, **failed: int) -> Copies:
    return Copies({"answered": answered, **failed})


@pytest.mark.parametrize(
    ("counted", "seconds", "state"),
    [
        (copies(1000), 59.9, State.GOES_ON),  # its time is not over
        (copies(0, error=1000), 59.9, State.GOES_ON),
        (copies(100), 60.0, State.WARM),
        (copies(99), 60.0, State.GOES_ON),  # too few, and there is time
        (copies(99), 299.9, State.GOES_ON),
        (copies(99), 300.0, State.NOT_WARM),
        (copies(99, timeout=1), 60.0, State.WARM),  # 1 %, which is allowed
        (copies(98, timeout=1, error=1), 60.0, State.NOT_WARM),
        (copies(0), 300.0, State.NOT_WARM),
    ],
    ids=range(9),
)
def test_nothing_is_said_before_its_time_and_before_enough_came(counted: Copies, seconds: float, state: State) -> None:
    assert judge(counted, PLAN, seconds).state is state


def test_why_it_is_not_warm_has_the_numbers() -> None:
    few = Copies({"answered": 30, "error": 3, "reset": 7}, skipped={"concurrent": 4})
    assert judge(few, PLAN, 300.25).why == (
        "40 copies were answered or failed within 300 s, and 100 are needed: not copied were 4 concurrent",
        "10 of 40 copies failed, which is 25 %, over 1 %: 7 reset, 3 error",
    )
    assert judge(copies(100), PLAN, 60.0).why == ()


@pytest.mark.parametrize("outcome", ["error", "refused", "reset", "cut", "timeout", "malformed"])
def test_what_a_client_would_not_have_had_is_a_failure(outcome: str) -> None:
    assert judge(Copies({"answered": 100, outcome: 5}), PLAN, 60.0).state is State.NOT_WARM


def test_a_colour_that_takes_no_connections_any_more_fails_and_lack_of_room_says_nothing() -> None:
    counted = Copies({"answered": 100, "pending": 50, "too-large": 10}, 40, {"down": 3, "concurrent": 9, "full": 9})
    assert (counted.answered, counted.failed, counted.judged) == (110, 3, 113)
    assert counted.failures == {"down": 3}
    assert judge(counted, PLAN, 60.0).state is State.NOT_WARM
    assert judge(counted._replace(skipped={"concurrent": 9}), PLAN, 60.0).state is State.WARM


def test_a_timeout_shorter_than_the_duration_makes_it_no_shorter() -> None:
    plan = replace(PLAN, timeout=5.0)
    assert judge(copies(0), plan, 59.0).state is State.GOES_ON
    assert judge(copies(0), plan, 60.0).state is State.NOT_WARM


def test_only_what_came_since_it_began_counts() -> None:
    before = Copies({"answered": 50, "error": 5}, 2, {"down": 1, "rate": 3})
    now = Copies({"answered": 80, "error": 5, "reset": 1}, 4, {"down": 1, "rate": 7})
    assert now.since(before) == Copies({"answered": 30, "reset": 1}, 2, {"rate": 4})


@pytest.mark.parametrize(
    ("counted", "seconds", "seconds_left"),
    [(copies(0), 10.0, 50.0), (copies(500), 10.0, 50.0), (copies(0), 70.0, 230.0), (copies(500), 70.0, 0.0)],
    ids=range(4),
)
def test_what_is_left_is_its_time_and_then_the_time_for_more_copies(
    counted: Copies, seconds: float, seconds_left: float
) -> None:
    assert left(PLAN, counted, seconds) == seconds_left
