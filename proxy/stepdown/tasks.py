"""The one place that starts background tasks: it keeps a reference to each and logs what it raises.

The event loop itself holds tasks only weakly, so one that nobody keeps may be collected in the middle of its work, and
an exception in it is reported only when it is collected, if ever (Python's documentation of `asyncio.create_task`).
Work that somebody waits for needs no task of its own, or belongs in an `asyncio.TaskGroup`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any, TypeVar

Result = TypeVar("Result")

_logger = logging.getLogger(__name__)
_running: set[asyncio.Task[Any]] = set()


def start(coroutine: Coroutine[Any, Any, Result], *, name: str) -> asyncio.Task[Result]:
    """Run `coroutine` in the background; `name` says in the log whose failure it was."""
    task = asyncio.get_running_loop().create_task(coroutine, name=name)
    _running.add(task)
    task.add_done_callback(_finished)
    return task


def _finished(task: asyncio.Task[Any]) -> None:
    _running.discard(task)
    if not task.cancelled() and (error := task.exception()) is not None:
        _logger.error("background task %r failed", task.get_name(), exc_info=error)
