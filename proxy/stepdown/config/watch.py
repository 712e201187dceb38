"""Waits for a change of the files that a configuration was made from.

The kernel's notifications only say when to look; whether something changed is decided by comparing stamps
(`watched.Watched`). So a change is seen however it is made (Kubernetes renames a symlink two levels up, editors rename
a new file over the old one), and noise in the same folders is not. Where there are no notifications (network file
systems, exhausted watches), the regular look every few seconds is enough.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from pathlib import Path

import watchfiles

from stepdown.config.watched import Watched

LOOK_EVERY = 5.0
"""Seconds between looks when nothing is notified."""
NOTICED_AFTER = 100
"""Milliseconds after which a notification is told; as often a thread wakes to ask for one, beside whoever serves."""
SETTLED_AFTER = 0.1
"""Seconds without a further change after which a change is complete."""


async def watch(watched: Watched) -> AsyncIterator[Watched]:
    """Yield how the files look after a change, once they have settled, and end.

    Only one change, because what to watch from then on is what the next load reads. A change made between that load and
    this call is seen as well.
    """
    while (now := await asyncio.to_thread(watched.again)) == watched:
        await _notified(tuple(folders_of(watched)))
    while (later := await _again_later(now)) != now:
        now = later
    yield now


async def _again_later(watched: Watched) -> Watched:
    await asyncio.sleep(SETTLED_AFTER)
    return await asyncio.to_thread(watched.again)


async def _notified(folders: tuple[Path, ...]) -> None:
    """Return when something happened in one of the folders, or after `LOOK_EVERY`."""
    if not folders:
        await asyncio.sleep(LOOK_EVERY)
        return
    notifications = watchfiles.awatch(
        *folders,
        watch_filter=None,
        recursive=False,
        debounce=NOTICED_AFTER,
        step=NOTICED_AFTER,
        yield_on_timeout=True,
        rust_timeout=int(LOOK_EVERY * 1000),
    )
    try:
        async with aclosing(notifications) as arriving:
            async for _ in arriving:
                return
    except OSError:  # out of watches, or a folder went away just now
        await asyncio.sleep(LOOK_EVERY)


def folders_of(watched: Watched) -> Iterator[Path]:
    """Existing folders in which a watched file may be replaced, or a symlink on the way to it."""
    seen: set[Path] = set()
    for path in (*watched.stamps, *(Path(pattern) for pattern in watched.globs)):
        absolute = path.absolute()
        links = (part.parent for part in (absolute, *absolute.parents) if part.is_symlink())
        for folder in (absolute.parent, absolute.resolve().parent, *links):
            if folder not in seen and folder.is_dir():
                seen.add(folder)
                yield folder
