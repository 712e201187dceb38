"""What stepping down means for the head of an answer: which fields become untrue, which come, and which refuse it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from typing import Any

from stepdown_adapters.operations.envelope import HeadEdits

Fields = Sequence[tuple[bytes, bytes]]
"""Names, in lower case, with their values."""

STREAMS = frozenset({"text/event-stream", "application/x-ndjson", "application/ndjson", "application/jsonl"})
# They describe bytes that are no longer those of the answer (RFC 9110 sections 8.8 and 14, RFC 9530, RFC 1864).
STALE = frozenset(
    {
        b"accept-ranges",
        b"content-digest",
        b"content-length",
        b"content-md5",
        b"content-range",
        b"digest",
        b"etag",
        b"last-modified",
        b"repr-digest",
    }
)
_JSON = re.compile(r"application/(?:[^;\s]+\+)?json", re.IGNORECASE)
_CHARSET = re.compile(r";\s*charset\s*=\s*\"?([^\s\";]+)", re.IGNORECASE)
_UTF_8 = frozenset({"utf-8", "utf8", "us-ascii", "ascii"})


class Problem(Exception):  # noqa: N818 - it becomes an answer, and says so
    """An answer of our own instead of the application's, as a problem document (RFC 9457)."""

    def __init__(self, status: int, kind: str, title: str, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.kind = kind
        self.title = title
        self.detail = detail

    @property
    def body(self) -> bytes:
        """The document."""
        kind = f"urn:stepdown:problem:{self.kind}"
        members = {"type": kind, "title": self.title, "status": self.status, "detail": self.detail}
        return json.dumps(members, ensure_ascii=False).encode()


def not_adaptable(detail: str, kind: str = "adapter-failed", title: str = "Answer cannot be adapted") -> Problem:
    """What becomes of an answer that cannot be stepped down: a failure of the server, never a wrong answer."""
    return Problem(502, kind, title, detail)


def still_an_error(status: int, problem: Problem) -> Problem:
    """What becomes of an error answer that cannot be stepped down."""
    detail = f"The application answered {status}, and its error cannot be adapted: {problem.detail}"
    return Problem(status, "error-not-adaptable", "Error answer cannot be adapted", detail)


def value(fields: Fields, name: bytes) -> str | None:
    """The value of a field; those of several are joined by commas (RFC 9110 section 5.3)."""
    found = [text.decode("latin-1").strip() for key, text in fields if key.lower() == name]
    return ", ".join(found) if found else None


def refuse_foreign(status: int, fields: Fields) -> None:
    """Raise `Problem` for an answer whose body is no whole JSON text in UTF-8 as it is."""
    media = value(fields, b"content-type") or ""
    kind = media.partition(";")[0].strip().lower()
    if kind in STREAMS:
        detail = f"The answer is a stream ({kind}), which is not stepped down"
        raise not_adaptable(detail, "stream-not-adaptable", "Stream cannot be adapted")
    if not _JSON.fullmatch(kind):
        raise not_adaptable(f"The answer is no JSON: its content-type is {kind or 'not given'}")
    charset = _CHARSET.search(media)
    if charset is not None and charset[1].lower() not in _UTF_8:
        raise not_adaptable(f"The answer's JSON is in {charset[1]}, not UTF-8")
    coding = value(fields, b"content-encoding") or "identity"
    if coding.lower() != "identity":
        raise not_adaptable(f"The answer is compressed ({coding}); compress outside of the adapting middleware")
    if status == 206:
        raise not_adaptable("The answer is a part of a document")


def without(fields: Fields, names: Iterable[bytes]) -> list[tuple[bytes, bytes]]:
    """The fields but for some."""
    gone = frozenset(names)
    return [field for field in fields if field[0].lower() not in gone]


def edited(status: int, fields: Fields, edits: HeadEdits) -> tuple[int, Fields]:
    """The status and the fields after what a chain does to an answer's head."""
    if not edits:
        return status, fields
    kept = without(fields, (name.encode("latin-1") for name in edits.fields))
    added = [
        (name.encode("latin-1"), text.encode("latin-1")) for name, text in edits.fields.items() if text is not None
    ]
    return edits.statuses.get(status, status), [*kept, *added]


def labelled(fields: Fields, pinned: str, served: str) -> list[tuple[bytes, bytes]]:
    """The fields with those that say which shape this is, which version computed it, and what it depends on."""
    kept = without(fields, (b"x-model-version", b"x-model-served"))
    varies = (value(kept, b"vary") or "").lower()
    vary = [] if "*" in varies or "x-model-version" in varies else [(b"vary", b"X-Model-Version")]
    return [*kept, (b"x-model-version", pinned.encode()), (b"x-model-served", served.encode()), *vary]


def template(path: str) -> re.Pattern[str]:
    """A path with `{name}` parts as a pattern; raises `ValueError` where a part has no proper name."""
    pieces = re.split(r"\{(.*?)\}", path)
    names: list[Any] = pieces[1::2]
    for name in names:
        if not name.isidentifier() or names.count(name) > 1:
            raise ValueError(f"{path!r}: {{{name}}} is no name of a part, or there twice")
    texts = [re.escape(piece) if index % 2 == 0 else f"(?P<{piece}>[^/]+)" for index, piece in enumerate(pieces)]
    return re.compile("".join(texts))
