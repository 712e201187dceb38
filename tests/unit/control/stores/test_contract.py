"""What both stores promise, in the same words: states, history, tokens and who watches."""

from __future__ import annotations

import asyncio

import pytest

from stepdown.control.stores import ConflictError, FencedError, State, Store, Transition, watching
from tests.kit.looping import PATIENCE
from tests.kit.stores import Place, soon, tell

LONG = 1000.0
"""Seconds of a lease that no test outlives."""


async def holding(store: Store, holder: str = "a") -> int:
    token = await store.acquire(holder, LONG)
    assert token is not None
    return token


# --- states ---------------------------------------------------------------------------------------------------------


def test_a_state_is_what_was_written_last_and_its_version_counts(place: Place) -> None:
    async def story(store: Store) -> None:
        token = await holding(store)
        assert await store.read("r") is None
        assert await store.write(token, "r", 0, b"{}") == 1
        assert await store.write(token, "r", 1, b'{"\xff":"\x00"}') == 2
        assert await store.read("r") == State(2, b'{"\xff":"\x00"}')
        assert await store.write(token, "q:ü", 0, b"[]") == 1
        assert await store.rollouts() == ("q:ü", "r")

    tell(place, story)


def test_a_state_survives_its_store(place: Place) -> None:
    async def before(store: Store) -> None:
        await store.write(await holding(store), "r", 0, b"one", [Transition(1.5, 1, "begun")])

    async def after(store: Store) -> None:
        assert await store.read("r") == State(1, b"one")
        assert [record.transition for record in await store.history("r")] == [Transition(1.5, 1, "begun")]

    tell(place, before)
    tell(place, after)


@pytest.mark.parametrize("expected", [0, 2])
def test_a_write_on_another_version_writes_neither_state_nor_history(place: Place, expected: int) -> None:
    async def story(store: Store) -> None:
        token = await holding(store)
        await store.write(token, "r", 0, b"one")
        with pytest.raises(ConflictError, match=f"at version 1, and not at {expected}"):
            await store.write(token, "r", expected, b"two", [Transition(1.0, 1, "no")])
        assert await store.read("r") == State(1, b"one")
        assert await store.history("r") == []

    tell(place, story)


def test_history_is_numbered_and_read_in_pages_from_the_newest(place: Place) -> None:
    async def story(store: Store) -> None:
        token = await holding(store)
        steps = [Transition(number / 4, 1, f"step {number}", b'{"n":1}') for number in range(1, 6)]
        await store.write(token, "r", 0, b"", steps[:2])
        await store.write(token, "r", 1, b"", steps[2:])
        await store.write(token, "other", 0, b"", steps[:1])
        found = await store.history("r")
        assert [record.number for record in found] == [5, 4, 3, 2, 1]
        assert [record.transition for record in found] == steps[::-1]
        assert [record.number for record in await store.history("r", limit=2)] == [5, 4]
        assert [record.number for record in await store.history("r", before=4, limit=2)] == [3, 2]
        assert [record.number for record in await store.history("r", before=2)] == [1]
        assert await store.history("r", before=1) == []
        assert await store.history("nobody") == []

    tell(place, story)


# --- who decides ----------------------------------------------------------------------------------------------------


def test_one_holder_at_a_time_has_the_lease(place: Place) -> None:
    async def story(store: Store) -> None:
        token = await holding(store, "a")
        assert await store.acquire("b", LONG) is None
        assert await store.renew(token, LONG)
        await store.release(token)
        assert await holding(store, "b") > token

    tell(place, story)


def test_a_holder_that_asks_again_gets_a_new_token_and_its_old_one_is_worth_nothing(place: Place) -> None:
    async def story(store: Store) -> None:
        old, new = await holding(store), await holding(store)
        assert new > old
        assert not await store.renew(old, LONG)
        with pytest.raises(FencedError):
            await store.write(old, "r", 0, b"")
        await store.write(new, "r", 0, b"")

    tell(place, story)


def test_a_lease_that_ran_out_is_taken_over_and_its_holder_is_fenced(place: Place) -> None:
    async def story(store: Store) -> None:
        old = await store.acquire("a", 0.05)
        assert old is not None
        await store.write(old, "r", 0, b"by a")
        await soon(lambda: store.acquire("b", LONG))
        with pytest.raises(FencedError, match=f"token {old} is not the latest"):
            await store.write(old, "r", 1, b"by a again", [Transition(1.0, 1, "no")])
        assert not await store.renew(old, LONG)
        await store.release(old)  # takes nothing from the new one
        assert await store.acquire("c", LONG) is None
        assert await store.read("r") == State(1, b"by a")
        assert await store.history("r") == []

    tell(place, story)


def test_a_holder_that_nobody_replaced_may_go_on_after_its_lease_ran_out(place: Place) -> None:
    async def story(store: Store) -> None:
        token = await store.acquire("a", 0.01)
        assert token is not None
        await asyncio.sleep(0.05)
        await store.write(token, "r", 0, b"")
        assert await store.renew(token, LONG)
        assert await store.acquire("b", LONG) is None

    tell(place, story)


def test_a_token_that_was_given_back_is_worth_nothing_though_nobody_else_has_one(place: Place) -> None:
    async def story(store: Store) -> None:
        token = await holding(store)
        await store.release(token)
        assert not await store.renew(token, LONG)
        with pytest.raises(FencedError):
            await store.write(token, "r", 0, b"")

    tell(place, story)


def test_a_token_that_was_never_given_out_is_refused(place: Place) -> None:
    async def story(store: Store) -> None:
        with pytest.raises(FencedError):
            await store.write(1, "r", 0, b"")
        token = await holding(store)
        with pytest.raises(FencedError):
            await store.write(token + 1, "r", 0, b"")

    tell(place, story)


# --- watching -------------------------------------------------------------------------------------------------------


def test_who_watches_sees_the_state_as_it_is_and_each_time_that_it_has_changed(place: Place) -> None:
    async def story(store: Store) -> None:
        token = await holding(store)
        async with asyncio.timeout(PATIENCE):
            first, second = store.watch("r"), store.watch("r")
            assert await anext(first) is None
            await store.write(token, "r", 0, b"one")
            assert await anext(first) == State(1, b"one") == await anext(second)
            await store.write(token, "other", 0, b"")
            await store.write(token, "r", 1, b"two")
            await store.write(token, "r", 2, b"three")
            assert await anext(second) == State(3, b"three") == await anext(first)

    tell(place, story)


def test_who_watches_is_woken_when_the_state_changes(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "LOOK_SECONDS", 10 * PATIENCE)

    async def story(store: Store) -> None:
        token = await holding(store)
        seen: list[State | None] = []

        async def watch() -> None:
            async for state in store.watch("r"):
                seen.append(state)  # noqa: PERF401 (it never ends)

        async with asyncio.TaskGroup() as group:
            watcher = group.create_task(watch())
            await soon(lambda: asyncio.sleep(0, seen == [None]))
            await store.write(token, "r", 0, b"one")
            await soon(lambda: asyncio.sleep(0, seen == [None, State(1, b"one")]))
            watcher.cancel()

    tell(place, story)
