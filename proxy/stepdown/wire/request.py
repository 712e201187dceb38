"""A request's head: guarded by one expression, parsed once; what two parsers could read differently is refused.

`parse_request` takes the raw bytes up to and including the blank line. It returns a `RequestHead`, whose `lines` are
the field lines that may go on to an upstream as they are (end-to-end fields that nobody here rewrites), or raises
`BadRequestError` with the status to answer with. What the expression refuses, `diagnose.explain_request` explains.
"""

from __future__ import annotations

from stepdown.errors import BadRequestError
from stepdown.wire import fields, grammar, limits
from stepdown.wire.coding import parse_request_coding
from stepdown.wire.diagnose import explain_request
from stepdown.wire.lines import PLAIN, read_line, remembered

METHODS = frozenset((b"GET", b"HEAD", b"POST", b"PUT", b"DELETE", b"OPTIONS", b"PATCH", b"QUERY"))
"""Methods that are forwarded. CONNECT and TRACE are not a reverse proxy's; llhttp's other 40 are nobody's here."""

CHUNKED = -1
"""`length` of a message in chunks."""

_guard = grammar.REQUEST.fullmatch
_needles: dict[bytes, bytes] = {}
_BOUND = 1024


class RequestHead:
    """One parsed head. Bytes throughout: nothing is decoded that nobody asks for."""

    __slots__ = (
        "block",
        "close",
        "expect",
        "forwarded",
        "framed",
        "host",
        "length",
        "lines",
        "lower",
        "method",
        "minor",
        "path",
        "query",
        "target",
        "via",
    )

    def __init__(self, method: bytes, target: bytes, minor: int, block: bytes) -> None:
        self.method = method
        self.target = target
        """Origin form, or `*`: what is sent on. Absolute form has been taken apart."""
        path, _, query = target.partition(b"?")
        self.path = path
        self.query = query
        self.minor = minor
        """HTTP/1.`minor`."""
        self.block = block
        """All field lines as they came: from the CRLF that ends the request line to that of the last line."""
        self.lower: bytes | None = None
        self.host = b""
        self.length = 0
        """Bytes of the body, or `CHUNKED`."""
        self.framed = False
        """Whether the request says how long its body is; `Content-Length: 0` differs from nothing."""
        self.close = False
        """Whether the client wants the connection closed after the answer."""
        self.expect = False
        """Whether a `100 Continue` is waited for."""
        self.lines: list[bytes] = []
        self.forwarded: list[bytes] = []
        """Lines of X-Forwarded-* and the like, apart: whether to believe them is configuration."""
        self.via: list[bytes] = []

    @property
    def chunked(self) -> bool:
        """Whether the body comes in chunks."""
        return self.length == CHUNKED

    @property
    def keep_alive(self) -> bool:
        """Whether the connection may be used again."""
        return not self.close

    def get(self, name: bytes, /) -> bytes | None:
        """Value of the first field called `name` (lower case), without white space around it; `None` if absent."""
        lower = self.lower
        if lower is None:
            lower = self.lower = self.block.lower()
        needle = _needles.get(name)
        if needle is None:
            needle = b"\r\n" + name + b":"
            if len(_needles) < _BOUND:
                _needles[name] = needle
        start = lower.find(needle)
        if start < 0:
            return None
        start += len(needle)
        return self.block[start : lower.find(b"\r\n", start)].strip(b" \t")

    def get_all(self, name: bytes, /) -> list[bytes]:
        """Values of all fields called `name` (lower case), in order."""
        found = []
        for line in self.block.split(b"\r\n"):
            key, _, value = line.partition(b":")
            if key.lower() == name:
                found.append(value.strip(b" \t"))
        return found


def parse_request(raw: bytes) -> RequestHead:
    """Read one head; raises `BadRequestError` whose `code` is the status to answer with before closing."""
    match = _guard(raw)
    if match is None:
        raise explain_request(raw)
    method, target, minor = match.groups()
    if method not in METHODS:
        raise explain_request(raw)
    if len(target) > limits.TARGET_BYTES:
        raise BadRequestError(f"The target is longer than {limits.TARGET_BYTES} bytes", status=414)
    authority = None
    if target[0] != 47:  # "/"
        target, authority = _other_form(method, target)
    head = RequestHead(method, target, 1 if minor == b"1" else 0, raw[match.end(3) : -2])
    _read_fields(head)
    if authority is not None:
        head.host = authority  # RFC 9112 section 3.2.2: the target's authority replaces Host
    return head


def _read_fields(head: RequestHead) -> None:  # noqa: PLR0912 - one pass, a branch for each kind
    lines = head.block[2:-2].split(b"\r\n") if len(head.block) > 2 else []
    if len(lines) > limits.FIELD_COUNT:
        raise BadRequestError(f"More than {limits.FIELD_COUNT} header fields", status=431)
    keep = head.lines.append
    coding = length = upgrade = None
    hosts = 0
    closing = keep_alive = False
    nominated: frozenset[bytes] = frozenset()
    for line, meaning in zip(lines, map(remembered, lines), strict=True):
        if meaning is None:
            meaning = read_line(line)  # noqa: PLW2901 - the look-up's miss
        if meaning is PLAIN:
            keep(line)
            continue
        kind, value = meaning
        if kind == fields.HOST:
            if value is None:
                raise BadRequestError("Host is no host name, address or host:port")
            hosts += 1
            head.host = value
        elif kind == fields.LENGTH:
            if length is not None:
                raise BadRequestError("Two Content-Length fields")
            length = value
        elif kind == fields.CONNECTION:
            closing = closing or value.close  # wins over any keep-alive, also on another line (RFC 9112 section 9.3)
            keep_alive = keep_alive or value.keep_alive
            nominated |= value.nominated
        elif kind == fields.CODING:
            coding = value if coding is None else coding + b"," + value
        elif kind == fields.FORWARDED:
            head.forwarded.append(line)
        elif kind == fields.VIA:
            head.via.append(value)
        elif kind == fields.EXPECT:
            if not value:
                raise BadRequestError("The only expectation is 100-continue", status=417)
            head.expect = head.minor == 1  # RFC 9110 section 10.1.1: ignored in HTTP/1.0
        elif kind == fields.UPGRADE:
            upgrade = value
    if hosts != 1 and (hosts or head.minor):
        raise BadRequestError("More than one Host field" if hosts else "No Host field")
    head.close = closing or (head.minor == 0 and not keep_alive)
    if length is not None or coding is not None:
        _read_framing(head, length, coding, upgrade)
    elif head.expect:
        head.expect = False  # no body to wait for
    if nominated:
        _drop_nominated(head, nominated)


def _read_framing(head: RequestHead, length: int | None, coding: bytes | None, upgrade: bytes | None) -> None:
    if upgrade is not None:
        # A server that switches protocols reads what follows as something else than a body (CVE-2026-69243).
        raise BadRequestError("A request with Upgrade may not have a body")
    head.framed = True
    if coding is None:
        assert length is not None
        head.length = length
    elif length is not None:
        raise BadRequestError("Both Content-Length and Transfer-Encoding")
    elif head.minor == 0:
        raise BadRequestError("Transfer-Encoding in HTTP/1.0")
    else:
        parse_request_coding(coding)
        head.length = CHUNKED
    if head.length == 0:
        head.expect = False


def _drop_nominated(head: RequestHead, nominated: frozenset[bytes]) -> None:
    protected = nominated & fields.PROTECTED
    if protected:
        names = ", ".join(sorted(name.decode("latin-1") for name in protected))
        raise BadRequestError(f"Connection may not nominate {names}")
    head.lines[:] = [line for line in head.lines if line.partition(b":")[0].lower() not in nominated]


def _other_form(method: bytes, target: bytes) -> tuple[bytes, bytes | None]:
    """Take an absolute-form target apart; `*` only for OPTIONS; nothing else is a target (RFC 9112 section 3.2)."""
    if target == b"*" and method == b"OPTIONS":
        return target, None
    match = grammar.ABSOLUTE.fullmatch(target)
    if match is None:
        raise BadRequestError("The target is neither a path nor an absolute http URL")
    _, authority, rest = match.groups()
    if grammar.HOST.fullmatch(authority) is None:
        raise BadRequestError("The target's authority is no host or host:port")
    if not rest.startswith(b"/"):
        rest = b"/" + rest
    return rest, authority
