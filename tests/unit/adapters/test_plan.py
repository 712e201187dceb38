from itertools import pairwise

from stepdown_adapters.plan import Edge, plan_chains


def route(plan: object, served: str, pinned: str) -> list[str]:
    chain = plan.chains[served, pinned]  # type: ignore[attr-defined]
    return [chain[0].source, *(edge.target for edge in chain)]


def test_a_chain_is_found_over_several_steps() -> None:
    versions = ["1.0.0", "1.1.0", "2.0.0"]
    plan = plan_chains(["2.0.0"], versions, [Edge("2.0.0", "1.1.0"), Edge("1.1.0", "1.0.0")])
    assert route(plan, "2.0.0", "1.0.0") == ["2.0.0", "1.1.0", "1.0.0"]
    assert ("1.0.0", "2.0.0") not in plan.chains
    assert ("2.0.0", "2.0.0") not in plan.chains


def test_a_lossless_detour_beats_a_lossy_short_cut() -> None:
    edges = [Edge("3.0.0", "1.0.0", lossless=False), Edge("3.0.0", "2.0.0"), Edge("2.0.0", "1.0.0")]
    assert route(plan_chains(["3.0.0"], ["1.0.0", "2.0.0", "3.0.0"], edges), "3.0.0", "1.0.0") == [
        "3.0.0",
        "2.0.0",
        "1.0.0",
    ]


def test_among_equally_lossless_chains_the_shortest_wins() -> None:
    edges = [Edge("3.0.0", "1.0.0"), Edge("3.0.0", "2.0.0"), Edge("2.0.0", "1.0.0")]
    assert route(plan_chains(["3.0.0"], ["1.0.0", "2.0.0", "3.0.0"], edges), "3.0.0", "1.0.0") == ["3.0.0", "1.0.0"]


def test_fewer_lossy_steps_win_where_none_is_lossless() -> None:
    lossy = [("4.0.0", "3.0.0"), ("3.0.0", "1.0.0"), ("2.0.0", "1.0.0")]
    edges = [*(Edge(source, target, False) for source, target in lossy), Edge("4.0.0", "2.0.0")]
    versions = ["1.0.0", "2.0.0", "3.0.0", "4.0.0"]
    assert route(plan_chains(["4.0.0"], versions, edges), "4.0.0", "1.0.0") == ["4.0.0", "2.0.0", "1.0.0"]


def test_ties_go_over_the_newest_version_by_precedence() -> None:
    middle = ["2.0.0", "2.9.0", "2.10.0", "2.10.0-rc.1"]
    edges = [Edge("3.0.0", version) for version in middle] + [Edge(version, "1.0.0") for version in middle]
    plan = plan_chains(["3.0.0"], ["1.0.0", *middle, "3.0.0"], edges)
    assert route(plan, "3.0.0", "1.0.0") == ["3.0.0", "2.10.0", "1.0.0"]


def test_circles_end() -> None:
    plan = plan_chains(["2.0.0"], ["1.0.0", "2.0.0"], [Edge("2.0.0", "1.0.0"), Edge("1.0.0", "2.0.0")])
    assert set(plan.chains) == {("2.0.0", "1.0.0"), ("1.0.0", "2.0.0")}


def test_a_dead_end_names_the_missing_adapter_and_the_difference() -> None:
    versions = ["1.0.0", "1.1.0", "2.0.0", "3.0.0"]
    reasons = {("2.0.0", "1.1.0"): " at /outputs: 'maxItems' is 2 instead of 1"}
    plan = plan_chains(["3.0.0"], versions, [Edge("3.0.0", "2.0.0"), Edge("1.1.0", "1.0.0")], reasons)
    sentence = (
        "2.0.0 -> 1.1.0: no adapter is declared and the contracts differ at /outputs: 'maxItems' is 2 instead of 1"
    )
    assert plan.missing("3.0.0", "1.0.0") == sentence


def test_a_dead_end_without_contracts_names_the_missing_adapter() -> None:
    plan = plan_chains(["2.0.0"], ["1.0.0", "2.0.0"], [])
    assert plan.missing("2.0.0", "1.0.0") == "2.0.0 -> 1.0.0: no adapter is declared"


def test_upwards_the_missing_adapter_is_named_as_well() -> None:
    plan = plan_chains(["1.0.0"], ["1.0.0", "2.0.0"], [Edge("2.0.0", "1.0.0")])
    assert plan.missing("1.0.0", "2.0.0") == "1.0.0 -> 2.0.0: no adapter is declared"


def test_a_hundred_versions_are_planned() -> None:
    versions = [f"1.{minor}.0" for minor in range(100)]
    edges = [Edge(newer, older) for older, newer in pairwise(versions)]
    plan = plan_chains(versions, versions, edges)
    assert len(plan.chains) == 100 * 99 // 2
    assert len(plan.chains["1.99.0", "1.0.0"]) == 99


def test_a_chain_without_an_alternative_is_the_only_way() -> None:
    plan = plan_chains(["2.0.0"], ["1.0.0", "2.0.0"], [Edge("2.0.0", "1.0.0"), Edge("1.0.0", "2.0.0")])
    assert not plan.why("2.0.0", "1.0.0")


def test_what_is_worse_about_every_other_way_is_told() -> None:
    edges = [
        Edge("4.0.0", "1.0.0", lossless=False),
        Edge("4.0.0", "3.0.0"),
        Edge("4.0.0", "2.5.0"),
        Edge("4.0.0", "2.0.0"),
        Edge("3.0.0", "2.0.0"),
        Edge("2.5.0", "1.0.0"),
        Edge("2.0.0", "1.0.0"),
        Edge("2.5.0", "1.5.0"),
    ]
    plan = plan_chains(["4.0.0"], ["1.0.0", "1.5.0", "2.0.0", "2.5.0", "3.0.0", "4.0.0"], edges)
    assert route(plan, "4.0.0", "1.0.0") == ["4.0.0", "2.5.0", "1.0.0"]
    assert plan.why("4.0.0", "1.0.0").split("; ") == [
        "4.0.0 -> 1.0.0 has 1 lossy step instead of 0",
        "4.0.0 -> 3.0.0 -> 2.0.0 -> 1.0.0 has 3 steps instead of 2",
        "4.0.0 -> 2.0.0 -> 1.0.0 is as good, and the way over the newer versions is taken",
        "1.5.0, from 2.5.0, is a dead end: 1.5.0 -> 1.0.0: no adapter is declared",
    ]
