"""HTTP/1.x without I/O: heads guarded and parsed once, bodies framed by our own rules, one output function."""

from stepdown.wire.framing import BodyReader, FramingError, reader_for
from stepdown.wire.memory import HeadMemory
from stepdown.wire.request import CHUNKED, RequestHead, parse_request
from stepdown.wire.response import UNTIL_CLOSE, ResponseHead, parse_response

__all__ = [
    "CHUNKED",
    "UNTIL_CLOSE",
    "BodyReader",
    "FramingError",
    "HeadMemory",
    "RequestHead",
    "ResponseHead",
    "parse_request",
    "parse_response",
    "reader_for",
]
