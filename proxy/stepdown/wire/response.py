"""A response's head: the same guard and the same single parse for what an upstream says.

`parse_response` needs to know the request's method, because the answer to a HEAD has no body whatever it declares.
Anything ambiguous is `BadResponseError` (502): a proxy that guessed would let one answer be read as two.
"""

from __future__ import annotations

from typing import Any

from stepdown.errors import BadRequestError, BadResponseError
from stepdown.wire import fields, grammar, limits
from stepdown.wire.coding import is_chunked
from stepdown.wire.lines import PLAIN, Meaning, is_plain, read_line, remembered
from stepdown.wire.request import CHUNKED

UNTIL_CLOSE = -2
"""`length` of a body that ends with the connection."""

_guard = grammar.RESPONSE.fullmatch
_DROP = frozenset((fields.HOP, fields.OWN, fields.UPGRADE))

_BOUND = 512
_LONGEST = 2048


class ResponseHead:
    """One parsed head of an answer."""

    __slots__ = (
        "block",
        "close",
        "declared",
        "fields",
        "interim",
        "length",
        "lines",
        "lower",
        "minor",
        "notes",
        "raw",
        "reusable",
        "status",
        "via",
    )

    def __init__(self, status: int, minor: int, raw: bytes, block: bytes) -> None:
        self.raw = raw
        """The whole head as it came."""
        self.status = status
        self.minor = minor
        self.block = block
        self.lower: bytes | None = None
        self.lines: list[bytes] = []
        """End-to-end field lines that go to the client as they are; framing and hop-by-hop lines are not among them."""
        self.fields = b""
        """The same lines as bytes, each with its CRLF."""
        self.via: list[bytes] = []
        self.length = UNTIL_CLOSE
        """Bytes of the body, `CHUNKED` or `UNTIL_CLOSE`."""
        self.declared: int | None = None
        """What the head says about the length, also where there is no body (HEAD, 304)."""
        self.close = minor == 0
        """Whether the upstream will close its connection after this answer."""
        self.interim = status < 200
        self.notes: Any = None
        """What whoever passes answers on may keep with a head, which is shared by all answers that have it."""
        self.reusable = False
        """Whether the connection is good for another request once this answer's body has been read."""

    def get(self, name: bytes, /) -> bytes | None:
        """Value of the first field called `name` (lower case); `None` if absent."""
        lower = self.lower
        if lower is None:
            lower = self.lower = self.block.lower()
        start = lower.find(b"\r\n" + name + b":")
        if start < 0:
            return None
        start += len(name) + 3
        return self.block[start : lower.find(b"\r\n", start)].strip(b" \t")


_heads: dict[bytes, ResponseHead] = {}
_remembered = _heads.get


def parse_response(raw: bytes, method: bytes) -> ResponseHead:
    """Read one head of an answer to a request with `method`; raises `BadResponseError`.

    Servers repeat their heads to the byte (for a second, where they send a date), so heads are remembered; what is
    returned is shared and must not be changed.
    """
    if method == b"HEAD":
        return _parse(raw, bodiless=True)
    head = _remembered(raw)
    if head is None:
        head = _parse(raw, bodiless=False)
        if len(raw) <= _LONGEST:
            if len(_heads) >= _BOUND:
                _heads.clear()
            _heads[raw] = head
    return head


def _parse(raw: bytes, *, bodiless: bool) -> ResponseHead:
    match = _guard(raw)
    if match is None:
        raise BadResponseError("The upstream's head is not HTTP/1.1")
    minor, status = match.groups()
    end = raw.index(b"\r\n")
    head = ResponseHead(int(status), 1 if minor == b"1" else 0, raw, raw[end:-2])
    declared = head.declared = _read_fields(head)
    if head.interim:
        if head.status == 101:
            raise BadResponseError("The upstream switched protocols unasked")
        head.length = 0
    elif bodiless or head.status in (204, 304):
        head.length = 0
    elif declared is not None:
        head.length = declared
    if head.length == UNTIL_CLOSE:
        head.close = True
    # A 204 has no body whatever it declares; what it declared may still come and be read as the next answer.
    head.reusable = not head.close and not (head.status == 204 and declared)
    head.fields = b"".join([line + b"\r\n" for line in head.lines])
    return head


def _read_fields(head: ResponseHead) -> int | None:
    """Sort the lines; the body's length as declared, or `None`."""
    lines = head.block[2:-2].split(b"\r\n") if len(head.block) > 2 else []
    if len(lines) > limits.FIELD_COUNT:
        raise BadResponseError(f"More than {limits.FIELD_COUNT} header fields")
    keep = head.lines
    declared: int | None = None
    closing = keep_alive = False
    nominated: frozenset[bytes] = frozenset()
    for line in lines:
        kind, value = _meaning(line)
        if kind == fields.LENGTH:
            if declared is not None:
                raise BadResponseError("The upstream declared its body's length twice")
            declared = value
        elif kind == fields.CODING:
            if declared is not None or head.minor == 0 or not is_chunked(value):
                raise BadResponseError("The upstream's Transfer-Encoding is not `chunked` alone")
            declared = CHUNKED
        elif kind == fields.CONNECTION:
            closing = closing or value.close
            keep_alive = keep_alive or value.keep_alive
            nominated |= value.nominated
        elif kind == fields.VIA:
            head.via.append(value)
        elif kind not in _DROP:
            keep.append(line)
    head.close = closing or (head.minor == 0 and not keep_alive)
    nominated -= fields.PROTECTED  # obeyed where it is harmless; framing and identity stay
    if nominated:
        keep[:] = [line for line in keep if line.partition(b":")[0].lower() not in nominated]
    return declared


def _meaning(line: bytes) -> Meaning:
    try:
        return PLAIN if is_plain(line) else remembered(line) or read_line(line)
    except BadRequestError as error:
        raise BadResponseError(f"The upstream's answer is refused: {error.detail}") from None
