"""Whatever is configured and whatever is down: a choice is possible, or the refusal is the right one."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from stepdown.decide import spec
from stepdown.decide.snapshot import Route, compile_snapshot
from stepdown.errors import NoReadyVersionError, UnreachableShapeError
from tests.kit import specs
from tests.kit.request import request

VERSIONS = ("1.0.0", "1.1.0", "2.0.0", "3.0.0", "4.0.0")

pairs = st.sets(st.sampled_from([(new, old) for new in VERSIONS for old in VERSIONS if new > old]))
splits = st.dictionaries(st.sampled_from(VERSIONS), st.integers(0, 3), min_size=1).filter(lambda one: any(one.values()))


def compiled(reach: set[tuple[str, str]], split: dict[str, int], other: dict[str, int]) -> Route:
    chains = tuple(spec.Chain(served=served, pinned=pinned, steps=()) for served, pinned in sorted(reach))
    model = specs.model(*(specs.version(version, 1) for version in VERSIONS), chains=chains)
    rules = (
        spec.Rule(name="all", split=tuple(split.items())),
        spec.Rule(name="other", split=tuple(other.items())),
    )
    return compile_snapshot(specs.snapshot(specs.route({}, rules=rules), models=[model])).routes[0]


@settings(max_examples=300, deadline=None)
@given(pairs, splits, splits, st.sets(st.sampled_from(VERSIONS)), st.sampled_from(VERSIONS), st.integers(0, 9999))
def test_a_choice_is_eligible_and_ready_and_its_reason_is_true(
    reach: set[tuple[str, str]], split: dict[str, int], other: dict[str, int], down: set[str], pinned: str, drawn: int
) -> None:
    route = compiled(reach, split, other)
    ready = [version not in down for version in VERSIONS]
    able = {version for version in (*split, *other) if version == pinned or (version, pinned) in reach}
    up = able - down
    try:
        choice = route.choose(request(x_model_version=pinned), (), None, "", ready, lambda: drawn)
    except UnreachableShapeError:
        assert not able
        return
    except NoReadyVersionError:
        assert able
        assert not up
        return
    assert choice.pinned == pinned
    assert choice.served in up
    assert VERSIONS[choice.served_index] == choice.served
    assert split[choice.assigned]
    expected = "pin-forced" if choice.assigned not in able else "split" if choice.assigned in up else "unhealthy"
    assert choice.reason == expected
    weighted_and_up = {version for version in up if split.get(version)}
    assert choice.served in (weighted_and_up or up)
    assert choice.evidence == (choice.assigned in able and set(split) <= able)
    assert (choice.chain is None) == (choice.served == choice.pinned)
