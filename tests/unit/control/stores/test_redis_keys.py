"""Names in Redis: none can be another's, and what goes in comes out."""

from __future__ import annotations

from typing import get_args

from hypothesis import given
from hypothesis import strategies as st

from stepdown.control.stores import Arm, Cell, Counts, Side
from stepdown.control.stores.redis_keys import Keys, counts_of, field
from stepdown.control.stores.tallies import Scope

TEXTS = st.text(st.sampled_from("a:%é3A"), max_size=4)
SCOPES = st.builds(Scope, st.integers(0, 20), TEXTS, st.sampled_from(get_args(Side)))


@given(st.lists(st.tuples(TEXTS, st.integers(1, 11), SCOPES), unique=True, max_size=20))
def test_sets_of_different_scopes_have_different_names(places: list[tuple[str, int, Scope]]) -> None:
    keys = Keys("stepdown:")
    names = {keys.seen(*place) for place in places}
    assert len(names) == len(places)
    others = {name for rollout, run, _ in places for name in [*keys.of_run(rollout, run), keys.history(rollout)]}
    fixed = {keys.schema, keys.states, keys.documents, *keys.of_lease}
    assert not names & (others | fixed)
    assert not others & fixed


@given(
    st.dictionaries(
        st.builds(Cell, st.integers(0, 20), st.sampled_from(get_args(Arm)), TEXTS),
        st.builds(Counts, st.integers(1, 9), st.integers(1, 9)),
    )
)
def test_counts_are_read_as_they_were_written(counts: dict[Cell, Counts]) -> None:
    sides: tuple[Side, ...] = ("trials", "events")
    written = {
        field(*cell, side).encode(): str(number).encode()
        for cell, pair in counts.items()
        for side, number in zip(sides, pair, strict=True)
    }
    assert counts_of(written) == counts
