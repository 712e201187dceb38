from __future__ import annotations

import asyncio
import gc
import logging

import pytest

from stepdown import tasks


def test_a_task_that_nobody_keeps_is_not_collected_in_the_middle_of_its_work() -> None:
    done = []

    async def work(ready: asyncio.Event) -> None:
        await ready.wait()
        done.append(True)

    async def main() -> None:
        # Neither the event nor the task is reachable from anything that lives: only `tasks` keeps them.
        tasks.start(work(asyncio.Event()), name="orphan")
        await asyncio.sleep(0)
        gc.collect()
        [task] = [task for task in asyncio.all_tasks() if task.get_name() == "orphan"]
        task.get_coro().cr_frame.f_locals["ready"].set()
        await task

    asyncio.run(main())
    assert done == [True]


def test_what_a_task_raises_is_logged_with_its_name(caplog: pytest.LogCaptureFixture) -> None:
    async def fail() -> None:
        raise ValueError("bad weather")

    async def main() -> None:
        task = tasks.start(fail(), name="probe churn/2.0.0")
        await asyncio.wait([task])
        await asyncio.sleep(0)

    with caplog.at_level(logging.ERROR, logger="stepdown.tasks"):
        asyncio.run(main())
    [record] = caplog.records
    assert "probe churn/2.0.0" in record.getMessage()
    assert record.exc_info is not None
    assert str(record.exc_info[1]) == "bad weather"


def test_a_cancelled_task_is_forgotten_without_a_word(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        task = tasks.start(asyncio.sleep(3600), name="waiting")
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        await asyncio.sleep(0)
        assert task not in tasks._running

    asyncio.run(main())
    assert not caplog.records
