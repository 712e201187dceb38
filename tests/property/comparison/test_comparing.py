"""What holds of any two JSON values, by any rules."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from stepdown.comparison.answers import Reply
from stepdown.comparison.compare import Comparison
from stepdown.comparison.showing import shown, shown_sides
from stepdown.decide.shadow_spec import Comparing, Text, Tolerance, TopK, Unordered
from tests.kit.comparing import differences

NAMES = st.sampled_from(["a", "b", "c", "a/b", "*", "[x", "~"])
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(10**30, 10**40)
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from([0, 1, 1.0, "a", "\ud800"])
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=5) | st.dictionaries(NAMES, inner, max_size=4), max_leaves=25
)
PATHS = st.sampled_from(["", "/a", "/*", "/a/b", "/*/a", "/a/*", "/0", "/[a=1]", "/[a=1]/b", "/a~1b", "/*/*"])
TOLERANCES = st.builds(Tolerance, path=PATHS, absolute=st.floats(0, 10), relative=st.floats(0, 1))
RANKINGS = st.builds(TopK, path=PATHS, k=st.integers(1, 3), key=st.none() | NAMES, agree=st.floats(0, 1))
RULES = st.builds(
    Comparing,
    ignore=st.tuples() | st.tuples(PATHS),
    tolerances=st.tuples() | st.tuples(TOLERANCES),
    unordered=st.tuples() | st.tuples(st.builds(Unordered, path=PATHS, key=st.none() | NAMES)),
    top=st.tuples() | st.tuples(RANKINGS),
    text=st.tuples() | st.tuples(st.builds(Text, path=PATHS, similar=st.floats(0, 1))),
    labels=st.tuples() | st.tuples(PATHS),
)


def of(rules: Comparing, served: Any, candidate: Any, redact: tuple[str, ...] = ()) -> list[Any]:
    comparison = Comparison(rules, redact)
    return comparison.compare(Reply(200, document=served), Reply(200, document=candidate)).differences


@given(VALUES, RULES)
def test_every_value_is_equal_to_itself_by_any_rules(value: Any, rules: Comparing) -> None:
    assert of(rules, value, value) == []


@given(VALUES, VALUES, RULES, st.tuples() | st.tuples(PATHS))
def test_any_two_values_are_compared_and_shown_without_an_error(
    served: Any, candidate: Any, rules: Comparing, redact: tuple[str, ...]
) -> None:
    for one in of(rules, served, candidate, redact):
        assert msgspec.json.encode([one.path, one.pointer, *shown_sides(one)])
        assert 0 <= one.magnitude <= 2


@given(VALUES, VALUES)
def test_without_rules_it_does_not_matter_which_is_served(served: Any, candidate: Any) -> None:
    mirror = {"missing": "added", "added": "missing"}
    there = [(one.kind, one.pointer) for one in differences(served, candidate)]
    back = [(mirror.get(one.kind, one.kind), one.pointer) for one in differences(candidate, served)]
    assert sorted(there) == sorted(back)


@given(VALUES, VALUES, st.tuples(st.builds(Tolerance, path=PATHS, absolute=st.floats(0, 10))))
def test_an_absolute_tolerance_is_the_same_in_both_directions(
    served: Any, candidate: Any, rules: tuple[Tolerance, ...]
) -> None:
    assert bool(differences(served, candidate, tolerances=rules)) == bool(
        differences(candidate, served, tolerances=rules)
    )


@given(VALUES, VALUES, RULES)
def test_what_differs_at_a_path_no_longer_does_when_the_path_is_ignored(
    served: Any, candidate: Any, rules: Comparing
) -> None:
    # Items without order are matched by what is looked at, so that ignoring a part may match others.
    rules = msgspec.structs.replace(rules, unordered=(), top=())
    for one in of(rules, served, candidate):
        if one.kind in {"length", "order"}:
            continue
        fewer = msgspec.structs.replace(rules, ignore=(*rules.ignore, one.pointer))
        left = of(fewer, served, candidate)
        assert one.pointer not in {other.pointer for other in left}
        assert not any(other.pointer.startswith(f"{one.pointer}/") for other in left)


@given(st.lists(SCALARS, max_size=6), st.randoms(use_true_random=False))
def test_a_multiset_is_equal_to_itself_in_any_order(items: list[Any], dice: Any) -> None:
    other = list(items)
    dice.shuffle(other)
    assert differences(items, other, unordered=(Unordered(path=""),)) == []
    found = differences(items, other)
    assert {one.kind for one in found} <= {"order", "value", "type"}


@given(VALUES, PATHS)
def test_nothing_of_what_is_redacted_is_shown(value: Any, path: str) -> None:
    secret = "0secret0"
    hidden = {"a": secret, "b": [secret, {secret: 1}], "0": secret, "*": {"a": secret}}
    state = Comparison(Comparing(), ("/hidden", path)).rules
    assert secret not in shown({"hidden": hidden, "value": value}, state)
    (one,) = differences({"hidden": hidden}, {}, ("/hidden",))
    assert secret not in "".join([one.path, one.pointer, *shown_sides(one)])


@given(VALUES, VALUES)
def test_bodies_and_documents_say_the_same(served: Any, candidate: Any) -> None:
    try:
        bodies = [msgspec.json.encode(value) for value in (served, candidate)]
        documents = [msgspec.json.decode(body) for body in bodies]
    except ValueError:  # half a character
        return
    read = Comparison(Comparing()).compare(*(Reply(200, body) for body in bodies)).differences
    given_ = Comparison(Comparing()).compare(*(Reply(200, document=document) for document in documents)).differences
    assert [(one.kind, one.pointer) for one in read] == [(one.kind, one.pointer) for one in given_]
