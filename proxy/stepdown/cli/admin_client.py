"""Calls of a running sidecar's admin API, from the command line."""

from __future__ import annotations

import http.client
import json
import queue
import socket
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

from stepdown.errors import NoRouteError

PATIENCE = 70.0
"""Seconds: a little more than the admin API gives any call (`control.serving`)."""
LOOK_EVERY = 1.0
"""Seconds."""
_TYPE_PREFIX = "urn:stepdown:problem:"


class AdminError(Exception):
    """The call did not succeed; its text says why."""

    def __init__(
        self, text: str, *, status: int = 0, problem: Mapping[str, Any] | None = None, lost: bool = False
    ) -> None:
        super().__init__(text)
        self.status = status
        """0 where there was no answer."""
        self.problem = problem
        self.lost = lost
        """The call was sent and its answer never came: whether it was done is not known."""


def call(
    admin: str,
    token: str,
    method: str,
    path: str,
    members: Mapping[str, Any] | None = None,
    *,
    watch: Callable[[], bool] | None = None,
) -> Mapping[str, Any]:
    """One call; returns the decoded answer. Raises `AdminError`.

    `watch` is asked each second while there is no answer: as long as it says that there will be one, it is waited for.
    """
    url = urlsplit(admin if "://" in admin else f"http://{admin}")
    if url.scheme not in {"http", "https"} or not url.hostname:
        raise AdminError(f"--admin {admin}: found no URL such as http://127.0.0.1:9901")
    kind = http.client.HTTPSConnection if url.scheme == "https" else http.client.HTTPConnection
    connection = kind(url.hostname, url.port, timeout=PATIENCE)
    body = None if members is None else json.dumps(members)
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    try:
        try:
            connection.connect()
        except OSError as error:
            raise AdminError(f"{admin} cannot be reached: {error.strerror or error}") from error
        try:
            connection.request(method, url.path.rstrip("/") + path, body, headers)
            status, answer = _answered(connection) if watch is None else _watched(connection, watch)
        except (OSError, http.client.HTTPException) as error:
            lost = method != "GET"
            unknown = f": whether the call was done is not known. `stepdown {_tells(path)}` tells." if lost else "."
            raise AdminError(
                f"The connection to {admin} ended before its answer came ({error or type(error).__name__}){unknown}",
                lost=lost,
            ) from error
    finally:
        connection.close()
    return _answer(status, answer, admin)


def _tells(path: str) -> str:
    """The command that shows what became of a call."""
    if path.startswith("/v1/rollouts"):
        return "rollout status"
    return "shadow report" if path.startswith("/v1/shadows") else "switch --status"


def _answered(connection: http.client.HTTPConnection) -> tuple[int, bytes]:
    response = connection.getresponse()
    return response.status, response.read()


def _watched(connection: http.client.HTTPConnection, watch: Callable[[], bool]) -> tuple[int, bytes]:
    """Status and body, read in a thread, so that there is something to be seen and to be interrupted meanwhile."""
    answers: queue.SimpleQueue[tuple[int, bytes] | Exception] = queue.SimpleQueue()

    def read() -> None:
        try:
            answers.put(_answered(connection))
        except Exception as error:  # whatever it is, it is for the one who waits
            answers.put(error)

    assert connection.sock is not None
    connection.sock.settimeout(None)
    threading.Thread(target=read, daemon=True).start()
    give_up = time.monotonic() + PATIENCE
    try:
        while True:
            try:
                answer = answers.get(timeout=LOOK_EVERY)
            except queue.Empty:
                if watch():
                    give_up = time.monotonic() + PATIENCE
                elif time.monotonic() > give_up:
                    raise TimeoutError("timed out") from None
                continue
            if isinstance(answer, Exception):
                raise answer
            return answer
    except BaseException:
        with suppress(OSError, AttributeError):  # or the thread would wait for ever
            connection.sock.shutdown(socket.SHUT_RDWR)
        raise


def _answer(status: int, answer: bytes, admin: str) -> Mapping[str, Any]:
    try:
        decoded = json.loads(answer)
    except ValueError:
        decoded = None
    if not isinstance(decoded, dict):
        raise AdminError(f"{admin} answers {status}, and not as an admin API does", status=status)
    if status != 200:
        problem = str(decoded.get("type", "")).removeprefix(_TYPE_PREFIX)
        text = f"Refused with {status} ({problem}): {decoded.get('detail', '')}"
        if problem == NoRouteError.problem:
            text = f"{admin} is where clients ask; the admin API has an address of its own, `admin.listen` of the file"
        raise AdminError(text, status=status, problem=decoded)
    return decoded
