"""Stepdown's own error answers, in the shape that the route's clients parse.

`problem` is RFC 9457; `v2` is what Open Inference servers send (`{"error": "..."}`); `openai` is the error object of
the OpenAI API. The status, `Retry-After` and the header `X-Stepdown-Error` are the same in all three.
"""

from __future__ import annotations

from collections.abc import Callable
from email.utils import formatdate
from typing import Literal

import orjson

from stepdown.errors import Fault, StepdownError
from stepdown.wire import serialise

Style = Literal["problem", "v2", "openai"]
TYPE_PREFIX = "urn:stepdown:problem:"


def _problem(error: StepdownError) -> tuple[str, object]:
    return "application/problem+json", {
        "type": TYPE_PREFIX + error.problem,
        "title": error.title,
        "status": error.code,
        "detail": error.detail,
    }


def _v2(error: StepdownError) -> tuple[str, object]:
    return "application/json", {"error": f"{error.title}: {error.detail}"}


def _openai(error: StepdownError) -> tuple[str, object]:
    kind = "invalid_request_error" if error.fault is Fault.CLIENT else "server_error"
    content = {"message": error.detail, "type": kind, "param": None, "code": error.problem}
    return "application/json", {"error": content}


_STYLES: dict[str, Callable[[StepdownError], tuple[str, object]]] = {
    "problem": _problem,
    "v2": _v2,
    "openai": _openai,
}


def render(error: StepdownError, style: Style, extra: bytes, *, close: bool, head_only: bool) -> bytes:
    """The whole answer; `extra` are complete field lines to add, `head_only` leaves the body out (HEAD)."""
    content_type, content = _STYLES[style](error)
    body = orjson.dumps(content)
    lines = [
        serialise.STATUS_LINES[error.code],
        serialise.field("date", formatdate(usegmt=True)),
        serialise.field("content-type", content_type),
        b"cache-control: no-store\r\n",
        serialise.field("x-stepdown-error", error.problem),
        extra,
    ]
    if error.retry_after is not None:
        lines.append(serialise.field("retry-after", str(error.retry_after)))
    if error.link is not None:
        lines.append(serialise.field("link", f'<{error.link}>; rel="deprecation"'))
    lines.append(b"content-length: %d\r\n" % len(body))
    if close:
        lines.append(serialise.CLOSE_LINE)
    lines.append(b"\r\n")
    if not head_only:
        lines.append(body)
    return b"".join(lines)
