"""A rollout through the data plane: steps move users one way, connections stay, and a candidate that is taken back is
left with the pins that nothing else can serve, which are counted or refused."""

from __future__ import annotations

from collections.abc import Iterator

import orjson
import pytest

from stepdown.decide import spec
from stepdown.decide.driving import with_driven
from stepdown.decide.rollout_spec import Driven, Rollout, Step
from stepdown.decide.when import FieldIs, InSegment, Segment
from tests.kit import specs
from tests.kit.upstream import Request, serve
from tests.kit.world import World, world

STEPS = (Step(weight=100, segment="beta"), Step(weight=20), Step(weight=60), Step(weight=100))
USERS = range(60)


def echo(got: Request) -> bytes:
    return b'HTTP/1.1 200 OK\r\nContent-Length: 17\r\n\r\n{"new":1,"b":%3d}' % len(got.body)


def the_spec(*ports: int, on_rollback: str = "keep") -> spec.SnapshotSpec:
    """A rollout from 1.0.0 to 2.0.0, for beta first; a rule for friends names 2.0.0 by itself."""
    old, new = (specs.version(name, port) for name, port in zip(("1.0.0", "2.0.0"), ports, strict=True))
    steps = (spec.Step(source="2.0.0", target="1.0.0", response=({"remove": "/new"},)),)
    rules = (
        spec.Rule(name="friends", when=InSegment("friends"), split=(("2.0.0", 1),)),
        spec.Rule(name="everyone", split=(("1.0.0", 1),), rollout="m-2"),
    )
    rollout = Rollout(name="m-2", stable="1.0.0", candidate="2.0.0", steps=STEPS, on_rollback=on_rollback)
    return specs.snapshot(
        specs.route({}, rules=rules, key=(spec.KeySource(header="x-user-id"),)),
        models=[
            specs.model(old, new, default="1.0.0", chains=(spec.Chain(served="2.0.0", pinned="1.0.0", steps=steps),))
        ],
        segments=tuple(
            Segment(name, FieldIs(source="header", name="x-plan", equals=name)) for name in ("beta", "friends")
        ),
        rollouts=(rollout,),
        explain=spec.Explain(allow=("127.0.0.1",)),
    )


def at(whole: spec.SnapshotSpec, step: int, **options: object) -> spec.SnapshotSpec:
    fields = {"run": 1, "step": step, "weight": STEPS[step].weight, "stable": "1.0.0", "evidence": True, **options}
    return with_driven(whole, {"m-2": Driven(**fields)})


@pytest.fixture
def here() -> Iterator[World]:
    with world(serve(echo), spec=the_spec, upstreams=2) as here:
        yield here


def whole_of(here: World, **options: str) -> spec.SnapshotSpec:
    return the_spec(*(upstream.port for upstream in here.upstreams), **options)


def raw(*lines: bytes) -> bytes:
    return b"".join(
        (b"POST /infer HTTP/1.1\r\nHost: a\r\n", *(line + b"\r\n" for line in lines), b"Content-Length: 2\r\n\r\n{}")
    )


def who_has(here: World, *lines: bytes) -> set[int]:
    """Users of whom the candidate's server answers; all on one connection."""
    found = set()
    with here.client() as client:
        for user in USERS:
            client.send(raw(b"x-user-id: %d" % user, *lines))
            answer = client.response("POST")
            assert (answer.status, orjson.loads(answer.body)["b"]) == (200, 2)
            if answer.get(b"x-model-served") == b"2.0.0":
                found.add(user)
    return found


def test_users_come_to_the_candidate_step_by_step_and_all_leave_it_at_once(here: World) -> None:
    whole, everybody = whole_of(here), set(USERS)
    assert who_has(here) == set()
    had: set[int] = set()
    for step, (beta, least, most) in enumerate(((60, 0, 0), (60, 4, 25), (60, 25, 48), (60, 60, 60))):
        here.sidecar.reload(at(whole, step))
        has = who_has(here)
        assert had <= has
        assert least <= len(has) <= most
        assert len(who_has(here, b"x-plan: beta")) == beta
        had = has
    assert had == everybody
    here.sidecar.reload(at(whole, 3, weight=0.0, evidence=False, taken_back=True))
    assert who_has(here) == who_has(here, b"x-plan: beta") == who_has(here, b"x-plan: friends") == set()


def test_metrics_and_explanations_tell_the_rules_of_a_rollout_apart(here: World) -> None:
    here.sidecar.reload(at(whole_of(here), 1))
    here.ask(raw(b"x-plan: beta"), "POST")
    assert here.sidecar.metric("stepdown_requests_total", rule="everyone/beta", served="2.0.0") == 1
    answer = here.ask(raw(b"x-user-id: 1", b"x-stepdown-explain: 1"), "POST")
    told = orjson.loads(answer.get(b"x-stepdown-explain") or b"")
    assert (told["rule"], told["rollout"], told["evidence"]) == ("everyone", "m-2", True)
    assert told["walked"] == "which is at step 2 of 4 and gives 2.0.0 to 20 % of everybody: stable 1.0.0 has the rest"


def test_pins_that_only_a_version_taken_back_can_serve_are_counted(here: World) -> None:
    here.sidecar.reload(at(whole_of(here), 1, weight=0.0, taken_back=True))
    answer = here.ask(raw(b"x-model-version: 2"), "POST")
    assert (answer.status, answer.get(b"x-model-served")) == (200, b"2.0.0")
    assert here.sidecar.metric("stepdown_requests_total", reason="taken-back", assigned="1.0.0", served="2.0.0") == 1


def test_or_they_are_refused_and_told_by_which_rollout(here: World) -> None:
    here.sidecar.reload(at(whole_of(here, on_rollback="refuse"), 1, weight=0.0, taken_back=True))
    for lines in ((), (b"x-plan: friends",)):
        answer = here.ask(raw(b"x-model-version: 2", *lines), "POST")
        problem = orjson.loads(answer.body)
        assert (answer.status, problem["type"]) == (503, "urn:stepdown:problem:version-taken-back")
        assert problem["detail"] == "only 2.0.0 can answer as m 2.0.0, and the rollout m-2 took it back"
        assert answer.get(b"retry-after") is None
    assert here.sidecar.metric("stepdown_errors_total", error="version-taken-back") == 2
    assert not here.upstreams[1].requests
