"""Calls of a running sidecar's admin API, from the command line."""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

PATIENCE = 70.0
"""Seconds: a little more than the admin API gives any call (`control.serving`)."""
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


def call(admin: str, token: str, method: str, path: str, members: Mapping[str, Any] | None = None) -> Mapping[str, Any]:
    """One call; returns the decoded answer. Raises `AdminError`."""
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
            response = connection.getresponse()
            answer = response.read()
        except (OSError, http.client.HTTPException) as error:
            raise AdminError(
                f"The connection to {admin} ended before its answer came ({error or type(error).__name__}): whether "
                "the call was done is not known. `stepdown switch --status` tells.",
                lost=method != "GET",
            ) from error
    finally:
        connection.close()
    return _answer(response.status, answer, admin)


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
        raise AdminError(text, status=status, problem=decoded)
    return decoded
