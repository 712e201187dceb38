"""The conformance corpus as test cases: what is sent, which side sends it, and what is expected in words."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

PLACE = Path(__file__).parents[3] / "shared" / "http-corpus.yaml"

_GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
_CHUNKED = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"


def _many_headers() -> bytes:
    fields = b"".join(b"X%d: 1\r\n" % number for number in range(2000))
    return b"GET / HTTP/1.1\r\nHost: a\r\n" + fields + b"\r\n"


_GENERATED: dict[str, Callable[[], bytes]] = {
    "chunk-ext-huge": lambda: _CHUNKED + b"1;" + b"a" * 300_000 + b"\r\nZ\r\n0\r\n\r\n",
    "leading-crlf-flood": lambda: b"\r\n" * 50_000 + _GET,
    "target-long": lambda: b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
    "pipeline-flood": lambda: _GET * 2000,
    "headers-many": _many_headers,
    "r-header-huge": lambda: b"HTTP/1.1 200 OK\r\nX: " + b"a" * 200_000 + b"\r\nContent-Length: 0\r\n\r\n",
}

_NUMBER = re.compile(r"\b[45]\d\d\b")
_STATUS = re.compile(r"[45]\d\d\b(/[45]\d\d)?( close)?( \(or [45]\d\d\))?")
_SPECIAL = frozenset(("pipeline-bad-2nd",))


@dataclass(frozen=True)
class Case:
    """One line of the corpus."""

    id: str
    raw: bytes
    expect: str
    why: str

    @property
    def statuses(self) -> frozenset[int]:
        """Statuses with which it may be refused; empty where it is to be forwarded or needs a test of its own."""
        if self.id in _SPECIAL:
            return frozenset()
        found = _STATUS.match(self.expect)
        return frozenset(int(status) for status in _NUMBER.findall(found[0])) if found else frozenset()


def load(side: str) -> list[Case]:
    """Cases of one side, `client->proxy` or `upstream->proxy`; skips the calling module where the file is absent."""
    if not PLACE.exists():
        pytest.skip(f"the HTTP corpus is not at {PLACE}", allow_module_level=True)
    entries = yaml.safe_load(PLACE.read_text())
    return [_case(entry) for entry in entries if entry["side"] == side]


def _case(entry: dict[str, str]) -> Case:
    if "bytes" in entry:
        raw = entry["bytes"].encode("ascii").decode("unicode_escape").encode("latin-1")
    else:
        raw = _GENERATED[entry["id"]]()
    return Case(entry["id"], raw, entry["expect"], entry["why"])
