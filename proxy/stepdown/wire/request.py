"""A request's head: guarded by one expression, parsed once; what two parsers could read differently is refused.

`parse_request` takes the raw bytes up to and including the blank line. It returns a `RequestHead`, whose `lines` are
the field lines that may go on to an upstream as they are (end-to-end fields that nobody here rewrites), or raises
`BadRequestError` with the status to answer with. What the expression refuses, `diagnose.explain_request` explains.
"""

from __future__ import annotations

from itertools import filterfalse
from typing import Any

from stepdown.errors import BadRequestError
from stepdown.wire import fields, grammar
from stepdown.wire.coding import parse_request_coding
from stepdown.wire.diagnose import explain_request
from stepdown.wire.fields import CODING, CONNECTION, EXPECT, FORWARDED, HOST, LENGTH, OWN, UPGRADE, VIA
from stepdown.wire.limits import FIELD_COUNT, TARGET_BYTES
from stepdown.wire.lines import PLAIN, is_plain, read_line, remembered

METHODS = frozenset((b"GET", b"HEAD", b"POST", b"PUT", b"DELETE", b"OPTIONS", b"PATCH", b"QUERY"))
"""Methods that are forwarded. CONNECT and TRACE are not a reverse proxy's; llhttp's other 40 are nobody's here."""

CHUNKED = -1
"""`length` of a message in chunks."""

_guard = grammar.REQUEST.fullmatch
_SLASH = 47
_COOKIE = b"cookie"

_needles: dict[bytes, bytes] = {}
"""What a field's line begins with, by the name that is asked for; few, as a configuration names them."""
_ROOM = 1024


def _needle(name: bytes) -> bytes:
    needle = b"\r\n" + name + b":"
    if len(_needles) < _ROOM:
        _needles[name] = needle
    return needle


class RequestHead:
    """One parsed head. Bytes throughout: nothing is decoded that nobody asks for."""

    __slots__ = (
        "_negotiates",
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
        "ordinary",
        "path",
        "query",
        "raw",
        "settled",
        "target",
        "values",
        "via",
    )

    def __init__(self, raw: bytes, method: bytes, target: bytes, minor: int, lines: list[bytes]) -> None:
        self.raw = raw
        """The whole head as it came."""
        self.lower: bytes | None = None
        self.values: dict[bytes, bytes | None] = {}
        """Values by lower-case name, as far as somebody has asked for them."""
        self.method = method
        self.target = target
        """Origin form, or `*`: what is sent on. Absolute form has been taken apart."""
        if b"?" in target:
            self.path, _, self.query = target.partition(b"?")
        else:
            self.path = target
            self.query = b""
        self.minor = minor
        """HTTP/1.`minor`."""
        self.host = b""
        self.length = 0
        """Bytes of the body, or `CHUNKED`."""
        self.framed = False
        """Whether the request says how long its body is; `Content-Length: 0` differs from nothing."""
        self.close = False
        """Whether the client wants the connection closed after the answer."""
        self.expect = False
        """Whether a `100 Continue` is waited for."""
        self.lines = lines
        self.forwarded: list[bytes] | tuple[()] = ()
        """Lines of X-Forwarded-* and the like, apart: whether to believe them is configuration."""
        self.via: list[bytes] | tuple[()] = ()
        self.ordinary = minor == 1
        """HTTP/1.1, origin form; only plain lines, Host, Content-Length and a Connection that nominates nothing."""
        self._negotiates: bool | None = None
        self.settled: Any = None
        """What whoever decides about this head may keep with it, for the heads after it that are recalled as it."""

    @property
    def chunked(self) -> bool:
        """Whether the body comes in chunks."""
        return self.length == CHUNKED

    @property
    def keep_alive(self) -> bool:
        """Whether the connection may be used again."""
        return not self.close

    @property
    def negotiates(self) -> bool:
        """Whether any of `fields.NEGOTIATED` is there; found out once, since a recalled head has the same names."""
        if self._negotiates is None:
            names = {line.partition(b":")[0].lower() for line in self.lines}
            self._negotiates = not names.isdisjoint(fields.NEGOTIATED)
        return self._negotiates

    def get(self, name: bytes, /) -> bytes | None:
        """Value of the first field called `name` (lower case), without white space around it; `None` if absent.

        Several lines of cookies are one field (RFC 9113 section 8.2.3): a proxy that speaks HTTP/2 to clients may not
        have joined them.
        """
        values = self.values
        if name in values:  # no exception: that would cost more than the search
            return values[name]
        lower = self.lower
        if lower is None:
            lower = self.lower = self.raw.lower()
        needle = _needles.get(name) or _needle(name)
        start = lower.find(needle)
        if start < 0:
            value = None
        else:
            start += len(needle)
            value = self.raw[start : lower.find(b"\r", start)].strip(b" \t")  # no value has a CR of its own
            if name == _COOKIE and lower.find(needle, start) >= 0:
                value = b"; ".join(self.get_all(name))
        values[name] = value
        return value

    def get_all(self, name: bytes, /) -> list[bytes]:
        """Values of all fields called `name` (lower case), in order."""
        found = []
        for line in self.raw.split(b"\r\n")[1:]:
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
    if len(target) > TARGET_BYTES:
        raise BadRequestError(f"The target is longer than {TARGET_BYTES} bytes", status=414)
    authority = None
    if target[0] != _SLASH:
        target, authority = _other_form(method, target)
    start = match.end(3) + 2
    lines = raw[start:-4].split(b"\r\n") if start < len(raw) - 4 else []
    head = RequestHead(raw, method, target, 1 if minor == b"1" else 0, lines)
    _read_fields(head, lines)
    if authority is not None:
        head.host = authority  # RFC 9112 section 3.2.2: the target's authority replaces Host
        head.ordinary = False
    return head


def _read_fields(head: RequestHead, lines: list[bytes]) -> None:  # noqa: PLR0912 - one pass, a branch for each kind
    """Take the lines that mean something to a proxy out of `lines`; what is left is forwarded."""
    if len(lines) > FIELD_COUNT:
        raise BadRequestError(f"More than {FIELD_COUNT} header fields", status=431)
    length: int | None = None
    closing = False
    keep_alive = head.minor == 1
    rare: list[tuple[int, Any, bytes]] | None = None
    nominated: frozenset[bytes] | None = None
    hosts = 0
    for line in list(filterfalse(is_plain, lines)):
        meaning = remembered(line) or read_line(line)
        if meaning is PLAIN:
            continue
        lines.remove(line)
        kind, value = meaning
        if kind == LENGTH:
            if length is not None:
                raise BadRequestError("Two Content-Length fields")
            length = value
        elif kind == HOST:
            hosts += 1
            head.host = value
        elif kind == CONNECTION:
            closing = closing or value.close  # wins over any keep-alive, also on another line (RFC 9112 section 9.3)
            keep_alive = keep_alive or value.keep_alive
            if value.nominated:
                nominated = value.nominated | (nominated or frozenset())
        elif rare is None:
            rare = [(kind, value, line)]
        else:
            rare.append((kind, value, line))
    if hosts != 1 or head.host is None:
        _check_host(head, hosts)
    head.close = closing or not keep_alive
    if length is not None:
        head.framed = True
        head.length = length
    if rare is not None:
        head.ordinary = False
        _read_rare(head, rare)
    if nominated is not None:
        head.ordinary = False
        _drop_nominated(head, nominated)


def _check_host(head: RequestHead, count: int) -> None:
    if count > 1:
        raise BadRequestError("More than one Host field")
    if count:
        raise BadRequestError("Host is no host name, address or host:port")
    if head.minor:
        raise BadRequestError("No Host field")


def _read_rare(head: RequestHead, rare: list[tuple[int, Any, bytes]]) -> None:
    """Fields that most requests do not have; the hop-by-hop ones among them are dropped by being ignored."""
    of = {kind: [value for other, value, _ in rare if other == kind] for kind, _, _ in rare}
    if FORWARDED in of:
        head.forwarded = [line for kind, _, line in rare if kind == FORWARDED]
    if VIA in of:
        head.via = of[VIA]
    if len(of.get(OWN, ())) > 1:
        _join_own(head)
    if CODING in of:
        if head.framed:
            raise BadRequestError("Both Content-Length and Transfer-Encoding")
        if head.minor == 0:
            raise BadRequestError("Transfer-Encoding in HTTP/1.0")
        parse_request_coding(b",".join(of[CODING]))
        head.framed = True
        head.length = CHUNKED
    if UPGRADE in of and head.framed:
        # A server that switches protocols reads what follows as something else than a body (CVE-2026-69243).
        raise BadRequestError("A request with Upgrade may not have a body")
    if EXPECT in of:
        if not all(of[EXPECT]):
            raise BadRequestError("The only expectation is 100-continue", status=417)
        # RFC 9110 section 10.1.1: ignored in HTTP/1.0, and nothing to wait for without a body.
        head.expect = head.minor == 1 and head.length != 0


def _join_own(head: RequestHead) -> None:
    """Several lines of one of our own fields are one list (RFC 9110 section 5.3), not a first and a forgotten one."""
    for name in (b"x-model-version", b"x-stepdown-explain", b"x-stepdown-serve", b"x-stepdown-override-token"):
        values = head.get_all(name)
        if len(values) > 1:
            head.values[name] = b", ".join(values)


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
