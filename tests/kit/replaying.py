"""Recordings to be replayed, and a model server that answers by what it is asked."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from typer.testing import CliRunner, Result

from stepdown.cli.app import app
from stepdown.recordings.compression import compressed
from stepdown.recordings.entry import Entry, write
from tests.kit.recordings import a_copy, an_answer, an_entry, recording
from tests.kit.upstream import Request, Script, serve

NATIVE = {"pinned": "2.0.0", "served": "2.0.0", "assigned": "2.0.0"}

CONFIG = """\
models:
  churn:
    default_version: "1.1.0"
    versions:
      "1.1.0": {}
      "2.0.0": {endpoints: [http://127.0.0.1:PORT]}
      "3.0.0": {endpoints: [{url: http://127.0.0.1:PORT, path: /new}]}
    adapters:
      - {from: "2.0.0", to: "1.1.0", response: [{move: {from: /logit, to: /score}}]}
      - from: "3.0.0"
        to: "2.0.0"
        request: [{move: {from: /x, to: /inputs}}]
        response: [{move: {from: /z, to: /logit}}]
routes:
  churn:
    match: {path: /churn, methods: [POST]}
    model: churn
    split: {"2.0.0": 100}
    shadow:
      - {version: "3.0.0", compare: {ignore: [/id], tolerance: [{path: /score, absolute: 0.01}]}}
"""


def exchange(number: int, answer: Any = None, *, pinned: str = "2.0.0", **options: Any) -> Entry:
    """A recorded exchange: `x` was asked, and a logit of a tenth of it answered, unless `answer` is given."""
    document = {"logit": number / 10} if answer is None else answer
    copy = a_copy(pinned=pinned, at=1_790_000_000.0 + number, **options.pop("copy", {}))
    outcome = "native" if pinned == "2.0.0" else "adapted"
    return an_entry(
        options.pop("body", json.dumps({"x": number}).encode()),
        json.dumps(document).encode(),
        copy,
        an_answer(outcome=outcome, **options.pop("answered", {})),
        recording(**options),
        name=f"run-{number}",
    )


def file_of(path: Path, entries: Iterable[Entry], *, cut: int = 0) -> Path:
    """A recorded file; `cut` takes so many bytes off its end. Each entry is a frame of its own."""
    content = b"".join(compressed(write(entry)) for entry in entries)
    path.write_bytes(content[: len(content) - cut])
    return path


def model(answer: Callable[[int], Any], member: str = "x") -> Script:
    """A server that answers a request for `x` by a function of it: with a document, or with a whole answer's bytes."""

    def answered(request: Request) -> bytes:
        given = answer(json.loads(request.body)[member])
        if isinstance(given, bytes):
            return given
        body = json.dumps(given).encode()
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
        return head + body

    return serve(answered)


def replayed(*arguments: object) -> Result:
    """The command in this process."""
    return CliRunner().invoke(app, ["replay", *map(str, arguments)])


def started(*arguments: object, **options: Any) -> subprocess.Popen[str]:
    """The command in a process of its own."""
    command = [sys.executable, "-m", "stepdown", "replay", *map(str, arguments)]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, **options)
