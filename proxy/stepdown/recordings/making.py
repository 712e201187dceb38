"""Makes an entry of what a worker handed over: a copy of the request, and later of the answer."""

from __future__ import annotations

import hashlib

from stepdown.decide.cookies import pattern_of
from stepdown.decide.copies import Answer, Copy
from stepdown.decide.records import Hidden, Value, is_secret, shown_query
from stepdown.decide.shadow_spec import Recording
from stepdown.recordings.bodies import NOT_COPIED, told
from stepdown.recordings.deciding import Deciding
from stepdown.recordings.entry import FORMAT, Entry, Request, Response
from stepdown.recordings.redact import Redactor
from stepdown.telemetry.text import timestamp
from stepdown.wire.request import RequestHead, parse_request
from stepdown.wire.response import ResponseHead, parse_response

ASKED = ("host", "accept", "content-type", "content-encoding")
"""Fields of requests that are always recorded: without them a request cannot be sent again."""
ANSWERED = ("content-type", "content-encoding")
"""Fields of answers that are always recorded: without them a body cannot be read."""

_NO_OTHERS: frozenset[str] = frozenset()


class Maker:
    """Makes the entries of one route."""

    def __init__(self, recording: Recording, model: str, deciding: Deciding, key: bytes) -> None:
        """`key` is a secret of this process, of 16 to 64 bytes, for digests of what is redacted."""
        self._model = model
        self._limit = recording.max_body
        self._asked = tuple(dict.fromkeys((*ASKED, *deciding.headers, *recording.headers)))
        self._answered = tuple(dict.fromkeys((*ANSWERED, *recording.headers)))
        self._cookies = tuple((name, pattern_of(name)) for name in deciding.cookies)
        self._client = deciding.client
        self._key = key
        self._redactor = Redactor(recording.redact, key) if recording.redact else None

    def make(self, name: str, copy: Copy, body: bytes, answer: Answer, answer_body: bytes) -> Entry:
        """The entry called `name`; raises `StepdownError` for heads that nobody should have passed on."""
        head = parse_request(copy.head)
        return Entry(
            recording=FORMAT,
            id=name,
            time=timestamp(copy.at),
            config=copy.digest,
            route=copy.route,
            model=self._model,
            rule=copy.rule,
            pinned=copy.pinned,
            assigned=copy.assigned,
            chosen=copy.served if copy.served != answer.served else "",
            served=answer.served,
            reason=copy.reason,
            key=self._keyed(copy.key),
            client=copy.client if self._client else "",
            request=self._request(head, body),
            outcome=answer.outcome,
            status=answer.status,
            error=answer.error,
            elapsed=_seconds(answer.elapsed),
            upstream=_seconds(answer.upstream),
            response=self._response(parse_response(answer.head, head.method), answer, answer_body)
            if answer.head
            else None,
        )

    def _keyed(self, digest: str) -> str:
        """The digest of a sticky key, keyed, for the value may be one that is redacted, with few possibilities."""
        return hashlib.blake2b(digest.encode(), digest_size=8, key=self._key).hexdigest() if digest else ""

    def _request(self, head: RequestHead, body: bytes) -> Request:
        query = head.query.decode("latin-1")
        found = head.get(b"cookie") or b""
        cookies = {name: pattern.search(found) for name, pattern in self._cookies}
        coding = (head.get(b"content-encoding") or b"").decode("latin-1")
        missing = {"missing": NOT_COPIED, "size": head.length} if head.length > 0 and not body else {}
        return Request(
            method=head.method.decode(),
            target=head.path.decode("latin-1") + (f"?{shown_query(query, _NO_OTHERS)}" if query else ""),
            headers=_fields(head, self._asked),
            cookies={name: _value(name, match[1].strip(b" \t") if match else None) for name, match in cookies.items()},
            **(missing or told(body, coding, self._limit, self._redactor)),
        )

    def _response(self, head: ResponseHead, answer: Answer, body: bytes) -> Response:
        coding = (head.get(b"content-encoding") or b"").decode("latin-1")
        missing = {"missing": answer.missing} if answer.missing else {}
        return Response(
            status=head.status,
            headers=_fields(head, self._answered),
            **(missing or told(body, coding, self._limit, self._redactor)),
        )


def _fields(head: RequestHead | ResponseHead, names: tuple[str, ...]) -> dict[str, Value]:
    return {name: _value(name, head.get(name.encode("latin-1"))) for name in names}


def _value(name: str, value: bytes | None) -> Value:
    if value is None:
        return None
    secret = value and is_secret(name, _NO_OTHERS)
    return Hidden(hashlib.sha256(value).hexdigest()) if secret else value.decode("latin-1")


def _seconds(nanoseconds: int) -> float:
    return round(nanoseconds / 1e9, 6)
