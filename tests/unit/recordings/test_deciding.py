"""What is recorded because it decides: what finds the route, and what is decided on it."""

from __future__ import annotations

from stepdown.decide import spec
from stepdown.decide.driving import with_driven
from stepdown.decide.rollout_spec import Driven, Rollout, Step
from stepdown.decide.when import ClientIn, FieldIs, Segment
from stepdown.recordings.deciding import VERSION_ONLY, Deciding, deciding
from stepdown.recordings.recorder import Recorder
from tests.kit import specs
from tests.kit.recordings import recording

ROUTE = specs.route(
    {"1.0.0": 100},
    name="mine",
    key=(spec.KeySource(header="x-user-id"), spec.KeySource(cookie="uid"), spec.KeySource(json="/user")),
    rules=(
        spec.Rule(name="beta", when=FieldIs(source="header", name="x-plan", equals="beta"), split=(("1.0.0", 100),)),
        spec.Rule(name="near", when=ClientIn(("10.0.0.0/8",)), split=(("1.0.0", 100),)),
        spec.Rule(name="all", split=(("1.0.0", 100),)),
    ),
    record=recording(),
)
OTHER = specs.route(
    {"1.0.0": 100},
    name="other",
    match=spec.Match(path_prefix="/", headers=(spec.HeaderMatch(name="x-tenant", equals="a"),)),
    key=(spec.KeySource(header="x-other"),),
)
SPECIFICATION = specs.snapshot(ROUTE, OTHER, models=[specs.model(specs.version("1.0.0", 1))])


def test_what_finds_any_route_and_decides_on_this_one_is_recorded() -> None:
    assert deciding(SPECIFICATION, ROUTE) == Deciding(
        ("x-tenant", "x-model-version", "x-plan", "x-user-id"), ("uid",), client=True
    )
    assert deciding(SPECIFICATION, OTHER).headers == ("x-tenant", "x-model-version", "x-other")


def test_a_segment_that_decides_at_a_step_is_recorded_while_it_does() -> None:
    rule = spec.Rule(name="all", split=(("1.0.0", 1),), rollout="walk")
    route = specs.route({}, rules=(rule,), record=recording())
    step = Step(weight=5, segment="beta")
    walk = Rollout(name="walk", stable="1.0.0", candidate="2.0.0", steps=(step, Step(weight=10)))
    beta = Segment("beta", FieldIs(source="header", name="x-plan", equals="beta"))
    model = specs.model(specs.version("1.0.0", 1), specs.version("2.0.0", 2))
    whole = specs.snapshot(route, models=[model], segments=(beta,), rollouts=(walk,))
    driven = with_driven(whole, {"walk": Driven(run=1, step=0, weight=5, stable="1.0.0")})
    assert deciding(whole, route).headers == ("x-model-version",)
    assert deciding(driven, route).headers == ("x-model-version", "x-plan")


def test_where_nothing_is_configured_the_version_decides() -> None:
    route = specs.route({"1.0.0": 100})
    alone = specs.snapshot(route, models=[specs.model(specs.version("1.0.0", 1))])
    assert deciding(alone, route) == VERSION_ONLY == Deciding(("x-model-version",))


def test_a_recorder_is_made_of_a_specification() -> None:
    assert Recorder.of(SPECIFICATION, ROUTE).state.stopped == ""
