"""Whether lines of a stream tell of an error: no error is missed for how it is written, and no word taken for one."""

from __future__ import annotations

import pytest

from stepdown.plane.watching import may_tell_of_an_error, tells_of_an_error

ERRORS = [
    b'data: {"error":{"message":"m","code":500}}\n',
    b'data:{"error": {"message": "m"}}\r\n',
    b'{"error":"model not loaded"}\n',
    b"event: error\n",
    b"event:error\r\n",
    b'data: {"type":"error","error":{"type":"overloaded_error","message":"m"}}\n',
    b'data: {"type":"response.failed","response":{"error":{"message":"m"}}}\n',
    b'data: {"object":"error","message":"m","code":400}\n',
    b'data: {"error_code":"INTERNAL","message":"m"}\n',
    b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"error"}]}\n',
    b'data: {"choices":[]}\n\ndata: {"error":{"message":"m"}}\n\n',
]
NONE = [
    b'data: {"error":"","choices":[]}\n',
    b'data: {"error":null}\n',
    b'data: {"choices":[{"index":0,"delta":{"content":"event: error, \\"error\\", response.failed"}}]}\n',
    b": event: error\n",
    b'data: "error"\n',
    b'data: {"error":0.03,"score":1}\n',
    b"event: errors\n",
    b'data: {"error":{"message":\n',
    b"event\n",
]


@pytest.mark.parametrize("line", ERRORS)
def test_an_error_is_one(line: bytes) -> None:
    assert may_tell_of_an_error(line)
    assert tells_of_an_error(line)


@pytest.mark.parametrize("line", NONE)
def test_what_only_has_its_words_is_none(line: bytes) -> None:
    assert not tells_of_an_error(line)
