"""How a body stands in a recording: as the JSON document that it is, else as text, else in base64, or why not."""

from __future__ import annotations

import base64
from typing import Any, Literal

import msgspec
from msgspec import UNSET, Raw, UnsetType

from stepdown.decide.records import Value
from stepdown.errors import AdapterFailedError, AnswerTooLargeError
from stepdown.recordings.redact import NotRedactableError, Redactor
from stepdown.wire import encodings
from stepdown_adapters.codec import checked
from stepdown_adapters.errors import Refusal

TOO_LARGE, NOT_REDACTABLE, NOT_COPIED = "too-large", "not-redactable", "not-copied"
"""Why a body is missing; `full` and `cut` come from whoever handed it over (`decide.copies.Answer`)."""

Form = Literal["", "json", "text", "base64"]


class Message(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What requests and answers have in common."""

    headers: dict[str, Value]
    """Recorded fields by their lower-case names; `null`: there was none."""
    size: int = 0
    """Bytes of the body as it was sent, codings on."""
    form: Form = ""
    """What `body` is: the document, its text, or its bytes in base64; empty where there is none."""
    body: Raw | UnsetType = UNSET
    """A JSON document as it was sent, but for the space between its parts; anything else as a string."""
    coding: str = ""
    """Content codings that are still on the body, because nobody here knows them; it is in base64 then."""
    missing: str = ""
    """Why there is no body although there was one."""
    redacted: tuple[str, ...] = ()
    """Paths at which a digest stands for what was there."""

    @property
    def content(self) -> bytes | None:
        """The body's bytes, without the codings that were undone; `None` where it is missing."""
        if self.missing:
            return None
        if self.body is UNSET:
            return b""
        raw = bytes(self.body)
        if self.form == "json":
            return raw
        text = msgspec.json.decode(raw, type=str)
        return text.encode() if self.form == "text" else base64.b64decode(text)


def told(content: bytes, codings: str, limit: int, redactor: Redactor | None) -> dict[str, Any]:
    """The members of a `Message` that tell of its body, which is at most `limit` bytes long, codings on or off."""
    if not content:
        return {}
    if len(content) > limit:
        return {"size": len(content), "missing": TOO_LARGE}
    plain, coding = content, ""
    if codings:
        try:
            plain = encodings.decode(content, codings.encode("latin-1"), limit)
        except AnswerTooLargeError:
            return {"size": len(content), "missing": TOO_LARGE}
        except AdapterFailedError:
            coding = codings
    if redactor is None or not plain:
        return {"size": len(content), "coding": coding} | _shown(plain, coded=bool(coding))
    try:
        if coding:
            raise NotRedactableError(f"nobody here knows {coding}")
        document, hidden = redactor.hide(plain)
    except NotRedactableError:
        return {"size": len(content), "missing": NOT_REDACTABLE}
    return {"size": len(content), "form": "json", "body": _one_line(document), "redacted": hidden}


def _shown(content: bytes, *, coded: bool) -> dict[str, Any]:
    if not content:
        return {}
    if not coded:
        try:
            return {"form": "json", "body": _one_line(bytes(checked(content)))}
        except (msgspec.DecodeError, Refusal, RecursionError):
            pass
        try:
            return {"form": "text", "body": Raw(msgspec.json.encode(content.decode()))}
        except UnicodeDecodeError:
            pass
    return {"form": "base64", "body": Raw(msgspec.json.encode(base64.b64encode(content).decode()))}


def _one_line(document: bytes) -> Raw:
    """A document without the space between its parts; numbers keep their text. Raises `msgspec.DecodeError`."""
    return Raw(msgspec.json.format(document, indent=-1))
