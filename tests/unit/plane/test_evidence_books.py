"""Batches of evidence: what goes into one, when it goes, when it goes again, and what there is no room for."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from stepdown.plane import evidence_books
from stepdown.plane.evidence_books import AGAIN_SECONDS, BATCH_SIGHTINGS, FLUSH_SECONDS, MOST_WAITING, Book, Books
from stepdown.rollout.batch import Batch, Cell, Counts, Sighting
from stepdown.telemetry.slab import Slab
from tests.kit.driven import Store
from tests.kit.looping import PATIENCE


class Reader:
    """Somebody who may count in a book."""


def opened(run: int = 1) -> tuple[Book, list[None]]:
    dropped: list[None] = []
    return Book("churn-2", run, lambda: dropped.append(None)), dropped


def sent(book: Book, now: float = 0.0) -> Batch:
    batch = book.due(now)
    assert batch is not None
    return batch


def test_a_batch_has_what_came_in_since_the_one_before() -> None:
    book, _ = opened()
    requests = book.sums(0, "candidate", "requests")
    requests[0] += 3
    requests[1] += 1
    assert book.saw_unit(0, "stable", 7)
    first = sent(book)
    assert (first.rollout, first.run, first.sequence) == ("churn-2", 1, 1)
    assert first.deltas == {Cell(0, "candidate", "requests"): Counts(3, 1)}
    assert first.sightings == (Sighting(0, "stable", "units", 7, "trials"),)
    book.taken(first.source, 1)
    requests[0] += 1
    second = sent(book)
    assert (second.source, second.sequence) == (first.source, 2)
    assert (second.deltas, second.sightings) == ({Cell(0, "candidate", "requests"): Counts(1, 0)}, ())


def test_nothing_is_sent_where_nothing_came_in() -> None:
    book, _ = opened()
    book.sums(0, "candidate", "requests")
    assert book.due(0.0) is None
    assert book.settled


def test_one_batch_is_on_its_way_at_a_time_and_again_as_it_is_after_a_silence_or_on_a_new_channel() -> None:
    book, _ = opened()
    requests = book.sums(0, "stable", "requests")
    requests[0] += 1
    first = sent(book, 10.0)
    requests[0] += 1
    assert book.due(10.0 + AGAIN_SECONDS / 2) is None
    assert book.due(11.0, anew=True) is first
    assert book.due(10.0 + AGAIN_SECONDS + 0.5) is None  # from when it was sent last
    assert book.due(11.0 + AGAIN_SECONDS) is first
    assert first.deltas == {Cell(0, "stable", "requests"): Counts(1, 0)}
    book.taken(first.source, first.sequence)
    assert sent(book, 99.0).sequence == 2


def test_only_what_is_on_its_way_can_be_taken() -> None:
    book, _ = opened()
    book.saw_unit(0, "stable", 1)
    book.taken(book.source, 1)
    batch = sent(book)
    for source, sequence in (("another", 1), (book.source, 2), (book.source, 0)):
        book.taken(source, sequence)
    assert not book.settled
    book.taken(book.source, batch.sequence)
    book.taken(book.source, batch.sequence)
    assert book.settled


def test_a_unit_is_sent_once_for_each_stage_kind_and_side() -> None:
    book, _ = opened()
    assert book.saw(0, "stable", "errors", 1)
    assert not book.saw(0, "stable", "errors", 1)
    assert not book.saw(0, "candidate", "errors", 1)  # counts where it was seen first
    assert book.saw(1, "stable", "errors", 1)
    assert book.saw(0, "stable", "slow", 1)
    assert book.saw(0, "stable", "errors", 1, "trials")  # of a kind with trials of its own
    assert not book.saw(0, "stable", "errors", 1, "trials")
    assert book.saw_unit(0, "stable", 1)
    assert not book.saw_unit(0, "candidate", 1)
    assert book.saw_unit(1, "stable", 1)
    assert book.saw(0, "stable", "errors", 2)
    assert len(sent(book).sightings) == 7


def test_what_is_remembered_is_bounded_and_then_sent_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evidence_books, "MOST_SEEN", 3)
    book, _ = opened()
    for unit in (1, 2, 3, 4, 1):
        assert book.saw_unit(0, "stable", unit)
    assert not book.saw_unit(0, "stable", 4)
    assert len(sent(book).sightings) == 5


def test_a_batch_has_a_bound_and_the_rest_follows_in_order() -> None:
    book, _ = opened()
    for unit in range(BATCH_SIGHTINGS + 2):
        book.saw_unit(0, "stable", unit)
    first = sent(book)
    assert [one.unit for one in first.sightings] == list(range(BATCH_SIGHTINGS))
    assert book.waiting == BATCH_SIGHTINGS + 2
    book.taken(book.source, 1)
    assert [one.unit for one in sent(book).sightings] == [BATCH_SIGHTINGS, BATCH_SIGHTINGS + 1]


def test_beyond_the_bound_the_newest_are_dropped_and_counted_and_may_come_again_later() -> None:
    book, dropped = opened()
    for unit in range(MOST_WAITING):
        assert book.saw_unit(0, "stable", unit)
    assert not book.has_room(1)
    for unit in range(3):
        assert not book.saw_unit(0, "stable", MOST_WAITING + unit)
    assert len(dropped) == 3
    book.sums(0, "stable", "requests")[0] += 1  # sums need no room
    batch = sent(book)
    assert batch.sightings[0].unit == 0
    assert book.has_room(1)
    assert book.saw_unit(0, "stable", MOST_WAITING)


def test_who_waits_is_told_once_all_that_was_noted_before_is_stored() -> None:
    book, _ = opened()
    told: list[str] = []
    book.when_stored(lambda: told.append("nothing to wait for"))
    for unit in range(BATCH_SIGHTINGS):
        book.saw(0, "stable", "click", unit)
    book.when_stored(lambda: told.append("first"))
    book.saw(0, "stable", "click", BATCH_SIGHTINGS)
    book.when_stored(lambda: told.append("second"))
    gone = lambda: told.append("gone")  # noqa: E731 - the same one, to be forgotten
    book.when_stored(gone)
    book.forget(gone)
    assert told == ["nothing to wait for"]
    sent(book)
    book.taken(book.source, 1)
    assert told == ["nothing to wait for", "first"]
    sent(book)
    assert not book.settled
    book.taken(book.source, 2)
    assert told == ["nothing to wait for", "first", "second"]


# --- books on a loop --------------------------------------------------------------------------------------------------


class Desk:
    """Books, and whoever takes their batches."""

    def __init__(self) -> None:
        self.slab = Slab.create()
        self.books = Books(asyncio.get_running_loop(), self.slab)
        self.store = Store()
        self.sent: list[Batch] = []
        self.news = asyncio.Event()

    def take(self, batch: Batch) -> None:
        self.sent.append(batch)
        self.news.set()

    def acknowledge(self, batch: Batch) -> None:
        self.store.add(batch)
        self.books.taken(batch.rollout, batch.run, batch.source, batch.sequence)

    async def until(self, condition: Callable[[], object]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not condition():
                await asyncio.sleep(FLUSH_SECONDS / 20)


def play(script: Callable[[Desk], Awaitable[None]]) -> None:
    async def run() -> None:
        desk = Desk()
        try:
            await script(desk)
        finally:
            desk.books.close()
            desk.slab.close()

    asyncio.run(run())


def test_what_came_in_is_sent_soon_and_the_next_batch_only_when_that_one_was_taken() -> None:
    async def script(desk: Desk) -> None:
        desk.books.link(desk.take)
        reader, book = Reader(), desk.books.book("churn-2", 1)
        book.readers.add(reader)
        requests = book.sums(0, "stable", "requests")
        requests[0] += 1
        await desk.until(lambda: desk.sent)
        requests[0] += 1
        await asyncio.sleep(3 * FLUSH_SECONDS)
        assert len(desk.sent) == 1
        desk.acknowledge(desk.sent[0])
        await desk.until(lambda: len(desk.sent) == 2)
        assert [batch.sequence for batch in desk.sent] == [1, 2]

    play(script)


def test_a_lost_channel_keeps_everything_and_the_next_one_gets_the_same_batch_first() -> None:
    async def script(desk: Desk) -> None:
        desk.books.link(desk.take)
        book = desk.books.book("churn-2", 1)
        book.saw_unit(0, "stable", 1)
        await desk.until(lambda: desk.sent)
        desk.books.link(None)
        book.saw_unit(0, "stable", 2)
        assert not await desk.books.settle(5.0)  # at once: nobody is there
        desk.books.link(desk.take)
        assert desk.sent == [desk.sent[0]] * 2
        desk.acknowledge(desk.sent[0])
        assert [batch.sequence for batch in desk.sent] == [1, 1, 2]
        desk.acknowledge(desk.sent[2])
        assert desk.store.of("units", 0) == {"stable": (2, 0)}

    play(script)


def test_a_book_that_nobody_counts_in_is_closed_once_it_was_taken_and_opened_again_under_another_source() -> None:
    async def script(desk: Desk) -> None:
        reader, book = Reader(), desk.books.book("churn-2", 1)
        book.readers.add(reader)
        source = book.source
        book.saw_unit(0, "stable", 1)
        del reader
        await asyncio.sleep(3 * FLUSH_SECONDS)
        assert list(desk.books) == [book]  # nobody has taken it
        desk.books.link(desk.take)
        desk.acknowledge(desk.sent[0])
        await desk.until(lambda: not list(desk.books))
        again = desk.books.book("churn-2", 1)
        assert again.source != source
        again.saw_unit(0, "stable", 2)
        desk.books.push(again)
        desk.acknowledge(desk.sent[-1])
        assert desk.store.of("units", 0) == {"stable": (2, 0)}

    play(script)


def test_settling_waits_for_all_books_but_not_for_ever() -> None:
    async def script(desk: Desk) -> None:
        desk.books.link(desk.take)
        for run in (1, 2):
            desk.books.book("churn-2", run).saw_unit(0, "stable", 1)
        assert not await desk.books.settle(FLUSH_SECONDS)
        assert len(desk.sent) == 2
        settling = asyncio.ensure_future(desk.books.settle(PATIENCE))
        desk.acknowledge(desk.sent[0])
        await asyncio.sleep(FLUSH_SECONDS)
        assert not settling.done()
        desk.acknowledge(desk.sent[1])
        assert await settling

    play(script)
