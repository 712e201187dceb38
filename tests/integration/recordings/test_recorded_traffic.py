"""From a client's bytes to a recorded line: what a plane hands over is what a recording says of it."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from stepdown.decide import spec
from stepdown.recordings.entry import Entry
from stepdown.recordings.reader import Reader
from stepdown.recordings.recorder import Recorder
from tests.kit import specs
from tests.kit.mirroring import Mirrored, mirrored
from tests.kit.recordings import recording
from tests.kit.upstream import serve

RENAME = [{"move": {"from": "/score", "to": "/probability"}}]
NEW = b'{"score": 0.250,\n "name": "Eve"}'
HEAD = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
CODED = gzip.compress(NEW, mtime=0)
ANSWERS = {
    "length": f"{HEAD}Content-Length: {len(NEW)}\r\n\r\n".encode() + NEW,
    "chunks": f"{HEAD}Transfer-Encoding: chunked\r\n\r\n".encode() + b"%x\r\n%b\r\n0\r\n\r\n" % (len(NEW), NEW),
    "gzip": (f"{HEAD}Content-Encoding: gzip\r\nContent-Length: {len(CODED)}\r\n\r\n".encode() + CODED),
}
ASKED = b'{"user": {"name": "Eve"}, "x": 1.0}'
POSTS = {
    "length": b"Content-Length: %d\r\n\r\n%b" % (len(ASKED), ASKED),
    "chunks": b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(ASKED), ASKED),
}


def recorded(here: Mirrored, specification: spec.SnapshotSpec, folder: Path) -> Entry:
    """The only exchange so far, written and read again."""
    recorder = Recorder.of(specification, specification.routes[0])
    recorder.add(*here.pair())
    recorder.close()
    assert recorder.state.counts == {"recorded": 1, "stopped": 0, "failed": 0}
    (entry,) = Reader([folder])
    return entry


def specification(port: int, folder: Path) -> spec.SnapshotSpec:
    return specs.adapted(
        port,
        RENAME,
        record=recording(folder, redact=("/user/name", "/name"), headers=("x-trace",)),
        key=(spec.KeySource(header="x-user-id"),),
    )


@pytest.mark.parametrize("answer", ANSWERS)
@pytest.mark.parametrize("post", POSTS)
def test_an_adapted_exchange_is_recorded_as_it_was_on_both_sides(post: str, answer: str, tmp_path: Path) -> None:
    chosen: list[spec.SnapshotSpec] = []

    def spec_of(port: int) -> spec.SnapshotSpec:
        chosen.append(specification(port, tmp_path))
        return chosen[0]

    head = (
        b"POST /infer?api_key=s3cret&y=1 HTTP/1.1\r\nHost: models\r\nX-User-Id: u7\r\nX-Trace: t\r\n"
        b"Authorization: Bearer s3cret\r\nContent-Type: application/json\r\n"
    )
    with mirrored(serve(ANSWERS[answer]), spec=spec_of) as here:
        response = here.ask(head + POSTS[post])
        assert json.loads(response.body) == {"probability": 0.25, "name": "Eve"}
        entry = recorded(here, chosen[0], tmp_path)

    assert (entry.route, entry.pinned, entry.assigned, entry.served, entry.chosen) == (
        "r",
        "1.0.0",
        "2.0.0",
        "2.0.0",
        "",
    )
    assert (entry.outcome, entry.status, entry.error) == ("adapted", 200, "")
    assert entry.elapsed >= entry.upstream > 0
    assert entry.request.method == "POST"
    assert entry.request.target == "/infer?api_key=***&y=1"
    assert {name: entry.request.headers[name] for name in ("x-user-id", "x-trace", "host")} == {
        "x-user-id": "u7",
        "x-trace": "t",
        "host": "models",
    }
    assert "authorization" not in entry.request.headers
    assert entry.request.redacted == ("/user/name",)
    assert (entry.request.content or b"").endswith(b'},"x":1.0}')
    assert entry.response is not None
    assert entry.response.redacted == ("/name",)
    assert (entry.response.content or b"").startswith(b'{"score":0.250,"name":{"redacted":')
    files = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"Eve" not in files
