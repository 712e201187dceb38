"""The loop on real stores: who decides, what is written and applied, and what becomes of it when the store is lost."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from redis import Redis

from stepdown.config.settings import StoreSettings
from stepdown.control.rollouts.asking import RolloutRefusedError
from stepdown.control.rollouts.loop import STORE_CHANGED, Loop
from stepdown.control.rollouts.measuring import NothingMeasured
from stepdown.control.state import HealthView
from stepdown.control.stores import Batch, Recorded
from stepdown.control.stores.sqlite_store import SqliteStore
from stepdown.decide.rollout_spec import Counters, Driven, Feedback, PerArm, Rollout, Share
from stepdown.rollout.batch import Cell, Counts
from stepdown.rollout.counts import Arms, Counted
from stepdown.rollout.looking import Elsewhere
from stepdown.rollout.position import Position
from stepdown.telemetry.slab import Slab
from tests.kit.redis_server import RedisServer
from tests.kit.rollout_loop import NAME, SETTINGS, Sidecar, a_spec, both, running, until
from tests.kit.rollouts import rollout
from tests.kit.stores import Place, RedisPlace, SqlitePlace, filling

FAILING = both("requests", (60, 60), (1000, 0))


def play(*sidecars: Sidecar, story: Callable[[], Awaitable[None]]) -> None:
    async def whole() -> None:
        async with running(*sidecars):
            await story()

    asyncio.run(whole())


def sentences(found: list[Recorded]) -> list[str]:
    return [one.transition.sentence for one in found][::-1]


def test_evidence_is_stored_judged_at_the_window_s_end_and_moves_the_rollout(place: Place) -> None:
    one = Sidecar(place.store())

    async def story() -> None:
        await one.started()
        assert one.driven() is not None
        salt = one.standing().rollout.driven
        assert salt is not None
        assert len(salt.salt) == 32
        await one.counts(1, both("units", (50, 0), (950, 0)))
        one.now += 59
        await asyncio.sleep(0.3)
        assert not one.standing().position.evidence[0].units.total
        one.now += 1
        await until(lambda: one.standing().position.evidence[0].units.total == 1000)
        one.now += 600
        await until(lambda: one.standing().position.step == 1)
        driven = one.driven()
        assert driven is not None
        assert (driven.weight, driven.step, driven.evidence) == (25.0, 1, True)
        first, second = sentences(await one.loop.history(NAME, None, 10))
        assert first == "started with step 1 of 4 (5 %): by ann"
        assert second.startswith("step 1 of 4 (5 %) passed, on to step 2 of 4 (25 %)")
        assert one.loop.transitions == {(NAME, "stepping"): 2}

    play(one, story=story)


def test_who_asks_first_waits_until_the_state_is_read(place: Place) -> None:
    one, restarted = Sidecar(place.store()), Sidecar(place.store(), holder="here:2")

    async def story() -> None:
        await restarted.loop.known()
        assert restarted.standing().position.phase == "stepping"

    play(one, story=one.started)
    assert restarted.standing().position.phase == "pending"
    play(restarted, story=story)


@pytest.mark.parametrize("settings", [SETTINGS, None])
def test_nobody_waits_for_a_state_that_cannot_be_read(settings: StoreSettings | None, tmp_path: Path) -> None:
    one = Sidecar(SqliteStore(tmp_path / "r.db"))
    one.store.why = "it is gone"
    if settings is None:
        one.loop = Loop(one)
        one.loop.use(one.spec, None)

    async def story() -> None:
        await one.loop.known()
        assert one.standing().position.phase == "pending"

    play(one, story=story)


def test_a_clock_that_is_set_back_keeps_no_window_from_ending(place: Place) -> None:
    one = Sidecar(place.store())

    async def story() -> None:
        await one.started()
        await one.counts(1, both("units", (50, 0), (950, 0)))
        before = one.standing().now
        one.now -= 3600
        assert one.standing().now == before
        one.now += 60
        assert one.standing().now == before + 60
        await until(lambda: one.standing().position.evidence[0].units.total == 1000)

    play(one, story=story)


def test_a_batch_that_makes_no_sense_is_left_out_and_holds_up_nothing(tmp_path: Path) -> None:
    one = Sidecar(SqlitePlace(tmp_path).store())

    async def story() -> None:
        await one.started()
        await one.counts(1, {Cell(0, "stable", "units"): Counts(-1, 0)})
        await one.counts(2, both("requests", (60, 60), (1000, 0)))
        await one.reaches("rolled back")

    play(one, story=story)


def test_the_breaker_acts_at_the_batch_that_brings_the_fiftieth_failure(tmp_path: Path) -> None:
    one = Sidecar(SqlitePlace(tmp_path).store())

    async def story() -> None:
        await one.started()
        await one.counts(1, both("requests", (49, 49), (900, 0)))
        await asyncio.sleep(0.5)
        assert one.standing().position.phase == "stepping"
        await one.counts(2, both("requests", (1, 1), (10, 0)))
        await one.reaches("rolled back")
        driven = one.driven()
        assert driven is not None
        assert (driven.taken_back, driven.weight, driven.evidence) == (True, 0.0, False)

    play(one, story=story)


def test_who_takes_over_goes_on_where_the_other_was_and_only_one_decides(redis_server: RedisServer) -> None:
    place = RedisPlace(redis_server.url)
    first, second = Sidecar(place.store(), holder="a"), Sidecar(place.store(), holder="b")

    async def story() -> None:
        task = asyncio.create_task(first.loop.run())
        await first.started()
        follower = asyncio.create_task(second.loop.run())
        await until(lambda: second.driven() is not None)
        assert second.driven() == first.driven()
        with pytest.raises(RolloutRefusedError, match="This replica does not decide; a does, so ask there"):
            await second.act("pause")
        await first.counts(1, both("units", (50, 0), (950, 0)))
        first.now += 60
        await until(lambda: first.standing().position.evidence[0].units.total == 1000)
        await second.counts(1, both("units", (5, 0), (95, 0)), source="v")
        task.cancel()
        second.now += 120
        await until(lambda: second.standing().leads)
        await until(lambda: second.standing().position.evidence[0].units.total == 1100)
        assert second.standing().holder == "b"
        assert (await second.act("pause")).moved
        follower.cancel()

    asyncio.run(story())


def test_one_that_drains_lets_the_other_decide_at_once(redis_server: RedisServer) -> None:
    place = RedisPlace(redis_server.url)
    first, second = Sidecar(place.store(), holder="a"), Sidecar(place.store(), holder="b")
    shared = StoreSettings(redis=place.url, namespace=place.namespace)

    async def story() -> None:
        await until(lambda: first.loop.lease.token is not None or second.loop.lease.token is not None)
        leaves, stays = (first, second) if first.loop.lease.token is not None else (second, first)
        leaves.loop.settings = shared
        await leaves.loop.leave()
        assert not leaves.standing().leads
        await until(lambda: stays.standing().leads)
        await asyncio.sleep(2)
        assert stays.standing().leads

    play(first, second, story=story)


def test_without_its_store_weights_stay_and_nothing_moves_until_it_is_found(tmp_path: Path) -> None:
    one = Sidecar(SqlitePlace(tmp_path).store())

    async def story() -> None:
        await one.started()
        before = one.driven()
        one.store.why = "it is gone"
        await one.reaches("blind")
        one.now += 3600
        await asyncio.sleep(0.5)
        standing = one.standing()
        assert (standing.store, standing.position.weight, one.driven()) == ("lost", 5.0, before)
        with pytest.raises(RolloutRefusedError, match="Nothing can be stored, so nothing moves: it is gone") as refused:
            await one.act("promote")
        assert refused.value.status == 503
        with pytest.raises(RolloutRefusedError, match="The history cannot be read"):
            await one.loop.history(NAME, None, 10)
        one.store.why = ""
        await one.reaches("stepping")
        assert len(await one.loop.history(NAME, None, 10)) == 1

    play(one, story=story)


def test_a_batch_for_a_store_that_is_lost_is_not_acknowledged_and_counts_once_when_it_is_sent_again(
    tmp_path: Path,
) -> None:
    one = Sidecar(SqlitePlace(tmp_path).store())

    async def story() -> None:
        await one.started()
        one.store.why = "it is gone"
        sending = asyncio.create_task(one.counts(1, both("units", (50, 0), (950, 0))))
        await asyncio.sleep(0.5)
        assert not sending.done()
        one.store.why = ""
        await sending
        one.now += 60
        await until(lambda: one.standing().position.evidence[0].units.total == 1000)

    play(one, story=story)


def failing_slab(slab: Slab, number: int) -> None:
    """So many requests of the candidate that failed, in a worker's memory."""
    labels = ("r0", "everyone", "2.0.0", "2.0.0", "1.1.0", "split", "none", "5xx", "none")
    slab.cells[slab.counter("stepdown_requests_total", labels)] += number


@pytest.fixture
def slab() -> Iterator[Slab]:
    found = Slab.create(256 * 1024)
    yield found
    found.close()
    os.close(found.fd)


def test_alone_the_breaker_counts_what_its_own_workers_see_and_writes_it_when_the_store_is_found(
    tmp_path: Path, slab: Slab
) -> None:
    place = SqlitePlace(tmp_path)
    one = Sidecar(place.store(), slabs=[slab])

    async def story() -> None:
        await one.started()
        failing_slab(slab, 500)  # of before it was alone
        one.store.why = "it is gone"
        await one.reaches("blind")
        await asyncio.sleep(0.5)
        failing_slab(slab, 49)
        await asyncio.sleep(0.5)
        assert one.standing().position.phase == "blind"
        failing_slab(slab, 1)
        await one.reaches("rolled back")
        driven = one.driven()
        assert driven is not None
        assert driven.taken_back
        one.store.why = ""
        await until(lambda: one.standing().store == "ok")
        last = sentences(await one.loop.history(NAME, None, 10))[-1]
        assert last.startswith(
            "rolled back at step 1 of 4 (5 %): breaker: 50 of the candidate's last 50 requests failed"
        )
        assert one.standing().position.phase == "rolled back"

    play(one, story=story)
    again = Sidecar(place.store())

    async def later() -> None:
        await again.reaches("rolled back")

    play(again, story=later)


def test_what_another_has_decided_meanwhile_is_followed(redis_server: RedisServer, slab: Slab) -> None:
    place = RedisPlace(redis_server.url)
    first, second = Sidecar(place.store(), holder="a"), Sidecar(place.store(), holder="b", slabs=[slab])

    async def story() -> None:
        leader = asyncio.create_task(first.loop.run())
        await first.started()
        follower = asyncio.create_task(second.loop.run())
        await until(lambda: second.driven() is not None)
        second.store.why = "it is gone"
        await second.reaches("blind")
        await asyncio.sleep(0.5)
        failing_slab(slab, 60)
        await second.reaches("rolled back")
        second.store.why = ""
        await until(lambda: not second.loop.lease.lost)
        await asyncio.sleep(1)
        assert second.standing().position.phase == "rolled back", "until whoever decides has looked"
        assert second.standing().store == "lost", "what happened here is not stored"
        assert first.standing().position.phase == "stepping"
        first.now += 60
        await second.reaches("stepping")
        assert second.driven() == first.driven()
        leader.cancel()
        follower.cancel()

    asyncio.run(story())


def test_a_disk_that_is_full_lets_nothing_advance_and_what_is_worse_is_taken_back_here(tmp_path: Path) -> None:
    one = Sidecar(SqlitePlace(tmp_path).store())

    async def story() -> None:
        await one.started()
        await one.counts(1, both("units", (50, 0), (950, 0)))
        one.store.unwritable = True
        one.now += 1200
        await until(lambda: one.standing().store == "lost")
        await asyncio.sleep(1)
        assert (one.standing().position.step, one.standing().position.weight) == (0, 5.0)
        done = await one.act("abort")
        assert done.moved
        assert done.sentence.endswith("in this replica only, until it can be stored: the disk is full")
        driven = one.driven()
        assert driven is not None
        assert driven.taken_back
        one.store.unwritable = False
        await until(lambda: one.standing().store == "ok")
        assert sentences(await one.loop.history(NAME, None, 10))[-1].startswith("aborted at step 1")

    play(one, story=story)


def test_while_there_is_no_room_for_evidence_nothing_advances_on_what_was_known_before(tmp_path: Path) -> None:
    one = Sidecar(SqlitePlace(tmp_path).store())

    async def story() -> None:
        await one.started()
        await one.counts(1, both("units", (50, 0), (950, 0)))
        one.now += 60
        await until(lambda: one.standing().position.evidence[0].units.total == 1000)
        one.store.has_no_room = True
        sending = asyncio.create_task(one.counts(2, both("errors", (0, 40), (0, 0))))
        await one.reaches("blind")
        one.now += 3600
        await asyncio.sleep(1.5)
        assert (one.standing().position.step, one.standing().store) == (0, "lost")
        one.store.has_no_room = False
        await sending
        await until(lambda: one.standing().store == "ok" and one.standing().position.evidence[0].windows == 2)
        (guard,) = one.standing().position.evidence[0].guards
        assert guard.candidate == 40  # type: ignore[union-attr]

    play(one, story=story)


def test_a_batch_that_found_no_room_and_is_gone_with_its_worker_holds_up_nobody_for_ever(tmp_path: Path) -> None:
    one = Sidecar(SqlitePlace(tmp_path).store())

    async def story() -> None:
        await one.started()
        one.loop.lease.evidence_seconds = 0.5
        one.store.has_no_room = True
        one.loop.take(Batch(NAME, 1, "w", 1, (), both("units", (50, 0), (950, 0))), lambda: None)
        await one.reaches("blind")
        one.store.has_no_room = False
        await until(lambda: one.standing().store == "ok")
        done = await one.act("pause")
        assert done == (True, "paused at step 1 of 4 (5 %): by ann")

    play(one, story=story)


def test_a_file_that_is_full_takes_no_evidence_and_its_rollout_stays_where_it_is(tmp_path: Path) -> None:
    place = SqlitePlace(tmp_path)
    one = Sidecar(SqliteStore(place.path, most_bytes=200_000))

    async def story() -> None:
        await one.started()
        await one.counts(1, both("units", (50, 0), (950, 0)))
        _counted, said = await filling(one.store)  # type: ignore[arg-type]
        assert "is full" in said
        sending = asyncio.create_task(one.fills(1))
        await one.reaches("blind")
        one.now += 3600
        await asyncio.sleep(1.5)
        assert (one.standing().position.step, one.standing().position.weight) == (0, 5.0)
        assert not sending.done()
        sending.cancel()

    play(one, story=story)


def test_a_state_that_vanishes_gives_the_candidate_nothing_in_any_rule(redis_server: RedisServer) -> None:
    place = RedisPlace(redis_server.url)
    one = Sidecar(place.store())

    async def story() -> None:
        await one.started()
        with Redis.from_url(place.url) as client:
            client.delete(*client.keys(f"{place.namespace}:*"))
        await until(lambda: one.standing().store == "missing")
        driven = one.driven()
        assert driven == Driven(run=0, step=0, weight=0.0, stable="1.1.0", taken_back=True)
        assert one.standing().position.phase == "pending"

    play(one, story=story)


def test_nobody_is_refused_but_with_the_reason(tmp_path: Path) -> None:
    one = Sidecar(SqlitePlace(tmp_path).store())

    async def story() -> None:
        with pytest.raises(RolloutRefusedError, match="There is no rollout other; there are: churn-2") as unknown:
            await one.act("start", "other")
        assert unknown.value.status == 404
        await one.started()
        assert await one.act("start") == (False, "start: not possible while stepping")

    async def early() -> None:
        with pytest.raises(RolloutRefusedError, match="The store is not open yet"):
            await one.act("start")
        one.loop.settings = None
        with pytest.raises(RolloutRefusedError, match="The file names no place for the state of rollouts"):
            await one.act("start")
        assert one.standing().store == "none"
        one.loop.settings = SETTINGS

    asyncio.run(early())
    play(one, story=story)


def test_another_place_for_the_state_waits_for_the_next_start(tmp_path: Path) -> None:
    one = Sidecar(SqlitePlace(tmp_path).store())
    assert one.loop.use(one.spec, StoreSettings(file="/elsewhere")) == [STORE_CHANGED]
    assert one.loop.use(one.spec, None) == [STORE_CHANGED]
    assert one.loop.use(one.spec, SETTINGS) == []


def test_a_rollout_that_the_file_has_no_more_is_not_driven_and_keeps_its_state(tmp_path: Path) -> None:
    one = Sidecar(SqlitePlace(tmp_path).store(), a_spec(rollout(), rollout(name="other")))

    async def story() -> None:
        await one.started()
        assert one.reload(a_spec(rollout(name="other"))) == []
        assert [rollout.name for rollout in one.spec.rollouts] == ["other"]
        with pytest.raises(RolloutRefusedError, match="there are: other"):
            await one.act("abort")
        assert one.driven("other") is None
        one.reload(a_spec(rollout()))
        await until(lambda: one.driven() is not None)
        assert one.standing().position.run == 1

    play(one, story=story)


def test_a_reload_keeps_what_is_driven_and_another_build_gets_nothing_from_its_first_request(tmp_path: Path) -> None:
    one = Sidecar(SqlitePlace(tmp_path).store())

    async def story() -> None:
        await one.started()
        before = one.driven()
        one.reload(a_spec(rollout(window=30.0, least_units=10)))
        assert one.driven() == before
        assert one.standing().differs == (
            "2.0.0 has 5 % of the rule everyone, and 0 % in the file",
            "it runs by what it was started with, and the file has other steps, guards or limits",
        )
        one.reload(a_spec(rollout(least_units=10), candidate="http://another"))
        assert one.driven() is None
        await one.reaches("pending")
        assert "endpoints of 2.0.0 are others" in one.standing().said

    play(one, story=story)


def test_workers_that_cannot_do_it_are_asked_again(tmp_path: Path) -> None:
    one = Sidecar(SqlitePlace(tmp_path).store())

    async def story() -> None:
        one.refusals = ["worker 0 refuses it"]
        await one.started()
        assert one.driven() is None
        one.refusals = []
        one.now += 1
        await until(lambda: one.driven() is not None)

    play(one, story=story)


def test_evidence_of_a_run_that_is_over_is_forgotten_when_nothing_can_be_reported_any_more(tmp_path: Path) -> None:
    feedback = Feedback(secrets=("s" * 16,), keys=(), max_age=100.0)
    one = Sidecar(SqlitePlace(tmp_path).store(), a_spec(feedback=feedback))

    async def story() -> None:
        await one.started()
        await one.counts(1, both("units", (50, 0), (950, 0)))
        await one.act("abort")
        one.now += 99
        await asyncio.sleep(0.6)
        assert await one.store.evidence(NAME, 1)
        one.now += 1

        async def forgotten() -> bool:
            return not await one.store.evidence(NAME, 1)

        async with asyncio.timeout(20):
            while not await forgotten():
                await asyncio.sleep(0.01)
        assert (await one.act("start")).moved
        assert one.standing().position.run == 2

    play(one, story=story)


class Asking(NothingMeasured):
    """A measurer that answers when it is let."""

    def __init__(self) -> None:
        self.may = asyncio.Event()
        self.asked: list[tuple[float, float]] = []
        self.error: Exception | None = None

    async def measure(self, rollout: Rollout, position: Position, now: float, *, since: float) -> Elsewhere:
        self.asked.append((since, now))
        await self.may.wait()
        if self.error is not None:
            raise self.error
        return Elsewhere(kinds={"ctr": Counted(events=Arms(candidate=3, stable=4), trials=Arms(candidate=9, stable=9))})


@pytest.mark.parametrize("error", [None, RuntimeError("no such thing")])
def test_a_window_ends_when_everybody_who_is_asked_for_it_has_answered(tmp_path: Path, error: Exception | None) -> None:
    measurer = Asking()
    measurer.error = error
    source = Counters(servers=(), events=PerArm("a"), trials=PerArm("b"))
    spec = a_spec(rollout(guards=(Share(name="ctr", kind="ctr", source=source),)))
    one = Sidecar(SqlitePlace(tmp_path).store(), spec, measurer=measurer)

    async def story() -> None:
        await one.started()
        begin = one.now
        await one.counts(1, both("units", (50, 0), (950, 0)))
        one.now += 60
        await until(lambda: measurer.asked)
        await one.counts(2, both("units", (5, 0), (95, 0)))
        assert not one.standing().position.evidence[0].windows
        measurer.may.set()
        await until(lambda: one.standing().position.evidence[0].windows == 1)
        evidence = one.standing().position.evidence[0]
        assert (measurer.asked, evidence.units.total) == ([(begin, begin + 60)], 1100)
        (guard,) = evidence.guards
        assert guard.unread == ("" if error is None else "no such thing")  # type: ignore[union-attr]

    play(one, story=story)


def test_no_more_than_half_while_stable_could_not_take_it_back(tmp_path: Path) -> None:
    one = Sidecar(SqlitePlace(tmp_path).store())
    one.health = {"churn/1.1.0/http://one:80": HealthView("down", 1.0, "refused")}

    async def story() -> None:
        await one.started()
        done = await one.act("promote")
        assert (done.moved, done.sentence) == (
            False,
            "no more than 50 % while 1.1.0 has 0 of 1 endpoints ready to take it back",
        )
        one.health = {}
        assert (await one.act("promote")).moved

    play(one, story=story)


def test_the_end_of_a_cool_down_is_said_once(tmp_path: Path) -> None:
    one = Sidecar(SqlitePlace(tmp_path).store(), a_spec(rollout(cool_down=600.0)))

    async def story() -> None:
        await one.started()
        await one.counts(1, FAILING)
        await one.reaches("rolled back")
        assert (await one.act("start")).sentence == "cool-down: 10 min left"
        one.now += 600
        await until(lambda: one.standing().said.endswith("the cool-down is over; 1.1.0 has all traffic"))
        await asyncio.sleep(0.6)
        assert len(await one.loop.history(NAME, None, 10)) == 3
        assert (await one.act("start", force=True)).moved

    play(one, story=story)
