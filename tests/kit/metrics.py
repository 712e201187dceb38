"""Scripted servers of metrics, and who asks them."""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any, TypeVar

from yarl import URL

from stepdown.control.metrics.asking import Asker
from tests.kit.looping import LoopThread
from tests.kit.upstream import Request, Script, Upstream, serve

NOW = 1_800_000_000.0
Result = TypeVar("Result")
Ask = Callable[[Asker], Coroutine[Any, Any, Result]]


class Servers:
    """Servers on one loop, and an asker on the same."""

    def __init__(self, thread: LoopThread, upstreams: list[Upstream]) -> None:
        self._thread = thread
        self.upstreams = upstreams
        self.urls = [URL(f"http://127.0.0.1:{upstream.port}") for upstream in upstreams]

    def ask(self, ask: Ask[Result]) -> Result:
        """What comes of asking."""

        async def whole() -> Result:
            async with Asker() as asker:
                return await ask(asker)

        return self._thread.call(whole())


@contextmanager
def servers(*scripts: Script) -> Iterator[Servers]:
    """One for each script."""
    with LoopThread() as thread, ExitStack() as stack:
        yield Servers(thread, [stack.enter_context(Upstream(thread, script)) for script in scripts])


def answer(body: str | bytes, status: int = 200, kind: str = "application/json", **fields: str) -> bytes:
    """A whole HTTP answer."""
    data = body.encode() if isinstance(body, str) else body
    lines = [f"HTTP/1.1 {status} Some Reason", f"Content-Type: {kind}", f"Content-Length: {len(data)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in fields.items()]
    return "\r\n".join((*lines, "", "")).encode() + data


def vector(*values: str, at: float = NOW, **members: Any) -> str:
    """Prometheus' answer with a series for each value."""
    result = [{"metric": {"n": str(place)}, "value": [at, value]} for place, value in enumerate(values)]
    return json.dumps({"status": "success", "data": {"resultType": "vector", "result": result}} | members)


def by_query(values: Mapping[str, str]) -> Script:
    """Answers a query by the first of these words that stands in it."""

    def answered(request: Request) -> bytes:
        query = URL(request.target.decode()).query["query"]
        return answer(vector(next(value for word, value in values.items() if word in query)))

    return serve(answered)
