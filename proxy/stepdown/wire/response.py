"""A response's head: the same guard and the same single parse for what an upstream says.

`parse_response` needs to know the request's method, because the answer to a HEAD has no body whatever it declares.
Anything ambiguous is `BadResponseError` (502): a proxy that guessed would let one answer be read as two.
"""

from __future__ import annotations

from stepdown.errors import BadRequestError, BadResponseError
from stepdown.wire import fields, grammar, limits
from stepdown.wire.coding import is_chunked, parse_length
from stepdown.wire.request import CHUNKED

UNTIL_CLOSE = -2
"""`length` of a body that ends with the connection."""

_guard = grammar.RESPONSE.fullmatch
_known = fields.known
_DROP = frozenset((fields.HOP, fields.OWN, fields.UPGRADE))


class ResponseHead:
    """One parsed head of an answer."""

    __slots__ = ("block", "close", "declared", "interim", "length", "lines", "lower", "minor", "status", "via")

    def __init__(self, status: int, minor: int, block: bytes) -> None:
        self.status = status
        self.minor = minor
        self.block = block
        self.lower: bytes | None = None
        self.lines: list[bytes] = []
        """End-to-end field lines that go to the client as they are; framing and hop-by-hop lines are not among them."""
        self.via: list[bytes] = []
        self.length = UNTIL_CLOSE
        """Bytes of the body, `CHUNKED` or `UNTIL_CLOSE`."""
        self.declared: int | None = None
        """What the head says about the length, also where there is no body (HEAD, 304)."""
        self.close = minor == 0
        """Whether the upstream will close its connection after this answer."""
        self.interim = status < 200

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


def parse_response(raw: bytes, method: bytes) -> ResponseHead:
    """Read one head of an answer to a request with `method`; raises `BadResponseError`."""
    match = _guard(raw)
    if match is None:
        raise BadResponseError("The upstream's head is not HTTP/1.1")
    minor, status = match.groups()
    end = raw.index(b"\r\n")
    head = ResponseHead(int(status), 1 if minor == b"1" else 0, raw[end:-2])
    declared = head.declared = _read_fields(head)
    if head.interim:
        if head.status == 101:
            raise BadResponseError("The upstream switched protocols unasked")
        head.length = 0
    elif method == b"HEAD" or head.status in (204, 304):
        head.length = 0
    elif declared is not None:
        head.length = declared
    if head.length == UNTIL_CLOSE:
        head.close = True
    return head


def _read_fields(head: ResponseHead) -> int | None:
    """Sort the lines; the body's length as declared, or `None`."""
    lines = head.block[2:-2].split(b"\r\n") if len(head.block) > 2 else []
    if len(lines) > limits.FIELD_COUNT:
        raise BadResponseError(f"More than {limits.FIELD_COUNT} header fields")
    keep = head.lines
    declared: int | None = None
    closing = False
    nominated: frozenset[bytes] = frozenset()
    for line in lines:
        name, _, value = line.partition(b":")
        kind = _known(name)
        if kind is None:
            kind = _kind_of(name)
        if kind == fields.PLAIN:
            keep.append(line)
        elif kind == fields.LENGTH:
            declared = _declared_length(value, declared)
        elif kind == fields.CODING:
            if declared is not None or head.minor == 0 or not is_chunked(value):
                raise BadResponseError("The upstream's Transfer-Encoding is not `chunked` alone")
            declared = CHUNKED
        elif kind == fields.CONNECTION:
            options = fields.connection_options(value)
            closing = closing or options.close
            head.close = closing or (head.close and not options.keep_alive)
            nominated |= options.nominated
        elif kind == fields.VIA:
            head.via.append(value.strip(b" \t"))
        elif kind not in _DROP:
            keep.append(line)
    nominated -= fields.PROTECTED  # obeyed where it is harmless; framing and identity stay
    if nominated:
        keep[:] = [line for line in keep if line.partition(b":")[0].lower() not in nominated]
    return declared


def _declared_length(value: bytes, before: int | None) -> int:
    if before is not None:
        raise BadResponseError("The upstream declared its body's length twice")
    try:
        return parse_length(value.strip(b" \t"))
    except BadRequestError as error:
        raise BadResponseError(f"The upstream's {error.detail}") from None


def _kind_of(name: bytes) -> int:
    try:
        return fields.kind_of(name)
    except BadRequestError as error:
        raise BadResponseError(error.detail) from None
