"""Rollouts in force: nobody loses the candidate while weights rise, shares are exact, and nothing leads to a version
that was taken back but pins that need it."""

from __future__ import annotations

from collections import Counter
from typing import Literal

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from stepdown.decide import spec
from stepdown.decide.choice import Choice
from stepdown.decide.driving import by_name, effective, with_driven
from stepdown.decide.flag_spec import FlagRule, Flags
from stepdown.decide.rollout_spec import Driven, Rollout, Step
from stepdown.decide.snapshot import Snapshot, compile_snapshot
from stepdown.decide.when import EVERYONE, FieldIs, InSegment, Segment, When
from stepdown.errors import StepdownError
from tests.kit import specs
from tests.kit.request import request

STABLE, CANDIDATE, OLD, SHAPE = "1.1.0", "2.0.0", "1.0.0", "0.9.0"
NAMES = ("beta", "staff", "near")
SEGMENTS = tuple(Segment(name, FieldIs(source="header", name=f"x-{name}", exists=True)) for name in NAMES)
FLAGS = '{"flags": {"new": {"state": "ENABLED", "variants": {"old": "o", "new": "n"}, "defaultVariant": "new"}}}'

weights = st.integers(1, 9_999).map(lambda slots: slots / 100)


@st.composite
def ladders(draw: st.DrawFn) -> tuple[Step, ...]:
    """Steps that a file may have: each audience's weights rise, and segments have more than everybody before."""
    steps: list[Step] = []
    reached: dict[str | None, float] = {}
    for segment in draw(st.lists(st.sampled_from([*NAMES, None]), max_size=7)):
        least = max(reached.get(segment, 0.0), reached.get(None, 0.0))
        weight = max(draw(weights), round(least + 0.01, 2))
        if weight < 100:
            reached[segment] = weight
            steps.append(Step(weight=weight, segment=segment))
    return (*steps, Step(weight=100))


def whole_spec(
    steps: tuple[Step, ...], *others: spec.Rule, salt: str = "", when: When = EVERYONE, **walk: str
) -> spec.SnapshotSpec:
    """2.0.0 gives all shapes below, 1.1.0 those below it; nothing but 2.0.0 gives its own."""
    served = (OLD, STABLE, CANDIDATE)
    chains = tuple(
        spec.Chain(served=one, pinned=other, steps=()) for one in served for other in (SHAPE, *served) if other < one
    )
    model = specs.model(specs.version(SHAPE), *(specs.version(one, 1) for one in served), chains=chains)
    owned = spec.Rule(name="everyone", split=((STABLE, 1),), rollout="walk", salt=salt, when=when)
    behind = () if when == EVERYONE else (spec.Rule(name="behind", split=((STABLE, 1),)),)
    route = specs.route({}, rules=(*others, owned, *behind), key=(spec.KeySource(header="x-user-id"),))
    rollout = Rollout(name="walk", stable=STABLE, candidate=CANDIDATE, steps=steps, **walk)
    flags = Flags(document=FLAGS)
    return specs.snapshot(route, models=[model], segments=SEGMENTS, rollouts=(rollout,), flags=flags)


def at(whole: spec.SnapshotSpec, step: int, weight: float | None = None, **options: bool) -> Snapshot:
    weight = whole.rollouts[0].steps[step].weight if weight is None else weight
    driven = Driven(run=1, step=step, weight=weight, stable=STABLE, evidence=True)
    return compile_snapshot(with_driven(whole, {"walk": msgspec.structs.replace(driven, **options)}))


def chosen(snapshot: Snapshot, user: str, up: tuple[bool, ...] = (False, True, True, True), **fields: str) -> Choice:
    route = snapshot.routes[0]
    view = route.view(request(x_user_id=user, **fields), (), None, "", 0.0)
    return route.choose(view, (), None, "", up, lambda: 0)


def chosen_or_refused(snapshot: Snapshot, user: str, up: tuple[bool, ...], **fields: str) -> Choice | str:
    try:
        return chosen(snapshot, user, up, **fields)
    except StepdownError as error:
        return error.problem


users = st.tuples(st.text("abcdef0123456789", min_size=1, max_size=8), st.sets(st.sampled_from(NAMES)))


@settings(deadline=None, max_examples=60)
@given(ladders(), st.lists(users, min_size=10, max_size=40), st.sampled_from(["", "pinned"]))
def test_nobody_loses_the_candidate_while_the_ladder_is_climbed(
    steps: tuple[Step, ...], people: list[tuple[str, set[str]]], salt: str
) -> None:
    whole = whole_spec(steps, salt=salt)
    had: set[int] = set()
    for step in range(len(steps)):
        snapshot = at(whole, step)
        has = {
            number
            for number, (user, segments) in enumerate(people)
            if chosen(snapshot, user, **{f"x_{name}": "1" for name in segments}).served == CANDIDATE
        }
        assert had <= has
        had = has
    assert had == set(range(len(people)))


@settings(deadline=None, max_examples=60)
@given(ladders(), st.data())
def test_each_audience_has_exactly_its_share_and_only_the_steps_own_is_evidence(
    steps: tuple[Step, ...], data: st.DataObject
) -> None:
    whole = whole_spec(steps)
    step = data.draw(st.integers(0, len(steps) - 1))
    segments = data.draw(st.sets(st.sampled_from(NAMES)))
    snapshot, own = at(whole, step), steps[step].segment
    fields = {f"x_{name}": "1" for name in segments}
    due = max((one.weight for one in steps[: step + 1] if one.segment in {None, *segments}), default=0.0)
    route = snapshot.routes[0]
    rule = route.rule_for(request(**fields), "")
    counted = Counter(rule.split[arm][0] for arm in rule.table)
    assert counted[CANDIDATE] == round(due * 100)
    (evident,) = (one for one in route.rules if one.spec.rollout == "walk")
    slots = round(steps[step].weight * 100)
    assert evident.split == ((STABLE, 10_000 - slots), (CANDIDATE, slots))
    choice = chosen(snapshot, "somebody", **fields)
    assert choice.evidence == (rule is evident)
    assert own is None or own in segments or not choice.evidence


@settings(deadline=None, max_examples=60)
@given(ladders(), st.data())
def test_the_salt_stays_and_what_is_in_effect_is_left_as_it_is(steps: tuple[Step, ...], data: st.DataObject) -> None:
    salt = data.draw(st.sampled_from(["", "pinned"]))
    whole = whole_spec(steps, salt=salt, when=data.draw(st.sampled_from([EVERYONE, InSegment("near")])))
    step = data.draw(st.integers(0, len(steps) - 1))
    salts = {rule.salt for rule in at(whole, step).routes[0].rules if rule.name != "behind"}
    assert salts == {salt or "r/everyone"}
    driven = with_driven(whole, {"walk": Driven(run=1, step=step, weight=steps[step].weight, stable=STABLE)})
    once = effective(driven.routes[0], by_name(driven))
    assert effective(once, by_name(driven)) is once
    assert effective(driven.routes[0], by_name(driven)) == once


splits = st.dictionaries(st.sampled_from([OLD, STABLE, CANDIDATE]), st.integers(0, 5), min_size=1).filter(
    lambda split: any(split.values())
)


@st.composite
def other_rules(draw: st.DrawFn) -> tuple[spec.Rule, ...]:
    """Rules for segments, with splits, fallbacks and flags that may name the candidate."""
    rules = []
    for name in draw(st.lists(st.sampled_from(NAMES), unique=True, max_size=3)):
        split = tuple(draw(splits).items())
        flag = None
        if len(split) == 3 and draw(st.booleans()):
            new, old, default = (draw(st.sampled_from([version for version, _ in split])) for _ in range(3))
            flag = FlagRule(flag="new", versions=(("new", new), ("old", old)), default=default)
        instead = tuple(draw(st.lists(st.sampled_from([OLD, STABLE, CANDIDATE]), unique=True, max_size=2)))
        rules.append(spec.Rule(name=name, when=InSegment(name), split=split, flag=flag, instead=instead, salt=name))
    return tuple(rules)


PINS = ("", SHAPE, OLD, STABLE, "^1", ">=1", "<2", CANDIDATE, "^2")
ONLY_CANDIDATE = (CANDIDATE, "^2")


@settings(deadline=None, max_examples=150)
@given(
    other_rules(),
    st.lists(users, min_size=5, max_size=15),
    st.tuples(st.just(False), st.booleans(), st.booleans(), st.booleans()),
    st.sampled_from(["keep", "refuse"]),
)
def test_only_pins_that_need_it_lead_to_a_version_that_was_taken_back(
    others: tuple[spec.Rule, ...],
    people: list[tuple[str, set[str]]],
    up: tuple[bool, ...],
    on_rollback: Literal["keep", "refuse"],
) -> None:
    whole = whole_spec((Step(weight=5), Step(weight=100)), *others, on_rollback=on_rollback)
    back = at(whole, 0, 0.0, taken_back=True, evidence=False)
    for user, segments in people:
        for pin in PINS:
            fields = {f"x_{name}": "1" for name in segments} | ({"x_model_version": pin} if pin else {})
            choice = chosen_or_refused(back, user, up, **fields)
            if isinstance(choice, str):
                refused = on_rollback == "refuse" and pin in ONLY_CANDIDATE
                assert choice == ("version-taken-back" if refused else "no-ready-version")
                continue
            assert choice.assigned != CANDIDATE
            if choice.served == CANDIDATE:
                assert (pin in ONLY_CANDIDATE, choice.reason, on_rollback) == (True, "taken-back", "keep")
            else:
                assert pin not in ONLY_CANDIDATE
            assert not choice.evidence


@settings(deadline=None, max_examples=100)
@given(other_rules(), st.lists(users, min_size=10, max_size=30))
def test_who_had_another_version_keeps_it_when_the_candidate_is_taken_back(
    others: tuple[spec.Rule, ...], people: list[tuple[str, set[str]]]
) -> None:
    whole = whole_spec((Step(weight=40), Step(weight=100)), *others)
    before, after = at(whole, 0), at(whole, 0, 0.0, taken_back=True, evidence=False)
    for user, segments in people:
        fields = {f"x_{name}": "1" for name in segments}
        had, has = chosen(before, user, **fields), chosen(after, user, **fields)
        assert has.assigned == (STABLE if had.assigned == CANDIDATE else had.assigned)
        assert has.pinned == had.pinned
