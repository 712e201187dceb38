"""A Redis that is lost is said to be so at once, keeps nobody waiting, and is used again when it is back."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from stepdown.control.stores import (
    Batch,
    Cell,
    Counts,
    FencedError,
    Sighting,
    State,
    Store,
    StoreError,
    StoreRefusedError,
    StoreUnavailableError,
    watching,
)
from stepdown.control.stores.redis_store import RedisStore
from tests.kit.looping import PATIENCE
from tests.kit.redis_server import MISSING, PROGRAM, RedisServer
from tests.kit.stores import RedisPlace, filling, soon, tell

pytestmark = pytest.mark.skipif(PROGRAM is None, reason=MISSING)

LONG = 1000.0
SHORT = 0.5
"""Seconds for a step of a call, where it is to run out."""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    with RedisServer(tmp_path) as server:
        yield server


async def holding(store: Store, holder: str = "a") -> int:
    token = await store.acquire(holder, LONG)
    assert token is not None
    return token


async def answers(store: Store) -> bool:
    try:
        await store.rollouts()
    except StoreUnavailableError:
        return False
    return True


async def fails(store: Store) -> bool:
    return not await answers(store)


# --- lost and back --------------------------------------------------------------------------------------------------


def test_a_redis_that_ends_is_missed_and_found_again_with_all_that_it_had(server: RedisServer) -> None:
    async def story(store: Store) -> None:
        token = await holding(store)
        await store.write(token, "r", 0, b"one")
        server.kill()
        with pytest.raises(StoreUnavailableError, match=rf"Redis at 127.0.0.1:{server.port}/0 does not answer"):
            await store.read("r")
        with pytest.raises(StoreUnavailableError):
            await store.write(token, "r", 1, b"two")
        assert server.start()
        await soon(lambda: answers(store))
        assert await store.read("r") == State(1, b"one")
        assert await store.renew(token, LONG)
        assert await store.write(token, "r", 1, b"two") == 2

    tell(RedisPlace(server.url), story)


def test_a_redis_that_hangs_costs_one_call_its_time_and_the_next_ones_nothing(server: RedisServer) -> None:
    async def story(store: Store) -> None:
        await store.rollouts()
        server.freeze()
        try:
            async with asyncio.timeout(PATIENCE):
                with pytest.raises(StoreUnavailableError):
                    await store.rollouts()
                # Nothing is sent while the pause lasts: a journey would take half a second.
                begun = time.process_time()
                for _ in range(100):
                    with pytest.raises(StoreUnavailableError):
                        await store.rollouts()
                assert time.process_time() - begun < SHORT
        finally:
            server.thaw()
        await soon(lambda: answers(store))

    tell(RedisPlace(server.url, seconds=SHORT), story)


def test_a_batch_whose_acknowledgement_was_lost_counts_once_when_it_is_sent_again(server: RedisServer) -> None:
    async def story(store: Store) -> None:
        batch = Batch("r", 1, "w", 1, [Sighting(0, "stable", "click", 5)], {Cell(0, "stable", "errors"): Counts(9, 1)})
        await store.rollouts()
        server.freeze()
        with pytest.raises(StoreUnavailableError):
            await store.add(batch)  # it is in the kernel's buffer by now, and will be counted
        server.thaw()

        async def added() -> bool:
            try:
                await store.add(batch)
            except StoreUnavailableError:
                return False
            return True

        await soon(added)
        expected = {Cell(0, "stable", "click"): Counts(0, 1), Cell(0, "stable", "errors"): Counts(9, 1)}
        assert await store.evidence("r", 1) == expected

    tell(RedisPlace(server.url, seconds=SHORT), story)


def test_a_call_that_nobody_waits_for_any_more_leaves_its_answer_to_nobody_else(server: RedisServer) -> None:
    async def story(store: Store) -> None:
        token = await holding(store)
        for name in "pq":
            await store.write(token, name, 0, name.encode())
        server.freeze()
        abandoned = [asyncio.ensure_future(store.read("p")) for _ in range(20)]
        await asyncio.sleep(0.05)
        for call in abandoned:
            call.cancel()
        server.thaw()
        assert {type(one) for one in await asyncio.gather(*abandoned, return_exceptions=True)} == {
            asyncio.CancelledError
        }
        assert await asyncio.gather(*(store.read("q") for _ in range(20))) == [State(1, b"q")] * 20

    tell(RedisPlace(server.url), story)


def test_who_was_not_there_at_the_start_is_found_later(server: RedisServer) -> None:
    server.kill()

    async def story() -> None:
        store = RedisStore(server.url, "late")
        with pytest.raises(StoreUnavailableError):
            await store.open()
        assert server.start()
        await soon(lambda: answers(store))
        await store.close()

    asyncio.run(story())


def test_a_redis_that_lost_its_data_has_no_state_and_gives_out_no_token_again(
    server: RedisServer, tmp_path: Path
) -> None:
    async def story(store: Store) -> None:
        token = await holding(store)
        await store.write(token, "r", 0, b"one")
        watched = store.watch("r")
        assert await anext(watched) == State(1, b"one")
        server.kill()
        for file in (tmp_path / "appendonlydir").iterdir():
            file.unlink()
        assert server.start()
        await soon(lambda: answers(store))
        async with asyncio.timeout(PATIENCE):
            assert await anext(watched) is None
        with pytest.raises(FencedError):
            await store.write(token, "r", 1, b"two")
        assert await holding(store, "b") > token

    tell(RedisPlace(server.url), story)


# --- several replicas -----------------------------------------------------------------------------------------------


def test_a_replica_takes_over_from_one_that_has_gone_and_the_other_cannot_write_any_more(server: RedisServer) -> None:
    place = RedisPlace(server.url)

    async def story(store: Store) -> None:
        other = place.store()
        old = await other.acquire("first", 0.3)
        assert old is not None
        await other.write(old, "r", 0, b"by the first")
        await soon(lambda: store.acquire("second", LONG))
        with pytest.raises(FencedError):
            await other.write(old, "r", 1, b"by the first, who slept")
        await other.close()

    tell(place, story)


def test_other_replicas_hear_of_a_state_and_look_when_they_cannot_hear(server: RedisServer) -> None:
    place = RedisPlace(server.url)

    async def story(store: Store) -> None:
        token = await holding(store)
        deaf, other = place.store(), place.store()  # one that was not opened listens to nothing
        await other.open()
        watched = [other.watch("r"), deaf.watch("r")]
        assert [await anext(one) for one in watched] == [None, None]
        for version in (1, 2):
            await store.write(token, "r", version - 1, b"new")
            async with asyncio.timeout(PATIENCE):
                assert [await anext(one) for one in watched] == [State(version, b"new")] * 2
        await other.close()
        await deaf.close()

    tell(place, story)


def test_other_replicas_are_woken_when_a_state_changes(server: RedisServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "LOOK_SECONDS", 10 * PATIENCE)
    place = RedisPlace(server.url)

    async def story(store: Store) -> None:
        other = place.store()
        watched = other.watch("r")
        assert await anext(watched) is None
        await other.open()
        token = await holding(store)
        for version in (1, 2):  # the first one may come before it listens, and is then seen as it begins to
            await store.write(token, "r", version - 1, b"new")
            async with asyncio.timeout(PATIENCE):
                assert await anext(watched) == State(version, b"new")
        await other.close()

    tell(place, story)


def test_who_watches_goes_on_after_the_store_was_lost(server: RedisServer) -> None:
    place = RedisPlace(server.url)

    async def story(store: Store) -> None:
        watched = store.watch("r")
        assert await anext(watched) is None
        following = asyncio.ensure_future(anext(watched))
        server.kill()
        await soon(lambda: fails(store))
        assert server.start()
        await soon(lambda: answers(store))
        await store.write(await holding(store), "r", 0, b"new")
        async with asyncio.timeout(PATIENCE):
            assert await following == State(1, b"new")

    tell(place, story)


# --- what is refused ------------------------------------------------------------------------------------------------


def test_an_address_that_is_none_is_refused() -> None:
    with pytest.raises(StoreRefusedError, match="address is none of Redis"):
        RedisStore("http://127.0.0.1")


async def opened(store: RedisStore) -> str:
    """What is said when it is opened."""
    try:
        await store.open()
    except StoreError as error:
        return f"{type(error).__name__}: {error}"
    finally:
        await store.close()
    return ""


def test_a_wrong_password_is_refused_and_not_told(tmp_path: Path) -> None:
    with RedisServer(tmp_path, "--requirepass", "right") as server:
        address = f"127.0.0.1:{server.port}/0"
        said = asyncio.run(opened(RedisStore(f"redis://:wrong-one@{address}")))
        assert said.startswith(f"StoreRefusedError: Redis at {address} refuses us")
        assert "wrong-one" not in said
        assert "StoreRefusedError" in asyncio.run(opened(RedisStore(f"redis://{address}")))
        assert asyncio.run(opened(RedisStore(f"redis://:right@{address}"))) == ""


@pytest.mark.parametrize("policy", ["allkeys-lru", "volatile-ttl"])
def test_a_redis_that_throws_data_away_is_refused(tmp_path: Path, policy: str) -> None:
    with RedisServer(tmp_path, "--maxmemory", "64mb", "--maxmemory-policy", policy) as server:
        assert f"maxmemory-policy {policy}" in asyncio.run(opened(RedisStore(server.url)))


def test_a_redis_without_room_counts_nothing_of_a_batch(tmp_path: Path) -> None:
    with RedisServer(tmp_path, "--maxmemory", "3mb", "--maxmemory-policy", "noeviction") as server:

        async def story(store: Store) -> None:
            counted, why = await filling(store)
            assert "has no room" in why
            await soon(lambda: answers(store))
            assert await store.counted("r", 1, "w") == counted
            assert await store.evidence("r", 1) == {Cell(0, "stable", "click"): Counts(0, 5000 * counted)}

        tell(RedisPlace(server.url), story)


def test_state_of_a_newer_version_is_left_alone(redis_server: RedisServer) -> None:
    place = RedisPlace(redis_server.url)

    async def story(store: Store) -> None:
        writer = place.store()
        await writer._link.client.set(f"{place.namespace}:schema", 2)
        await writer.close()
        assert "newer Stepdown (schema 2, this one knows 1)" in await opened(place.store())

    tell(place, story)


# --- memory ---------------------------------------------------------------------------------------------------------


def test_sightings_are_given_up_after_their_retention_and_counts_are_kept(redis_server: RedisServer) -> None:
    place = RedisPlace(redis_server.url)

    async def story(_store: Store) -> None:
        store = RedisStore(redis_server.url, place.namespace, retention=0.05)
        click = Sighting(0, "stable", "click", 5)
        await store.add(Batch("r", 1, "w", 1, [click]))

        await soon(lambda: gone(store))
        assert await store.evidence("r", 1) == {Cell(0, "stable", "click"): Counts(0, 1)}
        await store.close()

    async def gone(store: RedisStore) -> bool:
        return not await store._link.client.keys(f"{place.namespace}:*seen*")

    tell(place, story)


def test_nothing_is_left_of_a_run_but_that_it_was_forgotten(redis_server: RedisServer) -> None:
    place = RedisPlace(redis_server.url)

    async def story(store: Store) -> None:
        clicks = [Sighting(stage, "stable", kind, 5) for stage in (0, 1) for kind in ("a", "b")]
        await store.add(Batch("r", 1, "w", 1, clicks, {Cell(0, "stable", "errors"): Counts(1, 1)}))
        await store.forget("r", 1)
        reader = place.store()
        found: list[bytes] = await reader._link.client.keys(f"{place.namespace}:*")  # type: ignore[assignment]
        await reader.close()
        left = {key.partition(b":")[2] for key in found}
        assert left == {b"schema", b"forgotten:r"}

    tell(place, story)
