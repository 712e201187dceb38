"""Override tokens: a signed statement that somebody may choose a server for a while, made and checked without state.

A token is `v1.CLAIMS.SIGNATURE`: the claims as JSON and an HMAC-SHA256 over `v1.CLAIMS`, both in base64url without
padding. The key of the HMAC is derived from the configured secret, so that a secret that also signs something else
signs nothing that could be taken for a token. Several secrets may be configured: the first signs, all of them verify,
so that one can be replaced while tokens of the one before are still about.

A token is refused, in this order, where it is

- `malformed`: not of this form;
- `forged`: signed with none of the secrets, or changed since;
- `future`: issued later than now, by more than clocks of two machines may differ;
- `expired`: its time is over;
- `foreign`: good, but for another model or version.

All secrets are always tried and compared in constant time, so how long a refusal takes says nothing about them.
"""

from __future__ import annotations

import hashlib
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence

import msgspec

ANY = "*"
"""Stands for every model, or for every version."""
LEEWAY = 60.0
"""Seconds by which the clock of the machine that issued a token may be ahead."""
LONGEST = 1024
"""Characters of a token; a longer one is malformed."""
_FORM = "v1"
_PURPOSE = b"stepdown override token v1"


class Claims(msgspec.Struct, frozen=True, rename={"holder": "for", "issued": "iat", "expires": "exp"}):
    """What a token says."""

    holder: str
    """Who it was made for, shown by explanations and in records."""
    model: str
    """A model's name, or `ANY`."""
    version: str
    """The exact version that its holder may ask for, or `ANY`."""
    issued: int
    """Unix seconds."""
    expires: int
    """Unix seconds from which on it is refused."""


class TokenError(ValueError):
    """A token that is refused; `reason` is one of the words above, the text is a sentence about it."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


_CLAIMS = msgspec.json.Decoder(Claims)


def issue(claims: Claims, secret: str) -> str:
    """The token with these claims."""
    signed = f"{_FORM}.{_text(msgspec.json.encode(claims))}"
    return f"{signed}.{_text(_signature(signed, secret))}"


def verify(token: str, secrets: Sequence[str], model: str, version: str, now: float) -> Claims:
    """The claims of a token that lets its holder ask for this version, at `now` (Unix seconds); raises `TokenError`."""
    signed, claims, signature = _parts(token)
    genuine = False
    for secret in secrets:
        genuine |= hmac.compare_digest(_signature(signed, secret), signature)
    if not genuine:
        raise TokenError("forged", "the token is signed with none of the configured secrets, or was changed")
    if claims.issued > now + LEEWAY:
        raise TokenError("future", f"the token was issued {claims.issued - now:.0f} s from now: a clock is wrong")
    if claims.expires <= now:
        raise TokenError("expired", f"the token for {claims.holder!r} expired {now - claims.expires:.0f} s ago")
    if claims.model not in (ANY, model) or claims.version not in (ANY, version):
        allowed = f"{claims.model} {claims.version}"
        raise TokenError("foreign", f"the token for {claims.holder!r} is for {allowed}, not for {model} {version}")
    return claims


def _parts(token: str) -> tuple[str, Claims, bytes]:
    """What was signed, what it says, and the signature."""
    form, _, rest = token.partition(".")
    body, _, signature = rest.partition(".")
    if form != _FORM or len(token) > LONGEST:
        raise TokenError("malformed", f"the token does not begin with {_FORM}., or is longer than {LONGEST} characters")
    try:
        claims = _CLAIMS.decode(_bytes(body))
        if not claims.holder.isprintable():  # it stands in logs and header fields
            raise ValueError(claims.holder)
        return f"{form}.{body}", claims, _bytes(signature)
    except ValueError as error:
        raise TokenError("malformed", "the token's claims cannot be read") from error


def _signature(signed: str, secret: str) -> bytes:
    key = hmac.digest(secret.encode(), _PURPOSE, hashlib.sha256)
    return hmac.digest(key, signed.encode("ascii"), hashlib.sha256)


def _text(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    """Inverse of `_text`; exact, so that no two texts stand for one token."""
    data = urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
    if _text(data) != text:
        raise ValueError(text)
    return data
