"""How long a message's body is: the rules of RFC 9112 section 6 with every tolerated variant refused.

The rule for `Transfer-Encoding`: one field whose value is `chunked`. Everything else is refused, with the status that
says why: 501 where the coding is one that nobody here decodes, 400 where the length could not be known at all.
"""

from __future__ import annotations

import re

from stepdown.errors import BadRequestError
from stepdown.wire import limits

_TOKEN = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_REGISTERED = frozenset((b"gzip", b"x-gzip", b"deflate", b"compress", b"x-compress"))
_DIGITS = re.compile(rb"[0-9]{1,40}")
_UINT64 = (1 << 64) - 1


def parse_length(value: bytes) -> int:
    """Number in a `Content-Length`: digits only, so no sign, list, hexadecimal, underscore or Unicode digit.

    Raises `BadRequestError`: 400 where it is no number or overflows 64 bits, 413 where nothing is that long.
    """
    if _DIGITS.fullmatch(value) is None:
        raise BadRequestError("Content-Length is no decimal number")
    length = int(value)
    if length > limits.BODY_BYTES:
        if length > _UINT64:
            raise BadRequestError("Content-Length overflows 64 bits")
        raise BadRequestError("Content-Length is larger than any body", status=413)
    return length


def is_chunked(value: bytes) -> bool:
    """Whether a `Transfer-Encoding` value is exactly `chunked`, in any case."""
    return value == b" chunked" or value.strip(b" \t").lower() == b"chunked"


def parse_request_coding(value: bytes) -> None:
    """Accept `chunked`, refuse the rest; several fields are to be joined with commas first."""
    if is_chunked(value):
        return
    codings = [coding.strip(b" \t").lower() for coding in value.split(b",")]
    if any(_TOKEN.fullmatch(coding) is None for coding in codings):
        raise BadRequestError("Transfer-Encoding is no list of codings")
    if b"chunked" in codings[:-1]:
        raise BadRequestError("In Transfer-Encoding chunked may stand only once and last")
    if codings[-1] in _REGISTERED:
        raise BadRequestError("A request's last transfer coding has to be chunked")
    raise BadRequestError("A transfer coding other than chunked is not supported", status=501)
