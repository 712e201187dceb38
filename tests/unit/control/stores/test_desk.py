"""A thread for what blocks: in order, one thing at a time, and nobody waits for it for ever."""

from __future__ import annotations

import asyncio
import threading
from functools import partial

import pytest

from stepdown.control.stores import StoreUnavailableError
from stepdown.control.stores.desk import ROOM, Desk
from tests.kit.looping import PATIENCE


def test_work_is_done_in_order_in_a_thread_that_keeps_no_process_alive() -> None:
    done: list[int] = []

    def work(number: int) -> threading.Thread:
        done.append(number)
        return threading.current_thread()

    async def story() -> None:
        desk = Desk("the disk", PATIENCE)
        threads = await asyncio.gather(*(desk.run(partial(work, number)) for number in range(20)))
        assert done == list(range(20))
        assert {(thread.daemon, thread is threading.current_thread()) for thread in threads} == {(True, False)}
        desk.close()
        threads[0].join(PATIENCE)
        assert not threads[0].is_alive()

    asyncio.run(story())


def test_what_work_raises_comes_out_where_it_is_awaited() -> None:
    async def story() -> None:
        desk = Desk("the disk", PATIENCE)
        with pytest.raises(ZeroDivisionError):
            await desk.run(lambda: 1 // 0)
        assert await desk.run(lambda: 7) == 7
        desk.close()

    asyncio.run(story())


def test_work_that_hangs_keeps_its_caller_for_a_while_only_and_the_next_ones_are_refused_when_too_many() -> None:
    release = threading.Event()

    async def story() -> None:
        desk = Desk("the disk", PATIENCE)
        with pytest.raises(StoreUnavailableError, match=r"the disk has not answered in 0.01 s"):
            await desk.run(release.wait, 0.01)
        waiting = [asyncio.ensure_future(desk.run(partial(int, number))) for number in range(ROOM)]
        await asyncio.sleep(0)
        with pytest.raises(StoreUnavailableError, match=f"has {ROOM} calls to answer already"):
            await desk.run(lambda: 0)
        release.set()
        assert await asyncio.gather(*waiting) == list(range(ROOM))
        desk.close()

    asyncio.run(story())


def test_a_caller_that_leaves_harms_nobody() -> None:
    release = threading.Event()

    async def story() -> None:
        desk = Desk("the disk", PATIENCE)
        leaving = asyncio.ensure_future(desk.run(release.wait))
        await asyncio.sleep(0)
        leaving.cancel()
        release.set()
        assert await desk.run(lambda: 7) == 7
        desk.close()

    asyncio.run(story())
