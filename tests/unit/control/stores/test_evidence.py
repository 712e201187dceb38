"""What both stores promise about evidence: everything counts, and nothing twice."""

from __future__ import annotations

import asyncio

import pytest

from stepdown.control.stores import Added, Arm, Batch, Cell, Counts, Side, Sighting, Store
from stepdown.control.stores.tallies import MOST_SIGHTINGS
from tests.kit.stores import Place, tell

LAST_UNIT = 2**64 - 1


def seen(unit: int, *, stage: int = 0, arm: Arm = "candidate", kind: str = "click", side: Side = "events") -> Sighting:
    return Sighting(stage, arm, kind, unit, side)


def batch(sequence: int, *sightings: Sighting, run: int = 1, source: str = "w1", **deltas: Counts) -> Batch:
    """Deltas are by kind, of the candidate at the first stage."""
    cells = {Cell(0, "candidate", kind): counts for kind, counts in deltas.items()}
    return Batch("r", run, source, sequence, sightings, cells)


def test_deltas_add_up(place: Place) -> None:
    async def story(store: Store) -> None:
        cells = {Cell(0, "candidate", "errors"): Counts(10, 1), Cell(1, "stable", "slow: p99"): Counts(0, 2)}
        assert await store.add(Batch("r", 1, "w1", 1, deltas=cells)) == Added("counted")
        await store.add(batch(1, source="w2", errors=Counts(5, 0)))
        await store.add(batch(2, errors=Counts(0, 0)))
        expected = {Cell(0, "candidate", "errors"): Counts(15, 1), Cell(1, "stable", "slow: p99"): Counts(0, 2)}
        assert await store.evidence("r", 1) == expected
        assert await store.evidence("r", 2) == {}
        assert await store.evidence("q", 1) == {}

    tell(place, story)


def test_a_unit_counts_once_for_each_stage_kind_side_and_run(place: Place) -> None:
    async def story(store: Store) -> None:
        same = seen(7)
        others = [seen(8), seen(7, stage=1), seen(7, kind="buy"), seen(7, side="trials")]
        assert await store.add(batch(1, same, same)) == Added("counted", 1)
        assert await store.add(batch(2, same, *others)) == Added("counted", 4)
        assert await store.add(batch(1, same, source="w2")) == Added("counted", 0)
        assert await store.add(batch(1, same, run=2)) == Added("counted", 1)
        assert await store.evidence("r", 1) == {
            Cell(0, "candidate", "click"): Counts(1, 2),
            Cell(1, "candidate", "click"): Counts(0, 1),
            Cell(0, "candidate", "buy"): Counts(0, 1),
        }
        assert await store.evidence("r", 2) == {Cell(0, "candidate", "click"): Counts(0, 1)}

    tell(place, story)


def test_a_unit_in_both_arms_counts_for_the_one_where_it_was_first(place: Place) -> None:
    async def story(store: Store) -> None:
        both = [seen(7, arm="stable"), seen(7), seen(8, arm="stable"), seen(8), seen(9), seen(9, arm="stable")]
        assert (await store.add(batch(1, *both))).new == 3
        assert (await store.add(batch(2, seen(7), seen(8), seen(9, arm="stable")))).new == 0
        expected = {Cell(0, "stable", "click"): Counts(0, 2), Cell(0, "candidate", "click"): Counts(0, 1)}
        assert await store.evidence("r", 1) == expected

    tell(place, story)


def test_a_batch_that_is_sent_again_does_not_count_again(place: Place) -> None:
    async def story(store: Store) -> None:
        once = batch(3, seen(1), errors=Counts(10, 1))
        assert await store.add(once) == Added("counted", 1)
        assert await store.add(once) == Added("repeated")
        assert await store.add(batch(2, seen(2), errors=Counts(1, 1))) == Added("repeated")
        assert await store.counted("r", 1, "w1") == 3
        assert await store.counted("r", 1, "w2") == 0
        assert await store.evidence("r", 1) == {
            Cell(0, "candidate", "click"): Counts(0, 1),
            Cell(0, "candidate", "errors"): Counts(10, 1),
        }

    tell(place, story)


def test_a_batch_that_was_counted_before_a_restart_is_known_after_it(place: Place) -> None:
    async def before(store: Store) -> None:
        await store.add(batch(1, seen(1), errors=Counts(1, 1)))

    async def after(store: Store) -> None:
        assert (await store.add(batch(1, seen(1), errors=Counts(1, 1)))).outcome == "repeated"
        assert await store.add(batch(2, seen(1))) == Added("counted", 0)

    tell(place, before)
    tell(place, after)


def test_a_run_that_was_forgotten_is_empty_and_takes_nothing_more(place: Place) -> None:
    async def story(store: Store) -> None:
        token = await store.acquire("a", 1000)
        assert token is not None
        await store.write(token, "r", 0, b"state")
        for run in (1, 2):
            await store.add(batch(1, *map(seen, range(100)), run=run, errors=Counts(1, 1)))
        kept = await store.evidence("r", 2)
        await store.forget("r", 1)
        await store.forget("r", 1)
        await store.forget("never", 1)
        assert await store.evidence("r", 1) == {}
        assert await store.counted("r", 1, "w1") == 0
        assert await store.add(batch(2, seen(1), errors=Counts(1, 1))) == Added("forgotten")
        assert await store.evidence("r", 1) == {}
        assert await store.evidence("r", 2) == kept
        assert (await store.add(batch(2, seen(1), run=2))).new == 0
        assert (await store.read("r")) is not None

    tell(place, story)


def test_a_large_batch_counts_whole_and_units_have_64_bits(place: Place) -> None:
    async def story(store: Store) -> None:
        spread = [unit * (LAST_UNIT // (MOST_SIGHTINGS - 1)) for unit in range(MOST_SIGHTINGS - 1)]
        assert (await store.add(batch(1, *map(seen, spread), seen(LAST_UNIT)))).new == MOST_SIGHTINGS
        assert (await store.add(batch(2, *map(seen, spread), seen(LAST_UNIT)))).new == 0
        # Texts of eight digits are eight bytes too.
        assert (await store.add(batch(3, seen(int.from_bytes(b"12345678")), seen(12345678)))).new == 2
        assert (await store.evidence("r", 1))[Cell(0, "candidate", "click")] == Counts(0, MOST_SIGHTINGS + 2)

    tell(place, story)


@pytest.mark.parametrize(
    "wrong",
    [
        batch(0, seen(1)),
        batch(1, seen(-1)),
        batch(1, seen(1), seen(LAST_UNIT + 1)),
        batch(1, seen(1), errors=Counts(-1, 0)),
        batch(1, Sighting(0, "both", "click", 1)),  # type: ignore[arg-type]
        batch(1, *map(seen, range(MOST_SIGHTINGS + 1))),
    ],
    ids=["no sequence", "unit below", "unit above", "negative", "arm", "too many"],
)
def test_a_batch_that_makes_no_sense_is_refused_whole(place: Place, wrong: Batch) -> None:
    async def story(store: Store) -> None:
        with pytest.raises(ValueError, match=r"no sighting|no delta|at most|numbered"):
            await store.add(wrong)
        assert await store.evidence("r", 1) == {}
        assert await store.counted("r", 1, "w1") == 0

    tell(place, story)


def test_names_that_look_like_parts_of_others_are_kept_apart(place: Place) -> None:
    async def story(store: Store) -> None:
        for name, kind in (("r:1", "k"), ("r", "1:k"), ("r%3A1", "k:k"), ("ü ' \" ?", "é:trials:0")):
            added = await store.add(Batch(name, 1, "w:1", 1, [seen(1, kind=kind)]))
            assert added == Added("counted", 1)
            assert await store.evidence(name, 1) == {Cell(0, "candidate", kind): Counts(0, 1)}

    tell(place, story)


def test_batches_that_come_at_once_add_up(place: Place) -> None:
    async def story(store: Store) -> None:
        sent = [
            batch(1, *map(seen, range(first, first + 50)), source=f"w{first}", errors=Counts(2, 1))
            for first in range(40)
        ]
        added = await asyncio.gather(*(store.add(one) for one in sent))
        assert sum(one.new for one in added) == 89
        expected = {
            Cell(0, "candidate", "click"): Counts(0, 89),
            Cell(0, "candidate", "errors"): Counts(80, 40),
        }
        assert await store.evidence("r", 1) == expected

    tell(place, story)
