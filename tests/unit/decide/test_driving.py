"""Rollouts in force: which rules follow from where one stands, and what is left of a version that was taken back."""

from __future__ import annotations

from collections import Counter
from typing import Any

import msgspec
import pytest

from stepdown.decide import spec
from stepdown.decide.choice import Choice
from stepdown.decide.driving import by_name, effective, in_effect, unfit, with_driven
from stepdown.decide.flag_spec import FlagRule, Flags
from stepdown.decide.overrides import Overrides
from stepdown.decide.rollout_spec import Driven, Rollout, Step
from stepdown.decide.snapshot import Snapshot, compile_snapshot
from stepdown.decide.when import All, FieldIs, InSegment, Segment
from stepdown.errors import NoReadyVersionError, TakenBackError, UnreachableShapeError
from tests.kit import specs
from tests.kit.request import request

BETA = FieldIs(source="header", name="x-plan", equals="beta")
STAFF = FieldIs(source="header", name="x-staff", exists=True)
SEGMENTS = (Segment("beta", BETA), Segment("staff", STAFF))
EVERYONE = spec.Rule(name="everyone", split=(("1.1.0", 1),), salt="churn/everyone", rollout="churn-2")
FLAGS = '{"flags": {"new": {"state": "ENABLED", "variants": {"old": "o", "new": "n"}, "defaultVariant": "new"}}}'


def rollout(*steps: float | tuple[str, float], **options: Any) -> Rollout:
    """From 1.1.0 to 2.0.0; a step is a weight, or a segment with its own."""
    made = (Step(weight=one) if isinstance(one, int | float) else Step(segment=one[0], weight=one[1]) for one in steps)
    return Rollout(
        **{"name": "churn-2", "stable": "1.1.0", "candidate": "2.0.0", "steps": tuple(made) or LADDER, **options}
    )


LADDER = tuple(Step(weight=weight) for weight in (5, 25, 50, 100))
SEGMENTS_FIRST = (("beta", 50.0), ("beta", 100.0), 5, 25, 100)


def driven(step: int, weight: float, **options: Any) -> Driven:
    return Driven(**{"run": 1, "step": step, "weight": weight, "stable": "1.1.0", "evidence": True, **options})


def a_spec(*rules: spec.Rule, walk: Rollout | None = None, other: Rollout | None = None) -> spec.SnapshotSpec:
    """1.0.0, 1.1.0 and 2.0.0 give the shape of 1.0.0, and 2.0.0 that of 1.1.0; the last rule is of the rollout."""
    chains = (("1.1.0", "1.0.0"), ("2.0.0", "1.0.0"), ("2.0.0", "1.1.0"))
    model = specs.model(
        specs.version("1.0.0", 1),
        specs.version("1.1.0", 2),
        specs.version("2.0.0", 3),
        specs.version("3.0.0"),
        chains=tuple(spec.Chain(served=served, pinned=pinned, steps=()) for served, pinned in chains),
    )
    route = specs.route({}, rules=(*rules, EVERYONE), key=(spec.KeySource(header="x-user-id"),), name="churn")
    rollouts = tuple(one for one in (walk or rollout(), other) if one is not None)
    flags = Flags(document=FLAGS)
    return specs.snapshot(route, models=[model], segments=SEGMENTS, rollouts=rollouts, flags=flags)


def standing(whole: spec.SnapshotSpec, one: Driven) -> spec.SnapshotSpec:
    return with_driven(whole, {"churn-2": one})


def the_route(whole: spec.SnapshotSpec) -> spec.Route:
    (route,) = in_effect(whole)
    return route


def choose(whole: spec.SnapshotSpec | Snapshot, user: int = 1, **fields: Any) -> Choice:
    """The choice for a user; `down` are versions that are."""
    snapshot = whole if isinstance(whole, Snapshot) else compile_snapshot(whole)
    down = fields.pop("down", ())
    route = snapshot.routes[0]
    ready = [one.version not in down and one.version != "3.0.0" for one in snapshot.versions]
    view = route.view(request(x_user_id=str(user), **fields), (), None, "", 0.0)
    return route.choose(view, (), None, "", ready, lambda: 0)


def shares(whole: spec.SnapshotSpec, users: int = 2000, **fields: Any) -> Counter[str]:
    snapshot = compile_snapshot(whole)
    return Counter(choose(snapshot, user, **fields).served for user in range(users))


# --- where it stands --------------------------------------------------------------------------------------------------


def test_what_is_driven_is_put_in_and_taken_out_again() -> None:
    whole = a_spec(other=rollout(name="other"))
    at_25 = with_driven(whole, {"churn-2": driven(1, 25), "unknown": driven(0, 5)})
    assert [one.driven for one in at_25.rollouts] == [driven(1, 25), None]
    assert with_driven(at_25, {}) == whole
    assert by_name(at_25)["churn-2"].driven == driven(1, 25)


def test_where_nothing_changes_it_is_the_same_object() -> None:
    whole = a_spec()
    assert with_driven(whole, {}) is whole
    at_5 = standing(whole, driven(0, 5))
    assert standing(at_5, driven(0, 5)) is at_5


def test_what_is_in_force_travels_and_the_file_stays_what_it_is() -> None:
    at_5 = standing(a_spec(), driven(0, 5))
    assert spec.decode(spec.encode(at_5)) == at_5
    assert at_5.routes == a_spec().routes


def test_routes_without_rollouts_are_the_very_same() -> None:
    plain = specs.route({"1.1.0": 95, "2.0.0": 5})
    assert effective(plain, {}) is plain
    assert effective(plain, by_name(standing(a_spec(), driven(0, 5)))) is plain
    snapshot = compile_snapshot(specs.snapshot(plain, models=a_spec().models))
    assert snapshot.routes[0].spec is plain


@pytest.mark.parametrize("step", range(5))
def test_what_is_in_effect_is_left_as_it_is(step: int) -> None:
    walk = rollout(*SEGMENTS_FIRST)
    whole = standing(a_spec(walk=walk), driven(step, walk.steps[step].weight))
    once = the_route(whole)
    assert effective(once, by_name(whole)) is once


# --- steps ------------------------------------------------------------------------------------------------------------


def test_before_it_is_started_stable_has_everything_and_nothing_leads_to_the_candidate() -> None:
    assert shares(a_spec()) == {"1.1.0": 2000}
    with pytest.raises(UnreachableShapeError):
        choose(a_spec(), x_model_version="2.0.0")
    with pytest.raises(NoReadyVersionError):
        choose(a_spec(), down=["1.1.0"])


@pytest.mark.parametrize(
    ("weight", "slots"), [(5, 500), (0.5, 50), (0.57, 57), (33.3, 3330), (0.01, 1), (99.99, 9999), (50, 5000)]
)
def test_a_step_gives_the_candidate_its_exact_share_of_the_slots(weight: float, slots: int) -> None:
    snapshot = compile_snapshot(standing(a_spec(), driven(0, weight)))
    (rule,) = snapshot.routes[0].rules
    assert Counter(rule.split[arm][0] for arm in rule.table) == {"1.1.0": 10_000 - slots, "2.0.0": slots}
    assert (rule.name, rule.spec.rollout, rule.salt) == ("everyone", "churn-2", "churn/everyone")


def test_at_0_the_candidate_gets_copies_only_and_at_100_stable_takes_over() -> None:
    warm_up = standing(a_spec(), driven(0, 0))
    assert shares(warm_up) == {"1.1.0": 2000}
    with pytest.raises(NoReadyVersionError):
        choose(warm_up, down=["1.1.0"])
    with pytest.raises(UnreachableShapeError):
        choose(warm_up, x_model_version="2.0.0")
    whole = standing(a_spec(), driven(3, 100))
    assert shares(whole) == {"2.0.0": 2000}
    assert choose(whole, down=["2.0.0"]).served == "1.1.0"


def test_evidence_is_what_the_split_gave_with_both_versions_open() -> None:
    at_50 = standing(a_spec(), driven(2, 50))
    assert choose(at_50).evidence
    assert not choose(at_50, x_model_version="2.0.0").evidence
    assert not choose(standing(a_spec(), driven(2, 50, evidence=False))).evidence


def test_a_pin_that_allows_several_shapes_has_the_same_one_from_the_beginning_to_the_end() -> None:
    stages = [a_spec()]
    stages += [standing(a_spec(), driven(step, weight)) for step, weight in enumerate((5, 25, 50, 100))]
    stages.append(standing(a_spec(), driven(3, 0, taken_back=True)))
    shapes = {choose(one, user, x_model_version=">=1").pinned for one in stages for user in range(20)}
    assert shapes == {"1.1.0"}


def test_where_the_candidate_gives_fewer_shapes_the_newest_that_both_give_is_had_at_once() -> None:
    whole = a_spec()
    fewer = msgspec.structs.replace(whole.models[0], chains=whole.models[0].chains[:2])
    lacking = msgspec.structs.replace(whole, models=(fewer,))
    stages = [lacking, *(standing(lacking, driven(step, weight)) for step, weight in enumerate((5, 25, 50, 100)))]
    assert {choose(one, x_model_version="^1").pinned for one in stages} == {"1.0.0"}


def test_of_versions_that_are_kept_apart_stables_shapes_come_first() -> None:
    whole = a_spec()
    model = msgspec.structs.replace(whole.models[0], chains=(whole.models[0].chains[0],))
    apart = msgspec.structs.replace(whole, models=(model,))
    stages = [apart, *(standing(apart, driven(step, weight)) for step, weight in enumerate((5, 25, 50, 100)))]
    assert {choose(one, x_model_version=">=1").pinned for one in stages} == {"1.1.0"}


def test_a_file_that_has_got_fewer_steps_since_keeps_the_last() -> None:
    (rule,) = the_route(standing(a_spec(), driven(9, 50))).rules
    assert rule.split == (("1.1.0", 5000), ("2.0.0", 5000))


# --- segments ---------------------------------------------------------------------------------------------------------


def names(whole: spec.SnapshotSpec) -> list[tuple[str, str | None, tuple[tuple[str, int], ...]]]:
    return [(rule.name, rule.rollout, rule.split) for rule in the_route(whole).rules]


def test_in_a_step_for_a_segment_only_its_units_take_part() -> None:
    first = standing(a_spec(walk=rollout(*SEGMENTS_FIRST)), driven(0, 50))
    assert names(first) == [
        ("everyone/beta", "churn-2", (("1.1.0", 5000), ("2.0.0", 5000))),
        ("everyone", None, (("1.1.0", 1),)),
    ]
    assert shares(first) == {"1.1.0": 2000}
    assert 900 < shares(first, x_plan="beta")["2.0.0"] < 1100
    assert choose(first, x_plan="beta").evidence
    assert not choose(first).evidence


def test_in_later_steps_a_segment_keeps_what_it_had_and_teaches_nothing() -> None:
    later = standing(a_spec(walk=rollout(*SEGMENTS_FIRST)), driven(2, 5))
    assert names(later) == [
        ("everyone/beta", None, (("1.1.0", 0), ("2.0.0", 10_000))),
        ("everyone", "churn-2", (("1.1.0", 9500), ("2.0.0", 500))),
    ]
    assert shares(later, x_plan="beta") == {"2.0.0": 2000}
    assert not choose(later, x_plan="beta").evidence
    assert choose(later).evidence


def test_a_segment_is_part_of_everybody_again_once_they_have_as_much() -> None:
    walk = rollout(("beta", 25.0), 5, 25, 100)
    assert [name for name, *_ in names(standing(a_spec(walk=walk), driven(1, 5)))] == ["everyone/beta", "everyone"]
    assert [name for name, *_ in names(standing(a_spec(walk=walk), driven(2, 25)))] == ["everyone"]


def test_who_is_in_two_segments_has_the_larger_weight() -> None:
    walk = rollout(("beta", 10.0), ("staff", 100.0), ("beta", 50.0), 5, 100)
    at = [standing(a_spec(walk=walk), driven(step, one.weight)) for step, one in enumerate(walk.steps)]
    assert [name for name, *_ in names(at[1])] == ["everyone/staff", "everyone/beta", "everyone"]
    assert [rollout for _, rollout, _ in names(at[1])] == ["churn-2", None, None]
    assert [rollout for _, rollout, _ in names(at[2])] == [None, "churn-2", None]
    assert {choose(at[2], user, x_plan="beta", x_staff="1").served for user in range(50)} == {"2.0.0"}


def test_what_was_promoted_at_a_segments_step_is_for_everybody() -> None:
    walk = rollout(*SEGMENTS_FIRST)
    promoted = standing(a_spec(walk=walk), driven(1, 100, evidence=False))
    assert names(promoted) == [("everyone", "churn-2", (("1.1.0", 0), ("2.0.0", 10_000)))]
    assert [name for name, *_ in names(standing(a_spec(walk=walk), driven(1, 100)))] == ["everyone/beta", "everyone"]


def test_a_segment_narrows_the_condition_of_the_rule() -> None:
    plan = FieldIs(source="header", name="x-tier", equals="gold")
    whole = a_spec(walk=rollout(*SEGMENTS_FIRST))
    for condition, wanted in ((plan, All((plan, InSegment("beta")))), (All((plan,)), All((plan, InSegment("beta"))))):
        rule = msgspec.structs.replace(EVERYONE, when=condition)
        last = spec.Rule(name="default", split=(("1.1.0", 1),))
        route = msgspec.structs.replace(whole.routes[0], rules=(rule, last))
        found = the_route(standing(msgspec.structs.replace(whole, routes=(route,)), driven(0, 50)))
        assert [one.when for one in found.rules] == [wanted, condition, All()]


def test_rules_of_segments_have_the_salt_of_the_files_rule_written_out_or_not() -> None:
    walk = rollout(*SEGMENTS_FIRST)
    unsalted = msgspec.structs.replace(EVERYONE, salt="")
    whole = a_spec(walk=walk)
    route = msgspec.structs.replace(whole.routes[0], rules=(unsalted,))
    for one in (whole, msgspec.structs.replace(whole, routes=(route,))):
        compiled = compile_snapshot(standing(one, driven(2, 5))).routes[0]
        assert {rule.salt for rule in compiled.rules} == {"churn/everyone"}


# --- taken back -------------------------------------------------------------------------------------------------------

BACK = driven(1, 0, taken_back=True, evidence=False)


def test_stable_takes_the_candidates_place_in_every_rule_and_fallback() -> None:
    rules = (
        spec.Rule(name="beta", when=BETA, split=(("2.0.0", 1),), instead=("1.0.0",)),
        spec.Rule(name="staff", when=STAFF, split=(("1.0.0", 90), ("2.0.0", 10)), instead=("2.0.0", "1.1.0")),
        spec.Rule(name="old", when=InSegment("staff"), split=(("1.0.0", 1),)),
    )
    taken = the_route(standing(a_spec(*rules), BACK)).rules
    assert [(rule.name, rule.split, rule.instead) for rule in taken] == [
        ("beta", (("1.1.0", 1),), ("1.0.0",)),
        ("staff", (("1.0.0", 90), ("1.1.0", 10)), ("1.1.0",)),
        ("old", (("1.0.0", 1),), ()),
        ("everyone", (("1.1.0", 1),), ()),
    ]


def test_a_flag_that_names_the_candidate_serves_stable() -> None:
    flag = FlagRule(flag="new", versions=(("old", "1.1.0"), ("new", "2.0.0")), default="2.0.0")
    rule = spec.Rule(name="flagged", when=BETA, split=(("1.1.0", 0), ("2.0.0", 1)), flag=flag)
    assert choose(a_spec(rule), x_plan="beta").served == "2.0.0"
    choice = choose(standing(a_spec(rule), BACK), x_plan="beta")
    assert (choice.served, choice.assigned, choice.reason) == ("1.1.0", "1.1.0", "flag")


def test_colours_of_which_one_was_taken_back_are_one_version() -> None:
    colours = spec.Colours(names=("blue", "green"), active="green", declared="green")
    rule = spec.Rule(name="coloured", when=BETA, split=(("1.1.0", 0), ("2.0.0", 1)), colours=colours)
    first, _ = the_route(standing(a_spec(rule), BACK)).rules
    assert (first.split, first.colours) == ((("1.1.0", 1),), None)
    other = msgspec.structs.replace(rule, split=(("1.1.0", 0), ("1.0.0", 1)))
    first, _ = the_route(standing(a_spec(other), BACK)).rules
    assert (first.split, first.colours) == (other.split, colours)


def test_nobody_else_moves_when_a_version_is_taken_back_from_a_split_of_many() -> None:
    for split in (
        (("1.0.0", 10), ("1.1.0", 60), ("2.0.0", 30)),
        (("1.0.0", 10), ("2.0.0", 60), ("1.1.0", 30)),
        (("2.0.0", 1), ("1.0.0", 1)),
    ):
        rule = spec.Rule(name="many", when=BETA, split=split, salt="many")
        before = compile_snapshot(a_spec(rule))
        after = compile_snapshot(standing(a_spec(rule), BACK))
        for user in range(500):
            had, has = (choose(one, user, x_plan="beta").served for one in (before, after))
            assert has == ("1.1.0" if had == "2.0.0" else had)


def test_whom_a_version_kept_that_was_taken_back_goes_by_slot() -> None:
    rule = spec.Rule(name="draining", when=BETA, split=(("1.1.0", 1), ("2.0.0", 0)), drain="sticky")
    compiled = compile_snapshot(standing(a_spec(rule), BACK)).routes[0].rules[0]
    assert compiled.drained == {}


def test_pins_that_only_the_candidate_can_serve_are_kept_and_can_be_counted() -> None:
    beta = spec.Rule(name="beta", when=BETA, split=(("2.0.0", 1),))
    for fields in ({}, {"x_plan": "beta"}):
        choice = choose(standing(a_spec(beta), BACK), x_model_version="2.0.0", **fields)
        assert (choice.assigned, choice.served, choice.reason) == ("1.1.0", "2.0.0", "taken-back")
        assert not choice.evidence


def test_all_other_pins_have_no_way_to_the_candidate_even_where_nothing_else_is_up() -> None:
    beta = spec.Rule(name="beta", when=BETA, split=(("2.0.0", 1),), instead=("2.0.0",))
    back = standing(a_spec(beta), BACK)
    for pin in ("1.0.0", "1.1.0", "^1", ">=1"):
        assert choose(back, x_model_version=pin, x_plan="beta").served == "1.1.0"
        with pytest.raises(NoReadyVersionError):
            choose(back, x_model_version=pin, x_plan="beta", down=["1.1.0"])
    with pytest.raises(NoReadyVersionError):
        choose(back, x_model_version="2.0.0", down=["2.0.0"])


def test_pins_that_only_the_candidate_can_serve_may_be_refused() -> None:
    refusing = standing(a_spec(walk=rollout(on_rollback="refuse")), BACK)
    with pytest.raises(TakenBackError) as caught:
        choose(refusing, x_model_version="2.0.0")
    error = caught.value
    assert str(error) == "only 2.0.0 can answer as m 2.0.0, and the rollout churn-2 took it back"
    assert (error.code, error.problem, error.retry_after) == (503, "version-taken-back", None)
    assert choose(refusing, x_model_version="1.0.0").served == "1.1.0"
    with pytest.raises(UnreachableShapeError):
        choose(refusing, x_model_version="3.0.0")


@pytest.mark.parametrize("on_rollback", ["keep", "refuse"])
def test_who_asks_for_the_server_of_a_version_that_was_taken_back_gets_it(on_rollback: str) -> None:
    back = standing(a_spec(walk=rollout(on_rollback=on_rollback)), BACK)
    by_server = msgspec.structs.replace(back.routes[0], pin="server")
    choice = choose(msgspec.structs.replace(back, routes=(by_server,)), x_model_version="2.0.0")
    assert (choice.served, choice.reason) == ("2.0.0", "pin-server")
    route, ready = compile_snapshot(back).routes[0], [True, True, True, False]
    asked = request(x_stepdown_serve="2.0.0", x_model_version="2.0.0")
    everybody = Overrides(spec.Overrides(allow=("0.0.0.0/0",)))
    verdict = everybody.decide(route, route.view(asked, (), None, "", 0.0), (), "10.1.2.3", "10.1.2.3", ready, 0.0)
    assert verdict is not None
    assert verdict.choice is not None
    assert (verdict.ruling, verdict.choice.served, verdict.choice.pinned) == ("honoured", "2.0.0", "2.0.0")


def test_the_last_good_version_has_the_place_of_a_stable_that_was_taken_back() -> None:
    other = spec.Rule(name="beta", when=BETA, split=(("1.1.0", 1),))
    at_25 = standing(a_spec(other), driven(1, 25, stable="1.0.0"))
    assert [rule.split for rule in the_route(at_25).rules] == [
        (("1.0.0", 1),),
        (("1.0.0", 7500), ("2.0.0", 2500)),
    ]
    back = standing(a_spec(other), driven(1, 0, stable="1.0.0", taken_back=True))
    assert [rule.split for rule in the_route(back).rules] == [(("1.0.0", 1),)] * 2
    assert choose(back, x_model_version="1.1.0").reason == "taken-back"


def test_what_earlier_runs_took_back_has_no_place_either_until_it_is_the_candidate_again() -> None:
    rule = spec.Rule(name="beta", when=BETA, split=(("1.0.0", 1),))
    held = standing(a_spec(rule), driven(0, 5, quarantined=("1.0.0", "2.0.0")))
    assert [one.split for one in the_route(held).rules] == [(("1.1.0", 1),), (("1.1.0", 9500), ("2.0.0", 500))]


def test_what_one_rollout_took_back_is_no_evidence_of_another() -> None:
    second = spec.Rule(name="beta", when=BETA, split=(("1.1.0", 1),), rollout="other")
    other = rollout(name="other")
    whole = with_driven(a_spec(second, other=other), {"churn-2": BACK, "other": driven(1, 25)})
    beta, everyone = the_route(whole).rules
    assert (beta.split, beta.rollout, everyone.rollout) == ((("1.1.0", 10_000),), None, "churn-2")
    assert not choose(whole, x_plan="beta").evidence


def test_two_rollouts_follow_each_other_to_the_last_stable_and_never_in_a_circle() -> None:
    second = spec.Rule(name="beta", when=BETA, split=(("1.0.0", 1),), rollout="other")
    onward = rollout(name="other", stable="1.0.0", candidate="1.1.0")
    whole = with_driven(
        a_spec(second, other=onward), {"churn-2": BACK, "other": driven(1, 0, stable="1.0.0", taken_back=True)}
    )
    assert [rule.split for rule in the_route(whole).rules] == [(("1.0.0", 1),)] * 2
    circle = rollout(name="other", stable="2.0.0", candidate="1.1.0")
    back = {"churn-2": BACK, "other": driven(1, 0, stable="2.0.0", taken_back=True)}
    whole = with_driven(a_spec(msgspec.structs.replace(second, split=(("2.0.0", 1),)), other=circle), back)
    rules = the_route(whole).rules
    assert [rule.split for rule in rules] == [(("2.0.0", 1),), (("1.1.0", 1),)]
    assert [rule.walked.taken_back for rule in rules if rule.walked is not None] == [(), ()]


# --- a stable that the file does not name -----------------------------------------------------------------------------


def test_a_stable_that_can_serve_no_more_gives_way_to_the_files() -> None:
    for stable in ("0.9.0", "3.0.0"):
        at_5 = standing(a_spec(), driven(0, 5, stable=stable))
        assert by_name(at_5)["churn-2"].driven == driven(0, 5)


def test_why_a_version_cannot_be_stable_is_said() -> None:
    whole, walk = a_spec(), rollout()
    assert unfit(whole, walk, "1.0.0") == ""
    assert unfit(whole, walk, "0.9.0") == "m has no version 0.9.0 any more"
    assert unfit(whole, walk, "3.0.0") == "no server runs 3.0.0 any more"
    assert unfit(whole, rollout(name="nobody's"), "1.0.0") == "no rule belongs to nobody's"
    model = msgspec.structs.replace(whole.models[0], default_version="1.1.0")
    newer = msgspec.structs.replace(whole, models=(model,))
    assert unfit(newer, walk, "1.0.0") == "1.0.0 cannot answer in the shape of 1.1.0, which is promised"
    entry = spec.ClientEntry(match=spec.Match(hosts=("old",)), version="1.1.0")
    pinned = msgspec.structs.replace(whole, models=(msgspec.structs.replace(whole.models[0], clients=(entry,)),))
    assert unfit(pinned, walk, "1.0.0") == "1.0.0 cannot answer in the shape of 1.1.0, which is promised"
    by_server = msgspec.structs.replace(pinned.routes[0], pin="server")
    assert unfit(msgspec.structs.replace(pinned, routes=(by_server,)), walk, "1.0.0") == ""


def test_a_refusal_that_is_declared_excuses_a_stable_where_another_gives_the_shape() -> None:
    whole, walk = a_spec(), rollout()
    refused = (spec.Refused("1.0.0", "1.1.0", "it differs"),)
    model = msgspec.structs.replace(whole.models[0], default_version="1.1.0", refused=refused)
    assert unfit(msgspec.structs.replace(whole, models=(model,)), walk, "1.0.0") == ""
