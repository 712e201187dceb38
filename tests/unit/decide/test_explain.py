"""Explanations: the same outcome as the decision, with every step and its reason."""

from __future__ import annotations

import json
from typing import Literal

import msgspec

from stepdown.decide import spec
from stepdown.decide.explanation import Alternative, Explanation, FlagTold, Refusal
from stepdown.decide.records import FlagSaid
from stepdown.decide.rollout_spec import Driven, Rollout, Step
from stepdown.decide.slots import hash_of, slot_of
from stepdown.decide.snapshot import Route, compile_snapshot
from stepdown.decide.view import View
from stepdown.decide.when import FieldIs, FlagIs, Segment
from tests.kit import specs
from tests.kit.request import Request, request

BETA = FieldIs(source="header", name="x-plan", equals="beta")
CLIENT = spec.ClientEntry(match=spec.Match(hosts=("old.example",)), version="1.0.0")


def route(**options: object) -> Route:
    step = spec.Step(source="2.0.0", target="1.0.0", where="churn.yaml:12")
    chain = spec.Chain(served="2.0.0", pinned="1.0.0", steps=(step,))
    model = specs.model(specs.version("1.0.0", 1), specs.version("2.0.0", 2), chains=(chain,), clients=(CLIENT,))
    one = spec.Route(
        name="churn",
        match=spec.Match(path="/m/{version}/infer", methods=("POST",)),
        model="m",
        version_param="version",
        key=(spec.KeySource(header="x-user-id"), spec.KeySource(cookie="uid")),
        rules=(
            spec.Rule(name="beta", split=(("2.0.0", 1),), when=BETA),
            spec.Rule(name="everyone", split=(("1.0.0", 0), ("2.0.0", 100))),
        ),
        **options,  # type: ignore[arg-type]
    )
    return compile_snapshot(specs.snapshot(one, models=[model])).routes[0]


def explain(
    one: Route, asked: Request, *, version: bytes = b"fraud=1", ready: tuple[bool, bool] = (True, True)
) -> Explanation:
    return one.explain(asked, (version,), None, "10.0.0.1", ready, lambda: 4711)


def test_every_step_of_a_decision_is_there() -> None:
    explanation = explain(route(), request("/m/1/infer", cookie="uid=7"), version=b"v1")
    salted = b"churn/everyone:cookie:uid:7"
    assert explanation == Explanation(
        route="churn",
        model="m",
        match="the method is POST and the path is /m/{version}/infer",
        params={"version": "v1"},
        pin_source="path",
        pin_value="v1",
        pinned="1.0.0",
        passed_over=("beta: wants that header x-plan is 'beta'",),
        rule="everyone",
        condition="always",
        keys_missing=("header:x-user-id",),
        key_source="cookie:uid",
        key="7",
        salt="churn/everyone",
        hash=hash_of(salted),
        slot=slot_of(salted),
        split=(("1.0.0", 0), ("2.0.0", 100)),
        assigned="2.0.0",
        served="2.0.0",
        reason="split",
        evidence=True,
        chain=("2.0.0 -> 1.0.0 (adapter at churn.yaml:12)",),
        alternatives=(Alternative("1.0.0", 0, True, True, 0), Alternative("2.0.0", 100, True, True, 1)),
    )


def test_an_explanation_is_told_in_sentences() -> None:
    told = explain(route(), request(x_user_id="7", x_model_version="2")).sentences()
    number = hash_of(b"churn/everyone:header:x-user-id:7")
    assert told == (
        "Route churn of model m matches: the method is POST and the path is /m/{version}/infer.",
        "Parts of the path: version is 'fraud=1'.",
        "The pin comes from: header, which says '2': the client gets the shape of 2.0.0.",
        "Passed over rule beta: wants that header x-plan is 'beta'.",
        "Rule everyone holds (always); its split is 1.0.0 0, 2.0.0 100.",
        f"The key is '7' from header:x-user-id; with the salt 'churn/everyone' its murmur3 is {number}.",
        f"That is slot {number * 10_000 >> 32} of 10000, which the split gives to 2.0.0.",
        "Served by 2.0.0, because it is the assigned version.",
        "The answer is not changed: the shape is its own.",
        "In a rollout the request would not count as evidence.",
        "Version 1.0.0 has weight 0, cannot reach the shape and is up.",
        "Version 2.0.0 has weight 100, has the shape itself and is up.",
    )


def test_a_draw_a_row_of_clients_and_a_version_that_is_down_are_explained() -> None:
    explanation = explain(route(), request(host="old.example"), ready=(True, False))
    assert (explanation.pin_source, explanation.pin_value) == ("clients row 1", None)
    assert (explanation.slot, explanation.key, explanation.key_source) == (4711, None, "none")
    told = " ".join(explanation.sentences())
    assert "The pin comes from: clients row 1: the client gets the shape of 1.0.0." in told
    assert "No key in header:x-user-id, cookie:uid." in told
    assert "An independent draw gave slot 4711 of 10000, which the split gives to 2.0.0." in told
    assert "Served by 1.0.0, because the assigned version has no endpoint that is up." in told
    assert "Version 2.0.0 has weight 100, reaches the shape in 1 step and is down." in told


def test_the_draw_that_is_told_is_the_one_that_decides() -> None:
    one = specs.route({"1.0.0": 50, "2.0.0": 50})
    versions = (specs.version("1.0.0", 1), specs.version("2.0.0", 2))
    chain = spec.Chain(served="2.0.0", pinned="1.0.0", steps=())
    snapshot = compile_snapshot(specs.snapshot(one, models=[specs.model(*versions, chains=(chain,))]))
    draws = iter((4999, 5000))
    explanation = snapshot.routes[0].explain(request(), (), None, "", [True, True], lambda: next(draws))
    assert (explanation.slot, explanation.assigned, explanation.served) == (4999, "2.0.0", "2.0.0")


def test_a_chain_is_told_step_by_step() -> None:
    told = explain(route(), request(x_user_id="7")).sentences()
    assert "The answer is stepped down: 2.0.0 -> 1.0.0 (adapter at churn.yaml:12)." in told


def test_rules_none_of_which_holds_are_all_passed_over() -> None:
    rules = (spec.Rule(name="beta", split=(("2.0.0", 1),), when=BETA),)
    one = specs.route({}, rules=rules)
    explanation = (
        compile_snapshot(specs.snapshot(one, models=[specs.model(specs.version("2.0.0", 1))]))
        .routes[0]
        .explain(request(), (), None, "", [True], lambda: 0)
    )
    assert explanation.passed_over == ("beta: wants that header x-plan is 'beta'",)
    assert explanation.refusal == Refusal(404, "no-route", "no rule of route r holds for this request")


def test_a_refusal_is_part_of_the_explanation() -> None:
    bad = explain(route(), request(x_model_version="banana"))
    assert bad.refusal is not None
    assert (bad.refusal.status, bad.refusal.problem) == (400, "bad-version")
    assert bad.rule is None
    assert bad.sentences()[-1].startswith("Refused with 400 (bad-version): 'banana' is no version")
    down = explain(route(), request(), ready=(False, False))
    assert down.assigned == "2.0.0"
    assert down.refusal == Refusal(
        503, "no-ready-version", "m 1.0.0 can be had from 2.0.0, 1.0.0, and none of them is up"
    )
    assert [other.ready for other in down.alternatives] == [False, False]


def test_a_pin_on_a_server_needs_no_slot() -> None:
    explanation = explain(route(pin="server"), request(x_model_version="1"))
    assert (explanation.served, explanation.reason, explanation.slot) == ("1.0.0", "pin-server", None)
    assert "because the client asked for its server, and the route grants that." in " ".join(explanation.sentences())


def test_an_explanation_travels_as_json() -> None:
    explanation = explain(route(), request(x_user_id="\udcff".encode("utf-8", "surrogatepass").decode("latin-1")))
    travelled = json.loads(msgspec.json.encode(explanation))
    assert travelled["alternatives"][1] == {
        "version": "2.0.0",
        "weight": 100,
        "reaches": True,
        "ready": True,
        "steps": 1,
        "why_not": "",
        "taken_back": "",
    }
    assert travelled["refusal"] is None


def test_bytes_that_are_no_text_are_shown_escaped() -> None:
    asked = Request(fields={b"x-user-id": b"\xff7"})
    assert explain(route(), asked).key == "\\xff7"


def test_a_refusal_that_keeps_a_server_from_a_shape_is_told() -> None:
    why = "2.0.0 -> 1.0.0 is refused: the embedding space differs"
    refused = (spec.Refused("2.0.0", "1.0.0", why),)
    model = specs.model(specs.version("1.0.0", 1), specs.version("2.0.0", 2), refused=refused)
    asked = request("/x", x_model_version="1.0.0")
    (alone, beside) = (
        compile_snapshot(specs.snapshot(specs.route(split), models=[model])).routes[0]
        for split in ({"2.0.0": 1}, {"2.0.0": 1, "1.0.0": 0})
    )
    refusal = alone.explain(asked, (), None, "", (True, True), lambda: 0).refusal
    assert refusal is not None
    assert (refusal.status, refusal.detail) == (406, f"no version on route r can answer as m 1.0.0; {why}")
    told = " ".join(beside.explain(asked, (), None, "", (True, True), lambda: 0).sentences())
    assert f"cannot reach the shape ({why})" in told


class Said:
    """Every flag says the same (`view.FlagView`)."""

    def flag(self, name: str, view: View) -> FlagSaid:
        return FlagSaid("2.0.0", "new", "TARGETING_MATCH")


def test_flags_that_were_asked_are_told_with_their_reason() -> None:
    rules = (
        spec.Rule(name="flagged", split=(("2.0.0", 1),), when=FlagIs(flag="new-model", variant="old")),
        spec.Rule(name="all", split=(("2.0.0", 1),)),
    )
    one = compile_snapshot(
        specs.snapshot(specs.route({}, rules=rules), models=[specs.model(specs.version("2.0.0", 1))])
    ).routes[0]
    view = one.view(request(), (), None, "", 0.0, None, Said())
    explanation = one.explain(view, (), None, "", [True], lambda _turns=None: 0)
    assert explanation.flags == (FlagTold("new-model", "new", "TARGETING_MATCH"),)
    assert "Flag new-model says new (TARGETING_MATCH)." in explanation.sentences()


def walked(driven: Driven | None, *steps: Step, on_rollback: Literal["keep", "refuse"] = "keep") -> Route:
    """A rule for beta that names the candidate, and one of a rollout from 1.0.0 to 2.0.0."""
    chain = spec.Chain(served="2.0.0", pinned="1.0.0", steps=(spec.Step(source="2.0.0", target="1.0.0"),))
    model = specs.model(specs.version("1.0.0", 1), specs.version("2.0.0", 2), chains=(chain,))
    rules = (
        spec.Rule(name="named", split=(("1.0.0", 9), ("2.0.0", 1)), when=BETA),
        spec.Rule(name="everyone", split=(("1.0.0", 1),), rollout="m-2"),
    )
    rollout = Rollout(
        name="m-2",
        stable="1.0.0",
        candidate="2.0.0",
        steps=steps or (Step(weight=5), Step(weight=100)),
        on_rollback=on_rollback,
        driven=driven,
    )
    staff = Segment("staff", FieldIs(source="header", name="x-staff", exists=True))
    route = specs.route({}, rules=rules)
    whole = specs.snapshot(route, models=[model], rollouts=(rollout,), segments=(staff,))
    return compile_snapshot(whole).routes[0]


def told(one: Route, **fields: str) -> list[str]:
    """The sentences but for match, pin and slot."""
    explanation = one.explain(request(**fields), (), None, "", (True, True), lambda: 4711)
    wanted = ("Rule", "Served", "In a", "Version", "Refused")
    return [sentence for sentence in explanation.sentences() if sentence.startswith(wanted)]


def test_what_a_rollout_does_is_told() -> None:
    begins = "Rule everyone holds (always); its split is owned by the rollout m-2, "
    staff = (Step(weight=50, segment="staff"), Step(weight=0), Step(weight=5))
    at = [
        Driven(run=1, step=step, weight=weight, stable="1.0.0", evidence=True) for step, weight in enumerate((50, 0, 5))
    ]
    assert told(walked(None))[0] == begins + "and until it is started, stable 1.0.0 has everything."
    assert told(walked(at[0], *staff))[0] == (
        begins + "which is at step 1 of 3, for the segment staff only: stable 1.0.0 has everything here."
    )
    assert told(walked(at[1], *staff))[0] == (
        begins + "which is at step 2 of 3 and gives 2.0.0 nothing but copies: stable 1.0.0 has everything."
    )
    assert told(walked(at[2], *staff))[0] == (
        begins + "which is at step 3 of 3 and gives 2.0.0 to 5 % of everybody: stable 1.0.0 has the rest."
    )


def test_the_end_of_a_rollout_is_told() -> None:
    begins = "Rule everyone holds (always); its split is owned by the rollout m-2, "
    promoted = Driven(run=1, step=1, weight=100, stable="1.0.0")
    assert told(walked(promoted))[0] == (
        begins + "which promoted 2.0.0: it has everything, and 1.0.0 takes over where it is down."
    )
    lost = Driven(run=0, step=0, weight=0, stable="1.0.0", taken_back=True)
    assert told(walked(lost))[0] == begins + "whose state is missing: stable 1.0.0 has everything."


def test_a_segments_rule_says_whose_it_is() -> None:
    staff = (Step(weight=50, segment="staff"), Step(weight=5))
    first = Driven(run=1, step=0, weight=50, stable="1.0.0", evidence=True)
    later = Driven(run=1, step=1, weight=5, stable="1.0.0", evidence=True)
    assert told(walked(first, *staff), x_staff="1")[:3] == [
        "Rule everyone/staff holds (the request is in segment staff (header x-staff is present)); its split is owned by"
        " the rollout m-2, which is at step 1 of 2 and gives 2.0.0 to 50 % of the segment staff: stable 1.0.0 has the"
        " rest.",
        "Served by 2.0.0, because it is the assigned version.",
        "In a rollout the request would count as evidence.",
    ]
    assert told(walked(later, *staff), x_staff="1")[:3] == [
        "Rule everyone/staff holds (the request is in segment staff (header x-staff is present)); its split is owned by"
        " the rollout m-2, which is at step 2 of 2 and leaves 2.0.0 to those 50 % of the segment staff that had it, as"
        " no evidence: stable 1.0.0 has the rest.",
        "Served by 2.0.0, because it is the assigned version.",
        "In a rollout the request would not count as evidence.",
    ]


def test_a_version_that_was_taken_back_is_told_with_who_stands_in_its_place() -> None:
    back = Driven(run=1, step=0, weight=0, stable="1.0.0", taken_back=True)
    assert told(walked(back)) == [
        "Rule everyone holds (always); its split is owned by the rollout m-2, which took 2.0.0 back at step 1 of 2:"
        " stable 1.0.0 has everything.",
        "Served by 1.0.0, because it is the assigned version.",
        "In a rollout the request would not count as evidence.",
        "Version 1.0.0 has weight 1, has the shape itself and is up.",
        "Version 2.0.0 was taken back by the rollout m-2, reaches the shape in 1 step and is up.",
    ]
    assert told(walked(back), x_plan="beta")[0] == (
        "Rule named holds (header x-plan is 'beta'); its split is 1.0.0 10; 1.0.0 stands in the place of 2.0.0, which"
        " the rollout m-2 took back."
    )
    assert told(walked(back), x_model_version="2.0.0")[1] == (
        "Served by 2.0.0, because nothing else can be stepped down to the pinned shape, although a rollout took it"
        " back."
    )
    assert told(walked(back, on_rollback="refuse"), x_model_version="2.0.0") == [
        "Rule everyone holds (always); its split is owned by the rollout m-2, which took 2.0.0 back at step 1 of 2:"
        " stable 1.0.0 has everything.",
        "Refused with 503 (version-taken-back): only 2.0.0 can answer as m 2.0.0, and the rollout m-2 took it back.",
    ]
