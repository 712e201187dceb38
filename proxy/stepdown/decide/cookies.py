"""Cookies that Stepdown sets itself: a random id, signed, so that a visitor who has no key of their own gets one.

A value is `ID~ISSUED~MAC`, or `ID~ISSUED~TAG~VERSION~MAC` on a rule with `drain: sticky`:

- `ID`: 128 random bits. This alone is the sticky key, so a value that is written anew moves nobody.
- `ISSUED`: when the id was made, Unix seconds as hexadecimal digits. The cookie's life ends `ttl` after that, or at
  `until`, and is not prolonged by visits: who takes part in an experiment does so from the first visit to its end.
- `TAG~VERSION`: which rule (by its salt) gave which version to the visitor last. It is what a version with weight 0
  knows its own by.
- `MAC`: HMAC-SHA256 of the cookie's name and all that stands before, cut to 128 bits (RFC 2104, section 5).

A value counts only if a secret of the route signed it and it has not ended. Anything else (forged, expired, somebody
else's cookie of that name) counts as missing, and the answer replaces it. What an older secret signed counts, and is
signed anew. So nobody can pick a version by picking an id, nor keep one by writing it down, and no list of ids is kept.
"""

from __future__ import annotations

import hmac
import re
from base64 import urlsafe_b64encode
from collections.abc import Callable
from itertools import islice
from typing import NamedTuple

from stepdown.decide import spec
from stepdown.decide.facts import Facts

ID_BYTES = 16
"""Random bytes of an id."""
_MAC_BYTES = 16
_LONGEST = 400
"""Longer values are not looked at: no version's name makes one."""
_ROOM = 2048
"""Values that are remembered with what they say; when they are more, all are forgotten."""
_MOST = 4
"""Cookies of one name that are tried; browsers send one for each path and domain that set it."""

DrawId = Callable[[], bytes]
"""Gives `ID_BYTES` unpredictable bytes."""


class Visitor(NamedTuple):
    """Whose request it is, by their cookie, or by the one that they are about to get."""

    id: bytes
    """The sticky key."""
    issued: int
    record: bytes = b""
    """`TAG~VERSION`, or empty."""
    is_new: bool = False
    """The id was made for this request."""
    unsaid: bool = False
    """The client has to be told: the id is new, or an older secret signed the cookie."""


class KeyCookie:
    """The cookie of one key source."""

    __slots__ = ("_attributes", "_find", "_known", "_name", "_settings", "_signers", "label")

    def __init__(self, name: str, settings: spec.SetCookie) -> None:
        self.label = f"cookie:{name}"
        self._name = name.encode()
        self._settings = settings
        self._known: dict[bytes, Visitor] = {}
        self._find = pattern_of(name).finditer
        self._signers = tuple(hmac.new(secret.encode(), digestmod="sha256") for secret in settings.secrets)
        attributes = f"Path={settings.path}; HttpOnly; SameSite={settings.same_site}"
        attributes += "; Secure" if settings.secure else ""
        attributes += f"; Domain={settings.domain}" if settings.domain is not None else ""
        self._attributes = attributes.encode()

    def visitor(self, facts: Facts, now: float, draw_id: DrawId) -> Visitor | None:
        """Who sent the request, at `now` in Unix seconds; `None` where the cookie has come to its end for all."""
        if self._settings.until is not None and now >= self._settings.until:
            return None
        for found in islice(self._find(facts.get(b"cookie") or b""), _MOST):
            value = found[1].strip(b" \t")
            known = self._known.get(value) or self._read(value)
            if known is not None and now < known.issued + self._settings.ttl:
                return known
        return Visitor(_text(draw_id()), int(now), is_new=True, unsaid=True)

    def line(self, visitor: Visitor, record: bytes | None, now: float) -> bytes:
        """The `Set-Cookie` line that the visitor's answer needs; empty where they know all of it.

        `record` is what the cookie is to say of the version; `None` leaves that as it is.
        """
        if record is None:
            record = visitor.record
        if not visitor.unsaid and record == visitor.record:
            return b""
        parts = (visitor.id, b"%x" % visitor.issued, record) if record else (visitor.id, b"%x" % visitor.issued)
        payload = b"~".join(parts)
        end = visitor.issued + self._settings.ttl
        if self._settings.until is not None:
            end = min(end, self._settings.until)
        value = payload + b"~" + self._mac(self._signers[0], payload)
        seconds = max(1, end - int(now))
        return b"set-cookie: %b=%b; Max-Age=%d; %b\r\n" % (self._name, value, seconds, self._attributes)

    def _read(self, value: bytes) -> Visitor | None:
        """What a value says that a secret of the route signed; `None` where none did."""
        if len(value) > _LONGEST:
            return None
        payload, _, mac = value.rpartition(b"~")
        signed_by = (hmac.compare_digest(self._mac(signer, payload), mac) for signer in self._signers)
        place = next((place for place, signed in enumerate(signed_by) if signed), None)
        if place is None:
            return None
        try:
            identity, issued, *record = payload.split(b"~")
            since = int(issued, 16)
        except ValueError:  # signed, but by something that was told the same secret
            return None
        if len(self._known) >= _ROOM:
            self._known.clear()
        known = self._known[value] = Visitor(identity, since, b"~".join(record), unsaid=place > 0)
        return known

    def _mac(self, signer: hmac.HMAC, payload: bytes) -> bytes:
        signer = signer.copy()
        signer.update(b"stepdown cookie %b=%b" % (self._name, payload))
        return _text(signer.digest()[:_MAC_BYTES])


def pattern_of(name: str) -> re.Pattern[bytes]:
    """Finds the cookies of this name in a `Cookie` field; the first group is the value, with white space behind it."""
    return re.compile(rb"(?:^|;)[ \t]*" + re.escape(name.encode()) + rb"=([^;]*)")


def _text(data: bytes) -> bytes:
    return urlsafe_b64encode(data).rstrip(b"=")
