"""What holds for all flags and contexts: nothing raises, shares are fair, ramps only let in, caches change nothing."""

from __future__ import annotations

import json
import math
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stepdown.decide.flags import Evaluation, Finding, FlagFileError, compile_flags
from stepdown.decide.flags.fractional import hash_of, pick_of
from tests.kit.flag_files import FlagMaker, context

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=12,
)
NAMES = st.sampled_from(["targetingKey", "email", "plan", "age", "version", "user", "tags", "list", "nested", "$flagd"])
CONTEXTS = st.dictionaries(NAMES | st.text(max_size=5), JSON, max_size=8)
FLAGS = st.builds(lambda seed: FlagMaker(Random(seed)).flag(5), st.integers(0, 2**32))
OUTCOMES = {"STATIC", "TARGETING_MATCH", "DEFAULT", "DISABLED", "ERROR"}


@given(FLAGS, st.lists(CONTEXTS, min_size=1, max_size=8), st.sampled_from([1, 2, 3]))
@settings(max_examples=100, deadline=None)
def test_every_flag_has_an_outcome_for_every_context(
    flag: Any, contexts: list[dict[str, Any]], generation: int
) -> None:
    flags = compile_flags({"flags": {"flag": flag}}, fractional=generation)
    for facts in contexts:
        before = repr(facts)
        outcome = flags.evaluate("flag", facts, "mine", now=1.5)
        assert isinstance(outcome, Evaluation)
        assert outcome.reason in OUTCOMES
        assert (outcome.error is not None) == (outcome.reason == "ERROR")
        if outcome.variant is None:
            assert outcome.value == "mine"
        else:
            assert outcome.value == flag["variants"][outcome.variant]
        assert repr(facts) == before, "a context is only read"


def findings_of(text: str) -> tuple[Finding, ...]:
    try:
        return compile_flags(text).warnings
    except FlagFileError as error:
        return error.findings or (Finding("", "refused without a reason"),)


@given(JSON)
@settings(max_examples=200, deadline=None)
def test_any_document_is_compiled_or_refused_with_places(document: Any) -> None:
    texts = [json.dumps(document), json.dumps({"flags": document}), json.dumps({"flags": {"x": document}})]
    for text in texts:
        assert all(finding.pointer.startswith("#") and finding.problem for finding in findings_of(text))


@given(JSON, CONTEXTS)
@settings(max_examples=200, deadline=None)
def test_any_targeting_is_compiled_and_evaluated(targeting: Any, facts: dict[str, Any]) -> None:
    flag = {"state": "ENABLED", "variants": {"red": 1}, "targeting": targeting}
    flags = compile_flags({"flags": {"flag": flag}})
    assert flags.evaluate("flag", facts, now=1).reason in OUTCOMES


@given(FLAGS, st.integers(0, 2**32))
@settings(max_examples=100, deadline=None)
def test_remembering_outcomes_changes_none(flag: Any, seed: int) -> None:
    document = {"flags": {"flag": flag}}
    remembering, forgetful = compile_flags(document, remembered=2), compile_flags(document, remembered=0)
    random = Random(seed)
    few = [context(random) for _ in range(8)]
    for at in range(60):
        facts = random.choice(few)
        asked = [each.evaluate("flag", facts, "mine", now=at) for each in (remembering, forgetful)]
        assert repr(asked[0]) == repr(asked[1])


@given(FLAGS, st.integers(0, 2**32))
@settings(max_examples=100, deadline=None)
def test_what_a_flag_does_not_need_does_not_matter(flag: Any, seed: int) -> None:
    flags = compile_flags({"flags": {"flag": flag}}, remembered=0)
    needs = flags.needs("flag")
    if needs.everything:
        return
    random = Random(seed)
    read = {path.split(".")[0] for path in needs.paths}
    for _ in range(10):
        # A list in the place of a key is a share, and the key the targeting key: see `Needs.paths`.
        facts = {name: value for name, value in context(random).items() if name != "email" or value != ["red", 5]}
        others = {name: value for name, value in context(random).items() if name not in read}
        changed = {**{name: value for name, value in facts.items() if name in read}, **others}
        later = 1 if needs.time else 10**9
        assert repr(flags.evaluate("flag", facts, now=1)) == repr(flags.evaluate("flag", changed, now=later))


KEYS = [f"s:u{number}" for number in range(100_000)]


@pytest.fixture(scope="module")
def hashes() -> list[int]:
    return [hash_of(key) for key in KEYS]


@pytest.mark.parametrize(("weight", "share"), [(1, 0.00951), (5, 0.05069), (10, 0.10046), (25, 0.24874), (50, 0.50003)])
def test_a_hundred_thousand_users_share_out_as_known_and_as_chance_would(weight: int, share: float) -> None:
    pick = pick_of([("canary", weight), ("old", 100 - weight)], 2)
    found = sum(pick(key) == "canary" for key in KEYS)
    assert found / len(KEYS) == pytest.approx(share, abs=1e-9)
    expected = weight / 100
    assert abs(found / len(KEYS) - expected) < 4 * math.sqrt(expected * (1 - expected) / len(KEYS))


@pytest.mark.parametrize("generation", [1, 2, 3])
def test_three_shares_are_within_chance_in_every_generation(generation: int) -> None:
    weights = {"a": 20, "b": 30, "c": 50}
    pick = pick_of(list(weights.items()), generation)
    counts = dict.fromkeys(weights, 0)
    for key in KEYS:
        counts[pick(key)] += 1
    for name, weight in weights.items():
        expected = weight / 100
        deviation = math.sqrt(expected * (1 - expected) / len(KEYS))
        assert abs(counts[name] / len(KEYS) - expected) < 4 * deviation


def test_a_ramp_only_lets_users_in(hashes: list[int]) -> None:
    inside: set[int] = set()
    joined = []
    for weight in (1, 5, 10, 20, 25, 50, 99, 100):
        now_inside = {at for at, hashed in enumerate(hashes) if hashed * 100 >> 32 < weight}
        pick = pick_of([("canary", weight), ("old", 100 - weight)], 2)
        sample = range(0, len(KEYS), 37)
        assert {at for at in sample if pick(KEYS[at]) == "canary"} == now_inside & set(sample)
        assert inside <= now_inside, "nobody who is in leaves"
        joined.append(len(now_inside - inside))
        inside = now_inside
    assert joined[3] == 9816, "from 10 to 20 percent"
    assert len(inside) == len(KEYS)


@given(st.lists(st.integers(0, 1000), min_size=1, max_size=6), st.text(min_size=1))
@settings(max_examples=200, deadline=None)
def test_a_variant_of_no_weight_gets_nobody_and_somebody_gets_every_key(weights: list[int], key: str) -> None:
    shares = [(at, weight) for at, weight in enumerate(weights)]
    for generation in (2, 3):
        try:
            picked = pick_of(shares, generation)(key)
        except UnicodeEncodeError:
            continue
        assert picked is None if sum(weights) == 0 else weights[picked] > 0
