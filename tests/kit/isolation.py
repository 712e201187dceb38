"""A sidecar whose every request is copied, servers that answer in every way, shadows of every kind, and loads on it."""

from __future__ import annotations

import asyncio
import os
import re
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.kit.client import Client, EndedError, Response
from tests.kit.looping import PATIENCE, LoopThread
from tests.kit.processes import Processes
from tests.kit.shadow_sidecar import Shadowed
from tests.kit.upstream import Peer, Script, Upstream, serve

CONFIG = """
listen: 127.0.0.1:0
status: 127.0.0.1:0
admin: {{listen: 127.0.0.1:0, tokens: [{{name: test, role: operate, token: {{env: STEPDOWN_TEST_TOKEN}}}}]}}
drain: {{delay: 0s, grace: 20s}}
log: {{format: json, level: debug, access: {access}}}
models:
  m:
    default_version: "1.0.0"
    repeatable: true
    versions:
      "1.0.0": {{endpoints: [{{url: http://127.0.0.1:{old}{old_more}}}]}}
      "2.0.0": {{endpoints: [http://127.0.0.1:{old}]}}
      "3.0.0": {{endpoints: [{{url: http://127.0.0.1:{new}{new_more}}}]}}
    adapters:
      - {{from: "2.0.0", to: "1.0.0", response: [{{move: {{from: /score, to: /probability}}}}]}}
      - from: "3.0.0"
        to: "2.0.0"
        request: [{{move: {{from: /x, to: /inputs}}}}]
        response: [{{move: {{from: /points, to: /score}}}}]
routes:
  adapted: {{match: {{path: /adapted}}, model: m, split: {{"2.0.0": 100}}{shadow}}}
  plain: {{match: {{path_prefix: /}}, model: m, split: {{"1.0.0": 100}}{shadow}}}
"""
SHADOW = ', shadow: [{{name: new, version: "3.0.0", deadline: {deadline}, concurrent: {concurrent}}}]'

KIB, MIB = 1024, 1024 * 1024


def sized(size: int) -> bytes:
    """A JSON document of so many bytes."""
    return b'{"x": "' + b"x" * (size - 9) + b'"}'


def whole(body: bytes, status: bytes = b"200 OK") -> bytes:
    """An answer in one piece."""
    head = b"HTTP/1.1 %b\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % (status, len(body))
    return head + body


def _chunks(media: bytes, *pieces: bytes) -> list[bytes]:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: %b\r\nTransfer-Encoding: chunked\r\n\r\n" % media
    return [head, *(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces), b"0\r\n\r\n"]


EVENTS = [b'data: {"n": %d}\n\n' % number for number in range(8)] + [b"data: [DONE]\n\n"]
ANSWERS: dict[bytes, list[bytes]] = {
    b"/whole": [whole(b'{"probability": 0.5}')],
    b"/chunked": _chunks(b"application/json", b'{"probab', b'ility": ', b"0.25}"),
    b"/events": _chunks(b"text/event-stream", *EVENTS),
    b"/adapted": [whole(b'{"score": 0.75, "n": 1e2}')],
    b"/error": [whole(b'{"error": "no"}', b"500 Internal Server Error")],
    b"/refused": [whole(b'{"error": "what is x?"}', b"422 Unprocessable Content")],
    b"/head": [whole(b"")[:-6] + b"17\r\n\r\n"],
    b"/64": [whole(sized(64 * KIB))],
    b"/1024": [whole(sized(MIB))],
}
"""What the served versions' server sends, by path, each item in a write of its own."""


def post(path: bytes, body: bytes = b'{"x": 1}', *lines: bytes) -> bytes:
    """A request with more field lines."""
    fields = [b"Host: model.example", b"Content-Type: application/json", b"Content-Length: %d" % len(body), *lines]
    return b"POST %b HTTP/1.1\r\n" % path + b"\r\n".join(fields) + b"\r\n\r\n" + body


CASES: dict[str, bytes] = {
    "whole": post(b"/whole"),
    "chunked": post(b"/chunked"),
    "stream of events": post(b"/events"),
    "adapted": post(b"/adapted"),
    "error": post(b"/error"),
    "refused by the server": post(b"/refused"),
    "refused here": post(b"/whole", b"{}", b"X-Model-Version: 7.7.7"),
    "head": b"HEAD /head HTTP/1.1\r\nHost: model.example\r\n\r\n",
    "64 KiB": post(b"/64", sized(64 * KIB)),
    "1 MiB": post(b"/1024", sized(MIB)),
}
"""Requests, by what is special about them or their answers."""
COPIED = len(CASES) - 1
"""Of them, those that a shadow is due."""


async def serves(peer: Peer) -> None:
    """The served versions' server."""
    while True:
        request = await peer.request()
        for piece in ANSWERS[request.target]:
            await peer.send(piece)


# --- shadows of every kind ------------------------------------------------------------------------------------------

HEALTHY = serve(whole(b'{"points": 0.5}'))


async def slow(peer: Peer) -> None:
    """It takes many times as long as the served version."""
    while True:
        await peer.request()
        await asyncio.sleep(0.1)
        await peer.send(whole(b'{"points": 0.5}'))


async def never_reads(peer: Peer) -> None:
    """It takes connections, and nothing that is sent over them."""
    peer.pause()
    await peer.ended


async def resets(peer: Peer) -> None:
    """It takes a request and breaks the connection."""
    await peer.head()
    peer.reset()


async def floods(peer: Peer) -> None:
    """It answers without end."""
    await peer.head()
    await peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        await peer.send(b"10000\r\n" + b"x" * 65536 + b"\r\n")


KINDS: dict[str, Script | None] = {
    "healthy": HEALTHY,
    "ten times slower": slow,
    "never reads": never_reads,
    "refuses": None,
    "resets": resets,
    "floods": floods,
}
"""What a shadow does with what it gets; nothing listens where there is no script."""


class Isolated(Shadowed):
    """A running sidecar, its served versions' server and its shadow's."""

    def comparer(self) -> int:
        """Process id of the comparer that was started last."""
        return int(self.sidecar.seen("started", child="comparer")[-1]["pid"])

    def see(self, case: str) -> Response:
        """What a client sees of one case, on a connection of its own."""
        with Client(self.sidecar.port) as client:
            return _asked(client, case)

    def counted_copies(self) -> float:
        """Copies that have ended or were not sent, of all that were due."""
        return self.metric("stepdown_shadow_copies_total") + self.metric("stepdown_shadow_skipped_total")


@contextmanager
def isolated(
    directory: Path,
    script: Script | None = HEALTHY,
    *,
    deadline: str = "1s",
    concurrent: int = 8,
    shadow: str = SHADOW,
    served: Script = serves,
    old_more: str = "",
    new_more: str = "",
    access: str = "false",
) -> Iterator[Isolated]:
    """A sidecar, started; with `shadow`, the key of both routes, and where it is not empty with its comparer."""
    with ExitStack() as stack:
        thread = stack.enter_context(LoopThread())
        old = stack.enter_context(Upstream(thread, served))
        new = stack.enter_context(Upstream(thread, script))
        if script is None:
            new.stop()
        file = directory / "stepdown.yaml"
        key = shadow.format(deadline=deadline, concurrent=concurrent)
        more = {"old_more": old_more, "new_more": new_more, "access": access}
        file.write_text(CONFIG.format(old=old.port, new=new.port, shadow=key, **more))
        sidecar = stack.enter_context(Processes(file))
        sidecar.started()
        if shadow:
            sidecar.wait_for("comparer works")
        yield Isolated(directory, sidecar, old, new)
        assert not old.failures + new.failures


# --- what clients see -----------------------------------------------------------------------------------------------

Seen = tuple[object, ...]


def bytes_of(response: Response) -> Seen:
    """All of an answer but the date of our own; where chunks begin is left out, for that is decided by reads."""
    raw = re.sub(rb"\r\ndate: [^\r]*", b"", response.raw)
    if response.get(b"transfer-encoding") is None:
        return (raw,)
    return raw.partition(b"\r\n\r\n")[0], response.body


def _asked(client: Client, case: str) -> Response:
    client.send(CASES[case])
    return client.response(CASES[case].partition(b" ")[0].decode())


def load(port: int, expected: dict[str, Seen], *, clients: int = 4, rounds: int = 3) -> list[str]:
    """All cases in turn, by so many clients at once, each on its connection; the cases that differ from `expected`."""
    wrong: list[str] = []

    def run() -> None:
        case = ""
        try:
            with Client(port) as client:
                for case in list(expected) * rounds:
                    if bytes_of(_asked(client, case)) != expected[case]:
                        wrong.append(case)
        except (EndedError, OSError) as error:
            wrong.append(f"{case}: {error!r}")

    threads = [threading.Thread(target=run, daemon=True) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(3 * PATIENCE)
        assert not thread.is_alive(), "a request does not end"
    return wrong


# --- what processes hold --------------------------------------------------------------------------------------------


def _memory(pid: int, name: str) -> int:
    """Bytes, of a line of its status."""
    found = re.search(rf"^{name}:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    assert found is not None
    return int(found[1]) * 1024


def forget_most(pid: int) -> int:
    """What a process has in memory now, and from now on its `most` begins anew."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")
    return _memory(pid, "VmRSS")


def most(pid: int) -> int:
    """The most that it had in memory."""
    return _memory(pid, "VmHWM")


def descriptors(pid: int) -> int:
    """How many it has open."""
    return len(os.listdir(f"/proc/{pid}/fd"))
