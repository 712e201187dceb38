"""A recorded exchange made what a worker would have handed over of it, or the reason why it cannot be sent again.

Credentials were not recorded, or only their digests: they are not sent. Of a request that is not whole nothing is sent,
since the answer to half of one says nothing; the same holds where a digest stands for a value.
"""

from __future__ import annotations

from typing import NamedTuple

from stepdown.decide.copies import Answer, Copy
from stepdown.decide.paths import Template, split_path
from stepdown.decide.records import HIDDEN, Value
from stepdown.decide.spec import Route
from stepdown.recordings.bodies import Message
from stepdown.recordings.entry import Entry

REDACTED = "redacted request"
"""The reason that tells most of a recording: with `redact` in requests it cannot be replayed."""

NOT_ANSWERED = "no answer of a server"

_UNSENT = frozenset({"host", "content-length", "transfer-encoding", "connection"})


class Exchange(NamedTuple):
    """One request with its recorded answer."""

    copy: Copy
    body: bytes
    answer: Answer
    answer_body: bytes
    size: int
    """Bytes of the recorded answer as it was sent, codings on."""
    unseen: tuple[str, ...]
    """Paths of the recorded answer at which there is no value any more."""
    hidden: bool
    """A value of the query, which speaks of a secret, is not what it was."""


def exchange_of(entry: Entry, route: Route, number: int) -> Exchange | str:
    """What is sent and compared; or why it cannot be."""
    request, response = entry.request, entry.response
    if response is None:
        return NOT_ANSWERED
    if entry.error:
        return f"the answer ended with {entry.error}"
    if entry.outcome == "passthrough":
        return "an answer that was passed on in its own shape"
    body, answer_body = request.content, response.content
    if body is None:
        return f"no request body: {request.missing}"
    if answer_body is None:
        return f"no answer body: {response.missing}"
    if request.redacted:
        return REDACTED
    if response.redacted and entry.served != entry.pinned:
        return "redacted answer, which cannot be stepped down"
    params = _params(route, entry.request.target)
    if params is None:
        return "a path that its route does not have any more"
    return Exchange(
        _copy(entry, body, number, params),
        body,
        _answer(entry, number, len(answer_body)),
        answer_body,
        response.size,
        response.redacted,
        HIDDEN in request.target.partition("?")[2],
    )


def _params(route: Route, target: str) -> tuple[bytes, ...] | None:
    """What stands for the parts of the route's path; `None` where the path is another."""
    template = Template.parse((route.match.path or route.match.path_prefix or "").rstrip("/"))
    segments = split_path(target.partition("?")[0].encode("latin-1"))
    if not (template.fits(segments) if route.match.path else template.begins(segments)):
        return None
    return template.values(segments)


def _copy(entry: Entry, body: bytes, number: int, params: tuple[bytes, ...]) -> Copy:
    request = entry.request
    host = request.headers.get("host")
    lines = [f"{request.method} {request.target} HTTP/1.1"]
    lines.append(f"host: {host if isinstance(host, str) else 'replay'}")
    lines += _lines(request)
    if body or request.method in {"POST", "PUT", "PATCH"}:
        lines.append(f"content-length: {len(body)}")
    return Copy(
        id=number,
        digest="",
        route=entry.route,
        rule=entry.rule,
        pinned=entry.pinned,
        assigned=entry.assigned,
        served=entry.served,
        reason=entry.reason,
        shadows=(0,),
        recorded=False,
        at=_seconds(entry),
        client=entry.client or "127.0.0.1",
        key=entry.key,
        params=params,
        head="\r\n".join((*lines, "", "")).encode("latin-1", "replace"),
    )


def _answer(entry: Entry, number: int, size: int) -> Answer:
    response = entry.response
    assert response is not None
    lines = [f"HTTP/1.1 {response.status} Recorded", *_lines(response), f"content-length: {size}"]
    return Answer(
        id=number,
        served=entry.served,
        outcome=entry.outcome,
        status=entry.status,
        error="",
        elapsed=round(entry.elapsed * 1e9),
        upstream=round(entry.upstream * 1e9),
        missing="",
        head="\r\n".join((*lines, "", "")).encode("latin-1", "replace"),
    )


def _lines(message: Message) -> list[str]:
    """The recorded fields that hold: not those of framing, nor a coding that was undone, nor what is hidden."""
    unsent = _UNSENT if message.coding else _UNSENT | {"content-encoding"}
    return [f"{name}: {value}" for name, value in message.headers.items() if _holds(value) and name not in unsent]


def _holds(value: Value) -> bool:
    return isinstance(value, str)


def _seconds(entry: Entry) -> float:
    try:
        return entry.seconds
    except ValueError:
        return 0.0
