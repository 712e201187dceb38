"""Why a request's head was refused: the slow path that finds the status and the sentence.

The guard only says no. Whoever sent the head needs to know what to mend, and refusals have different statuses:
501 for a method, 505 for a version, 414 for a long target, 400 for the rest.
"""

from __future__ import annotations

import re

from stepdown.errors import BadRequestError
from stepdown.wire import grammar, limits

_START = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]|\r\n?\Z")
_FIELD = re.compile(grammar.TOKEN + rb"++:" + grammar.VALUE + rb"*+")


def explain_request(raw: bytes) -> BadRequestError:
    """The error for a head that `grammar.REQUEST` or the list of methods refuses."""
    line = grammar.REQUEST_LINE.match(raw)
    if line is None:
        return BadRequestError("The request line is not `METHOD target HTTP/1.1`")
    method, target, name, major, minor = line.groups()
    if name != b"HTTP":
        return BadRequestError("The protocol is not HTTP")
    if grammar.FIELD_NAME.fullmatch(method) is None:
        return BadRequestError("The method is no token")
    if (method, target, major) == (b"PRI", b"*", b"2"):
        return BadRequestError("HTTP/2 is not spoken here: use HTTP/1.1", status=505)
    if major != b"1" or minor not in (b"0", b"1"):
        return BadRequestError("Only HTTP/1.1 and HTTP/1.0 are spoken here", status=505)
    if len(target) > limits.TARGET_BYTES:
        return BadRequestError(f"The target is longer than {limits.TARGET_BYTES} bytes", status=414)
    fault = _first_bad_line(raw[line.end() :])
    if fault is not None:
        return BadRequestError(fault)
    if re.fullmatch(grammar.TARGET + rb"++", target) is None:
        return BadRequestError("The target has a byte that a URI cannot have")
    if method == b"CONNECT":
        return BadRequestError("CONNECT is not supported: this is a reverse proxy", status=405)
    return BadRequestError(f"Method {method.decode('latin-1')} is not supported", status=501)


def explain_overflow(raw: bytes) -> BadRequestError:
    """The error for a head that has not ended within `limits.HEAD_BYTES`."""
    end = raw.find(b"\r\n", 0, limits.TARGET_BYTES + 64)
    if end < 0 and raw.find(b"\n", 0, limits.TARGET_BYTES + 64) < 0:
        return BadRequestError(f"The target is longer than {limits.TARGET_BYTES} bytes", status=414)
    return BadRequestError(f"The head is longer than {limits.HEAD_BYTES} bytes", status=431)


def partial_fault(raw: bytearray, before: int) -> BadRequestError | None:
    """What is already wrong with a head that has not ended; `before` bytes of `raw` have been looked at.

    A head that can never end (bare LF) or is no HTTP at all (TLS, garbage) is refused at once, not after a timeout.
    """
    size = len(raw)
    if size > limits.HEAD_BYTES or (
        size > limits.TARGET_BYTES + 64 and raw.find(b"\n", 0, limits.TARGET_BYTES + 64) < 0
    ):
        return explain_overflow(bytes(raw))
    if before == 0 and raw and _START.match(raw) is None:
        return BadRequestError("The request line does not begin with a method")
    if raw.count(b"\n", before) != raw.count(b"\r\n", max(0, before - 1)):
        return BadRequestError("A line of the head does not end with CRLF")
    return None


def _first_bad_line(fields: bytes) -> str | None:
    for number, line in enumerate(fields.split(b"\r\n"), start=1):
        if not line:
            return None
        if _FIELD.fullmatch(line) is None:
            return f"Header line {number} is not `name: value`: {_fault_of(line)}"
    return None


def _fault_of(line: bytes) -> str:
    name, colon, value = line.partition(b":")
    if line[:1] in (b" ", b"\t"):
        return "it begins with white space (folded lines are refused)"
    if b"\n" in line or b"\r" in line:
        return "it contains a bare CR or LF"
    if not colon:
        return "it has no colon"
    if name.rstrip(b" \t") != name:
        return "there is white space before the colon"
    if grammar.FIELD_NAME.fullmatch(name) is None:
        return "its name is no token"
    return "its value has a control byte" if value else "it is malformed"
