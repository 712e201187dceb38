"""Steady load on a sidecar from threads of the test process: one request after the other, each outcome counted."""

from __future__ import annotations

import threading
from collections import Counter
from typing import Self

from tests.kit.client import Client, EndedError
from tests.kit.looping import PATIENCE

REQUEST = b"POST /predict HTTP/1.1\r\nHost: test\r\nContent-Length: 2\r\n\r\n{}"


class Load:
    """A context manager: the load runs inside of the block."""

    def __init__(self, port: int, *, threads: int = 3, keep_alive: bool = False) -> None:
        """Requests go one to a connection, or with `keep_alive` over one connection for each thread."""
        self._port = port
        self._keep_alive = keep_alive
        self._threads = [threading.Thread(target=self._run, daemon=True) for _ in range(threads)]
        self._over = threading.Event()
        self._news = threading.Condition()
        self.outcomes: Counter[str] = Counter()
        """By status, or by how a connection ended."""

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        self.more(20)
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join(PATIENCE)

    @property
    def failures(self) -> dict[str, int]:
        """Everything but 200."""
        return {outcome: count for outcome, count in self.outcomes.items() if outcome != "200"}

    def more(self, count: int) -> None:
        """Wait until so many more requests were answered well."""
        with self._news:
            wanted = self.outcomes["200"] + count
            assert self._news.wait_for(lambda: self.outcomes["200"] >= wanted, PATIENCE), self.outcomes

    def _run(self) -> None:
        while not self._over.is_set():
            try:
                with Client(self._port) as client:
                    self._ask(client)
                    while self._keep_alive and not self._over.is_set():
                        self._ask(client)
            except EndedError as error:
                self._count(error.how)
            except OSError as error:
                self._count(type(error).__name__)

    def _ask(self, client: Client) -> None:
        client.send(REQUEST)
        self._count(str(client.response("POST").status))

    def _count(self, outcome: str) -> None:
        with self._news:
            self.outcomes[outcome] += 1
            self._news.notify_all()
