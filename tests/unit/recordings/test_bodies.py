"""Bodies in recordings: as documents, texts or bytes, with codings undone, and the reasons why there is none."""

from __future__ import annotations

import gzip
import json
import zlib

import pytest

from stepdown.recordings.bodies import Message, told
from stepdown.recordings.redact import Redactor
from tests.kit.recordings import KEY

LIMIT = 1000


def message(content: bytes, codings: str = "", limit: int = LIMIT, *redact: str) -> Message:
    return Message(headers={}, **told(content, codings, limit, Redactor(redact, KEY) if redact else None))


@pytest.mark.parametrize(
    ("content", "form", "shown"),
    [
        (b'{"a": [1.50,\n 1e400], "a": "\\u00fc"}\n', "json", b'{"a":[1.50,1e400],"a":"\\u00fc"}'),
        (b" null ", "json", b"null"),
        (b"a\nb\x00\xc3\xbc", "text", b'"a\\nb\\u0000\xc3\xbc"'),
        (b'{"a": NaN}', "text", b'"{\\"a\\": NaN}"'),
        (b'{"a": 1}\n{"a": 2}\n', "text", b'"{\\"a\\": 1}\\n{\\"a\\": 2}\\n"'),
        (b"[" * 201 + b"]" * 201, "text", b'"' + b"[" * 201 + b"]" * 201 + b'"'),
        (b"\xff\x00", "base64", b'"/wA="'),
        (b'"\xff"', "base64", b'"Iv8i"'),
    ],
)
def test_a_body_is_a_document_else_a_text_else_bytes(content: bytes, form: str, shown: bytes) -> None:
    found = message(content)
    assert (found.form, bytes(found.body), found.size) == (form, shown, len(content))
    assert found.content == (shown if form == "json" else content)


def test_nothing_is_no_body() -> None:
    assert message(b"") == Message(headers={})
    assert message(b"").content == b""


@pytest.mark.parametrize(
    ("codings", "coded"),
    [
        ("gzip", gzip.compress(b'{"a": 1}', mtime=0)),
        ("deflate, gzip", gzip.compress(zlib.compress(b'{"a": 1}'), mtime=0)),
        ("identity", b'{"a": 1}'),
    ],
)
def test_codings_are_undone(codings: str, coded: bytes) -> None:
    found = message(coded, codings)
    assert (found.form, found.content, found.coding, found.size) == ("json", b'{"a":1}', "", len(coded))


@pytest.mark.parametrize("codings", ["lzw", "gzip"])
def test_what_nobody_can_decode_stays_coded_and_says_so(codings: str) -> None:
    found = message(b"{}", codings)
    assert (found.form, found.content, found.coding) == ("base64", b"{}", codings)


@pytest.mark.parametrize(
    ("content", "codings", "redact", "reason"),
    [
        (b"x" * (LIMIT + 1), "", (), "too-large"),
        (gzip.compress(b"x" * (LIMIT + 1), mtime=0), "gzip", (), "too-large"),
        (b"no JSON", "", ("/a",), "not-redactable"),
        (b'{"a": 1}{"a": 2}', "", ("/a",), "not-redactable"),
        (b'{"a": 1}', "lzw", ("/a",), "not-redactable"),
        (b"\xff", "", ("/a",), "not-redactable"),
    ],
)
def test_a_body_that_is_missing_says_why(content: bytes, codings: str, redact: tuple[str, ...], reason: str) -> None:
    found = message(content, codings, LIMIT, *redact)
    assert (found.missing, found.content, found.form, found.size) == (reason, None, "", len(content))


def test_the_longest_body_is_not_too_large() -> None:
    assert message(b"x" * LIMIT).content == b"x" * LIMIT


def test_what_is_redacted_is_named_and_not_there() -> None:
    found = message(gzip.compress(b'{"name": "Eve", "x": 1}'), "gzip", LIMIT, "/name", "/ssn")
    assert found.redacted == ("/name",)
    assert b"Eve" not in bytes(found.body)
    assert json.loads(bytes(found.body))["x"] == 1
