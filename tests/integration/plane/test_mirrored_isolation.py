"""Clients of a mirrored route get the same bytes, and as soon, whatever becomes of the copies."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from stepdown.decide import spec
from stepdown.decide.shadow_spec import Recording, Shadow
from stepdown.telemetry.ring import DEFAULT_SIZE, HEADER
from tests.kit import specs
from tests.kit.client import EndedError
from tests.kit.looping import Gate, eventually
from tests.kit.mirroring import Mirrored, in_chunks, mirrored, shadow
from tests.kit.upstream import OK, Peer, Script, exact, serve, stepwise, then_fin

POST = b"POST /infer HTTP/1.1\r\nHost: test\r\nX-User-Id: 7\r\nContent-Length: 2\r\n\r\n{}"
NEW = b'{"score": 0.25, "model": "m"}'
RENAME = [{"move": {"from": "/score", "to": "/probability"}}]
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(NEW), NEW)
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
UPLOAD = b"POST /infer HTTP/1.1\r\nHost: test\r\nContent-Length: 300000\r\n\r\n" + bytes(range(250)) * 1200
TINY = HEADER + 208
"""A ring so small that hardly anything fits in."""

RECORD = Recording(sample=1.0, folder="/recordings")
SHADOWS = (shadow(), shadow("small", "8.0.0", max_body=1), shadow("half", "8.0.0", percent=50.0))


def plain(port: int, shadows: tuple[Shadow, ...], record: Recording | None, **options: Any) -> spec.SnapshotSpec:
    return specs.plain(port, route_options={"shadows": shadows, "record": record, **options})


def adapting(port: int, shadows: tuple[Shadow, ...], record: Recording | None, **options: Any) -> spec.SnapshotSpec:
    return specs.adapted(port, RENAME, shadows=shadows, record=record, **options)


def limited(port: int, shadows: tuple[Shadow, ...], record: Recording | None) -> spec.SnapshotSpec:
    return plain(port, shadows, record, limits=spec.Limits(request_body=100))


Chosen = Callable[[int, tuple[Shadow, ...], Recording | None], spec.SnapshotSpec]


def pieces(answer: bytes, step: int) -> Script:
    """As `serve`, in pieces of `step` bytes."""

    async def script(peer: Peer) -> None:
        while True:
            await peer.request()
            await peer.send(answer, slice_every=step)

    return script


def said(case: str, *, copied: bool, size: int = DEFAULT_SIZE) -> tuple[Any, ...]:
    """All that client and server see of a case that is played twice, but where chunks begin, which reads decide."""
    chosen, script, raw = CASES[case]

    def made(port: int) -> spec.SnapshotSpec:
        return chosen(port, SHADOWS if copied else (), RECORD if copied else None)

    seen: list[Any] = []
    with mirrored(script, spec=made, size=size) as here:
        for _ in range(2):
            with here.client() as client:
                client.send(raw)
                try:
                    response = client.response(raw[:4].strip().decode())
                    seen += [response.status, *(b": ".join(field) for field in response.headers), response.body]
                except EndedError as end:
                    seen += [end.how, end.seen]
        if copied and size > TINY:
            assert len(here.answers()) == len(here.copies()) == (0 if case in ("refused", "too long") else 2)
        seen += [bytes(peer.received) for peer in here.upstreams[0].peers]
    return tuple(_without_what_differs(one, here) for one in seen)


def _without_what_differs(seen: Any, here: Mirrored) -> Any:
    """Without the date of our own answers and the port in their text, which has as many digits everywhere."""
    if not isinstance(seen, bytes):
        return seen
    return b"" if seen.startswith(b"date: ") else seen.replace(b"%d" % here.upstreams[0].port, b"PORT")


CASES: dict[str, tuple[Chosen, Script, bytes]] = {
    "passed on": (plain, serve(ANSWER), POST),
    "in chunks": (plain, pieces(CHUNKED + in_chunks(NEW, 3), 4), POST),
    "until the end": (plain, then_fin(b"HTTP/1.0 200 OK\r\n\r\n" + NEW), POST),
    "old client": (plain, serve(CHUNKED + in_chunks(NEW, 3)), POST.replace(b"HTTP/1.1", b"HTTP/1.0")),
    "head": (plain, serve(ANSWER[: -len(NEW)]), b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n"),
    "interim": (plain, serve(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + ANSWER), POST),
    "adapted": (adapting, serve(ANSWER), POST),
    "adapted in pieces": (adapting, pieces(ANSWER, 5), POST),
    "not adaptable": (adapting, serve(ANSWER.replace(b"{", b"[")), POST),
    "error": (plain, serve(ANSWER.replace(b"200 OK", b"503 Busy")), POST),
    "cut": (plain, then_fin(ANSWER[:-4]), POST),
    "cut in chunks": (plain, then_fin(CHUNKED + in_chunks(NEW, 3)[:-5]), POST),
    "no answer": (plain, exact(b"nonsense\r\n\r\n"), POST),
    "refused": (plain, serve(ANSWER), POST.replace(b"X-User-Id: 7", b"X-Model-Version: 7.7.7")),
    "too long": (limited, serve(ANSWER), UPLOAD),
    "upload": (plain, serve(ANSWER), UPLOAD),
    "expecting": (plain, serve(ANSWER), POST.replace(b"X-User-Id: 7", b"Expect: 100-continue")),
    "large": (plain, serve(CHUNKED + in_chunks(b"x" * 2_000_000, 50_000)), POST),
}


@pytest.mark.parametrize("case", CASES)
def test_client_and_server_see_the_same_bytes_with_and_without_copies_and_with_nobody_to_take_them(case: str) -> None:
    without = said(case, copied=False)
    assert said(case, copied=True) == without
    assert said(case, copied=True, size=TINY) == without


def test_what_has_no_room_is_dropped_and_counted_and_so_is_its_answer() -> None:
    with mirrored(spec=lambda port: plain(port, (shadow(),), RECORD), size=8192) as here, here.client() as client:
        for _ in range(200):
            client.send(POST)
            assert client.response("POST").body == b"ok"
        copies, answers = here.copies(), here.answers()
        assert 0 < len(copies) < 50
        assert here.skipped("full") == 200 - len(copies)
        assert here.sidecar.metric("stepdown_recorded_total", result="full") == 200 - len(copies)
        numbers = [about.id for about, _ in copies]
        assert [about.id for about, _ in answers] == numbers[: len(answers)]
        client.send(POST)  # there is room again
        assert client.response("POST").body == b"ok"
        assert [about.id in numbers for about, _ in (here.copies()[-1], here.answers()[-1])] == [False, False]


def test_an_answer_without_room_for_its_body_goes_without() -> None:
    body = b"x" * 9000
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 9000\r\n\r\n" + body
    with mirrored(serve(answer), spec=lambda port: plain(port, (shadow(),), None), size=8192) as here:
        assert here.ask(POST).body == body
        _, _, about, copied = here.pair()
        assert (about.missing, copied, about.status) == ("full", b"", 200)


def test_streams_flow_while_the_ring_is_full() -> None:
    gates = [Gate() for _ in range(5)]
    parts = [CHUNKED + b"7\r\ndata: 0\r\n", *(b"7\r\ndata: %d\r\n" % number for number in range(1, 5)), b"0\r\n\r\n"]
    with (
        mirrored(stepwise(*parts, gates=gates), spec=lambda port: plain(port, (shadow(),), None), size=TINY) as here,
        here.client() as client,
    ):
        client.send(POST)
        for number, gate in enumerate(gates):
            client.receive(b"data: %d" % number)  # each piece comes before the next one is sent
            gate.open()
        assert client.response("POST").body == b"".join(b"data: %d" % number for number in range(5))
        assert here.handoff.gathered == 0


def test_a_slow_reader_of_an_answer_is_waited_for_as_ever() -> None:
    body = b"x" * (4 * 1024 * 1024)
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(answer)

    with (
        mirrored(script, spec=lambda port: plain(port, (shadow(),), None)) as here,
        here.client(receive_buffer=4096) as client,
    ):
        client.send(POST)
        assert eventually(lambda: here.sidecar.plane.clients and all(one.full for one in here.sidecar.plane.clients))
        assert client.response("POST").body == body
        assert here.pair()[2].missing == "too-large"


def test_a_server_that_reads_slowly_has_its_request_copied_when_it_is_whole() -> None:
    gate = Gate()

    async def script(peer: Peer) -> None:
        peer.pause()
        await gate
        peer.resume()
        await peer.request()
        await peer.send(OK)

    body = b"x" * 1_000_000
    with mirrored(script, spec=lambda port: plain(port, (shadow(),), None)) as here, here.client() as client:
        raw = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(body) + body
        gate.open()
        client.send(raw)
        assert client.response("POST").status == 200
        assert here.pair()[1] == body
