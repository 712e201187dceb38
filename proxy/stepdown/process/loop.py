"""The event loop of the processes that move bytes between connections."""

from __future__ import annotations

import asyncio


def new_loop() -> asyncio.AbstractEventLoop:
    """uvloop's, or asyncio's where uvloop is not installed."""
    try:
        import uvloop  # noqa: PLC0415 - the only optional import of this process
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()
