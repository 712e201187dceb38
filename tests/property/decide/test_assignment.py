"""What splits promise about users, held against 100,000 of them through whole configurations."""

from __future__ import annotations

import math
from collections import Counter
from itertools import pairwise
from random import Random

import pytest

from stepdown.decide import spec
from stepdown.decide.snapshot import Route, compile_snapshot
from tests.kit import specs
from tests.kit.configuration import Folder, changed
from tests.kit.request import Request

USERS = [b"u%d" % number for number in range(100_000)]
VERSIONS = ("1.0.0", "2.0.0", "3.0.0", "4.0.0", "5.0.0")
READY = [True] * len(VERSIONS)
EVERYONE = '{name: everyone, split: {"1.1.0": 95, "2.0.0": 5}}'


@pytest.fixture
def folder(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    return Folder(tmp_path_factory.mktemp("configuration"))


def route(split: dict[str, int], *, salt: str = "churn/everyone") -> Route:
    """Every version gives the shape of 1.0.0, so that nothing but the split decides."""
    chains = tuple(spec.Chain(served=version, pinned="1.0.0", steps=()) for version in VERSIONS[1:])
    model = specs.model(*(specs.version(version, 1) for version in VERSIONS), chains=chains)
    rule = spec.Rule(name="all", split=tuple(split.items()), salt=salt)
    key = (spec.KeySource(header="x-user-id"),)
    return compile_snapshot(specs.snapshot(specs.route({}, rules=(rule,), key=key), models=[model])).routes[0]


def assigned(one: Route, ready: list[bool] | None = None) -> list[str]:
    """The version of each user, through the whole decision."""
    asked = Request(path=b"/v2/models/churn/infer")
    ready = ready or [True] * len(one.model.versions)

    def refuse() -> int:
        raise AssertionError("drawn")

    result = []
    for user in USERS:
        asked.fields = {b"x-user-id": user}
        result.append(one.choose(asked, (), None, "", ready, refuse).assigned)
    return result


def moves(before: list[str], after: list[str]) -> Counter[tuple[str, str]]:
    return Counter(pair for pair in zip(before, after, strict=True) if pair[0] != pair[1])


def within(count: int, share: float) -> bool:
    """Within five standard deviations of a share of all users."""
    return abs(count - share * len(USERS)) < 5 * math.sqrt(len(USERS) * share * (1 - share))


@pytest.mark.parametrize(
    "split",
    [
        {"1.0.0": 95, "2.0.0": 5},
        {"1.0.0": 70, "2.0.0": 20, "3.0.0": 10},
        {"1.0.0": 50, "2.0.0": 30, "3.0.0": 15, "4.0.0": 5},
    ],
)
def test_users_are_shared_out_as_the_weights_say(split: dict[str, int]) -> None:
    counted = Counter(assigned(route(split)))
    assert all(within(counted[version], weight / 100) for version, weight in split.items())


def test_who_is_in_at_5_percent_is_in_at_25_and_at_50() -> None:
    ramp = [assigned(route({"1.0.0": 100 - percent, "2.0.0": percent})) for percent in (5, 25, 50)]
    for low, high in pairwise(ramp):
        assert set(moves(low, high)) == {("1.0.0", "2.0.0")}
        assert set(moves(high, low)) == {("2.0.0", "1.0.0")}


def test_a_ramp_of_one_of_three_moves_no_bystander() -> None:
    # With contiguous intervals and the same hash, 9,816 users of the 10 % that did not change would move, and 10,099
    # of the base's would take their places.
    before = assigned(route({"1.0.0": 80, "2.0.0": 10, "3.0.0": 10}))
    moved = moves(before, assigned(route({"1.0.0": 70, "2.0.0": 20, "3.0.0": 10})))
    assert set(moved) == {("1.0.0", "2.0.0")}
    assert within(moved["1.0.0", "2.0.0"], 0.1)
    back = moves(before, assigned(route({"1.0.0": 90, "2.0.0": 10, "3.0.0": 0})))
    assert set(back) == {("3.0.0", "1.0.0")}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ((70, 10, 10, 10), (60, 20, 10, 10)),
        ((25, 25, 25, 25), (25, 25, 25, 0)),
        ((80, 5, 5, 5, 5), (80, 5, 5, 5, 30)),
    ],
)
def test_of_four_and_more_at_most_a_quarter_more_users_move_than_must(
    before: tuple[int, ...], after: tuple[int, ...]
) -> None:
    first, second = (dict(zip(VERSIONS, weights, strict=False)) for weights in (before, after))
    one, other = assigned(route(first)), assigned(route(second))
    shares = [Counter(one), Counter(other)]
    least = sum(abs(shares[0][version] - shares[1][version]) for version in VERSIONS) / 2
    assert sum(moves(one, other).values()) <= 1.25 * least * 1.05, "5 % for the chance of which users there are"


@pytest.mark.parametrize("salts", [("churn/everyone", "fraud/everyone"), ("churn/everyone", "churn/beta")])
def test_routes_and_rules_assign_independently_of_each_other(salts: tuple[str, str]) -> None:
    """Chi-square of the 3 by 3 table of assignments: 4 degrees of freedom, 23.5 is the 99.99th percentile."""
    split = {"1.0.0": 60, "2.0.0": 30, "3.0.0": 10}
    counted = Counter(zip(*(assigned(route(split, salt=salt)) for salt in salts), strict=True))
    expected = {(a, b): len(USERS) * split[a] * split[b] / 10_000 for a in split for b in split}
    assert sum((counted[pair] - count) ** 2 / count for pair, count in expected.items()) < 23.5


def test_whom_a_dead_version_leaves_is_shared_out_by_weight_and_each_of_them_stays() -> None:
    one = route({"1.0.0": 50, "2.0.0": 30, "3.0.0": 20})
    asked = Request()

    def served(ready: list[bool]) -> list[str]:
        result = []
        for user in USERS:
            asked.fields = {b"x-user-id": user}
            result.append(one.choose(asked, (), None, "", ready, lambda: 0).served)
        return result

    well, without = served(READY), served([version != "1.0.0" for version in VERSIONS])
    moved = moves(well, without)
    assert set(moved) == {("1.0.0", "2.0.0"), ("1.0.0", "3.0.0")}
    assert within(moved["1.0.0", "2.0.0"], 0.3)
    assert served([version != "1.0.0" for version in VERSIONS]) == without


def test_requests_without_a_key_draw_independently() -> None:
    one = route({"1.0.0": 90, "2.0.0": 10})
    dice = Random(5)
    drawn = [one.choose(Request(), (), None, "", READY, lambda: dice.randrange(10_000)).served for _ in USERS]
    assert within(drawn.count("2.0.0"), 0.1)
    pairs = Counter(zip(drawn[::2], drawn[1::2], strict=True))
    expected = {
        (a, b): len(USERS) / 2 * x * y
        for a, x in (("1.0.0", 0.9), ("2.0.0", 0.1))
        for b, y in (("1.0.0", 0.9), ("2.0.0", 0.1))
    }
    assert sum((pairs[pair] - count) ** 2 / count for pair, count in expected.items()) < 21.1  # 3 degrees of freedom


# --- through files --------------------------------------------------------------------------------------------------


def of_file(folder: Folder, *changes: tuple[str, str]) -> Route:
    return compile_snapshot(folder.load(changed(*changes)).spec).routes[0]


def test_a_salt_in_the_file_lets_route_and_rule_be_renamed_without_moving_anybody(folder: Folder) -> None:
    pinned = EVERYONE.replace("{name", '{salt: "churn/everyone", name')
    renamed = pinned.replace("name: everyone", "name: all-users")
    before = assigned(of_file(folder))
    assert assigned(of_file(folder, (EVERYONE, pinned))) == before, "the salt that `explain` shows is the one to pin"
    both = ("routes:\n  churn:", "routes:\n  churn-2026:")
    assert assigned(of_file(folder, (EVERYONE, renamed), both)) == before
    without = assigned(of_file(folder, (EVERYONE, EVERYONE.replace("everyone", "all-users"))))
    assert within(sum(moves(before, without).values()), 2 * 0.95 * 0.05)


def test_the_order_of_routes_and_rules_moves_nobody(folder: Folder) -> None:
    beta = '      - {name: beta, when: {header: {x-plan: beta}}, split: {"2.0.0": 100}}\n'
    assert assigned(of_file(folder, (beta, ""))) == assigned(of_file(folder))


def test_explain_shows_the_salt_of_every_decision(folder: Folder) -> None:
    one = of_file(folder)
    for fields in ({b"x-user-id": b"7"}, {}):
        asked = Request(path=b"/v2/models/churn/infer", fields=fields)
        assert one.explain(asked, (), None, "", [True] * 3, lambda: 0).salt == "churn/everyone"
