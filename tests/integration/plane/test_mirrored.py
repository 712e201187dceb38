"""Copies of requests: what the comparer gets is to the byte what was sent, before anybody has answered, or nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from stepdown.decide import spec
from stepdown.decide.shadow_spec import Recording, Shadow
from stepdown.decide.when import FieldIs
from stepdown.plane.handoff import GATHERED_BYTES
from tests.kit import specs
from tests.kit.looping import Gate, eventually
from tests.kit.mirroring import in_chunks, mirrored, shadow
from tests.kit.upstream import OK, Peer, gated, reset_on_request, serve, silent

BODY = b'{"inputs": [1, 2, 3]}'
HEAD = b"POST /infer?a=1 HTTP/1.1\r\nHost: test\r\nX-User-Id: 7\r\nContent-Length: %d\r\n\r\n"
POST = HEAD % len(BODY) + BODY
CHUNKED = b"POST /infer HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n"
PLAIN = (shadow(),)
ONE_MIB = 1024 * 1024


def mirroring(*shadows: Shadow, record: Recording | None = None, **options: Any) -> Callable[..., spec.SnapshotSpec]:
    """A specification of one version whose requests are copied."""
    return lambda *ports: specs.plain(*ports, route_options={"shadows": shadows, "record": record, **options})


# --- what it says ---------------------------------------------------------------------------------------------------


def test_a_copy_is_the_request_as_its_client_sent_it_and_what_was_decided_about_it() -> None:
    key = (spec.KeySource(header="x-user-id"),)
    with mirrored(spec=mirroring(shadow(), key=key)) as here:
        assert here.ask(POST).body == b"ok"
        about, body, _, _ = here.pair()
        assert (about.head, body) == (HEAD % len(BODY), BODY)
        assert (about.digest, about.route, about.rule) == (here.sidecar.plane.runtime.digest, "r", "all")
        assert (about.pinned, about.assigned, about.served, about.reason) == ("1.0.0", "1.0.0", "1.0.0", "split")
        assert (about.shadows, about.recorded, about.params, about.client) == ((0,), False, (), "127.0.0.1")
        assert len(about.key) == 16
        assert about.at > 1_700_000_000


def test_a_key_is_a_digest_that_tells_users_and_sources_apart() -> None:
    key = (spec.KeySource(header="x-user-id"), spec.KeySource(cookie="uid"))
    with mirrored(spec=mirroring(shadow(), key=key)) as here:
        for line in (b"X-User-Id: 7", b"X-User-Id: 8", b"Cookie: uid=7", b"X-User-Id: 7", b"X-Nothing: 7"):
            here.ask(POST.replace(b"X-User-Id: 7", line))
        keys = [about.key for about, _ in here.copies()]
        assert len(set(keys)) == 4
        assert keys[0] == keys[3]
        assert keys[4] == ""


def test_a_key_in_the_body_is_found_there() -> None:
    key = (spec.KeySource(json="/inputs/0"),)
    with mirrored(spec=mirroring(shadow(per="key"), key=key)) as here:
        with here.client() as client:
            client.send_bytewise(POST)
            assert client.response("POST").status == 200
        about, body, _, _ = here.pair()
        assert (len(about.key), body) == (16, BODY)


def test_the_parts_of_a_path_and_the_clients_own_address_go_with_a_copy() -> None:
    match = spec.Match(path="/v2/models/{model}/infer")

    def chosen(*ports: int) -> spec.SnapshotSpec:
        return specs.plain(*ports, route_options={"shadows": PLAIN, "match": match}, trusted_hops=1)

    with mirrored(spec=chosen) as here:
        here.ask(b"GET /v2/models/a%20b/infer HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 10.0.0.9\r\n\r\n", "GET")
        about, _, _, _ = here.pair()
        assert (about.params, about.client) == ((b"a%20b",), "10.0.0.9")


def test_a_recording_gets_what_its_condition_says_whatever_shadows_get() -> None:
    record = Recording(sample=1.0, folder="/tmp/x", when=FieldIs(source="header", name="x-record", exists=True))
    with mirrored(
        spec=mirroring(shadow(when=FieldIs(source="header", name="x-copy", exists=True)), record=record)
    ) as here:
        for lines in (b"", b"X-Record: 1\r\n", b"X-Copy: 1\r\n", b"X-Record: 1\r\nX-Copy: 1\r\n"):
            here.ask(POST.replace(b"X-User-Id: 7\r\n", lines))
        made = [(about.shadows, about.recorded) for about, _ in here.copies()]
        assert made == [((), True), ((0,), False), ((0,), True)]
        assert len(here.answers()) == 3


def test_requests_that_a_connection_sends_again_are_copied_each_as_it_is() -> None:
    with mirrored(spec=mirroring(shadow())) as here, here.client() as client:
        sent = [HEAD.replace(b"7", b"%d" % user) % len(BODY) for user in range(20)]
        for head in sent:
            client.send(head + BODY)
            assert client.response("POST").status == 200
        assert [about.head for about, _ in here.copies()] == sent
        assert len({about.id for about, _ in here.copies()}) == 20


def test_a_pipeline_is_copied_in_order() -> None:
    with mirrored(spec=mirroring(shadow())) as here, here.client() as client:
        client.send(b"".join(HEAD % 1 + b"%d" % number for number in range(9)))
        for _ in range(9):
            assert client.response("POST").status == 200
        assert [body for _, body in here.copies()] == [b"%d" % number for number in range(9)]
        assert [answer.id for answer, _ in here.answers()] == [about.id for about, _ in here.copies()]


# --- when -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("raw", [POST, CHUNKED + in_chunks(BODY, 5)], ids=["length", "chunks"])
def test_the_copy_is_handed_over_before_there_is_an_answer(raw: bytes) -> None:
    gate = Gate()
    with mirrored(gated(gate), spec=mirroring(shadow())) as here, here.client() as client:
        client.send(raw)
        assert eventually(lambda: [body for _, body in here.copies()] == [BODY])
        assert here.answers() == []
        gate.open()
        assert client.response("POST").status == 200
        here.pair()


def test_the_copy_is_handed_over_while_the_request_waits_for_a_connection() -> None:
    gate = Gate()
    limits = spec.Limits(connections=1)
    with (
        mirrored(gated(gate), spec=mirroring(shadow(), limits=limits)) as here,
        here.client() as first,
        here.client() as second,
    ):
        first.send(POST)
        assert eventually(lambda: len(here.copies()) == 1)
        second.send(POST)
        assert eventually(lambda: len(here.copies()) == 2)
        assert len(here.upstreams[0].requests) == 1
        gate.open()


def test_a_body_that_is_not_whole_is_not_copied_yet() -> None:
    with mirrored(spec=mirroring(shadow())) as here, here.client() as client:
        client.send(POST[:-1])
        assert eventually(lambda: BODY[:-1] in here.upstreams[0].received)
        assert here.records() == []
        client.send(POST[-1:])
        assert client.response("POST").status == 200
        assert here.pair()[1] == BODY


# --- every shape of body --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "raw",
    [HEAD % len(BODY) + BODY, CHUNKED + in_chunks(BODY, 4), CHUNKED + in_chunks(BODY, 1)],
    ids=["length", "chunks of four", "chunks of one"],
)
def test_a_body_is_copied_as_it_was_sent_wherever_it_is_split(raw: bytes) -> None:
    start = raw.index(b"\r\n\r\n") + 4
    with mirrored(spec=mirroring(shadow())) as here, here.client() as client:
        for place in range(start, len(raw)):
            client.send(raw[:place])
            if place % 8 == 0:  # now and then the first part has arrived for certain; mostly the kernel decides
                assert eventually(lambda: here.sidecar.plane.active == 1)
            client.send(raw[place:])
            assert client.response("POST").status == 200
        client.send_bytewise(raw)
        assert client.response("POST").status == 200
        assert {body for _, body in here.copies()} == {BODY}
        assert len(here.copies()) == len(here.answers()) == len(raw) - start + 1
        assert here.handoff.gathered == 0


@pytest.mark.parametrize(
    ("raw", "method"),
    [
        (b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", "GET"),
        (b"GET / HTTP/1.0\r\n\r\n", "GET"),
        (b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n", "HEAD"),
        (HEAD % 0, "POST"),
        (CHUNKED + b"0\r\n\r\n", "POST"),
        (b"POST / HTTP/1.1\r\nHost: a\r\n\r\n", "POST"),
    ],
    ids=["get", "old", "head", "length 0", "no chunks", "no length"],
)
def test_a_request_without_a_body_is_copied_without_one(raw: bytes, method: str) -> None:
    with mirrored(serve(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"), spec=mirroring(shadow())) as here:
        assert here.ask(raw, method).status == 200
        about, body, _, _ = here.pair()
        assert (about.head, body) == (raw[: raw.index(b"\r\n\r\n") + 4], b"")


@pytest.mark.parametrize("framing", ["length", "chunks"])
def test_a_body_that_passes_through_in_pieces_is_copied_whole(framing: str) -> None:
    body = bytes(range(256)) * 3000
    raw = HEAD % len(body) + body if framing == "length" else CHUNKED + in_chunks(body, 5000)
    with mirrored(spec=mirroring(shadow())) as here:
        assert here.ask(raw).status == 200
        assert here.pair()[1] == body


def test_a_client_that_waits_for_100_continue_is_told_to_go_on_as_ever() -> None:
    with mirrored(spec=mirroring(shadow())) as here, here.client() as client:
        head = (HEAD % len(BODY)).replace(b"\r\n\r\n", b"\r\nExpect: 100-continue\r\n\r\n")
        client.send(head)
        client.receive(b"HTTP/1.1 100 Continue\r\n\r\n")
        assert here.records() == []
        client.send(BODY)
        assert client.response("POST").status == 200
        about, body, _, _ = here.pair()
        assert (about.head, body) == (head, BODY)


# --- limits ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("limit", [20, 100_000], ids=["kept to be sent again", "passing through"])
@pytest.mark.parametrize("framing", ["length", "chunks", "bytes"])
def test_a_body_as_long_as_the_limit_is_copied_and_one_byte_more_is_not(limit: int, framing: str) -> None:
    with mirrored(spec=mirroring(shadow(max_body=limit))) as here:
        for size in (limit - 1, limit, limit + 1, 2 * limit):
            body = b"x" * size
            with here.client() as client:
                if framing == "chunks":
                    client.send(CHUNKED + in_chunks(body, 7000))
                elif framing == "bytes" and size < 100:
                    client.send_bytewise(HEAD % size + body)
                else:
                    client.send(HEAD % size + body)
                assert client.response("POST").status == 200
        assert [len(request.body) for request in here.upstreams[0].requests] == [limit - 1, limit, limit + 1, 2 * limit]
        assert [len(body) for _, body in here.copies()] == [limit - 1, limit]
        assert len(here.answers()) == 2
        assert here.skipped("too-large") == 2
        assert here.handoff.gathered == 0


@pytest.mark.parametrize("framing", ["length", "chunks"])
@pytest.mark.parametrize("scale", [10, 100_000])
def test_each_shadow_has_its_own_limit_and_so_has_the_recording(scale: int, framing: str) -> None:
    record = Recording(sample=1.0, folder="/tmp/x", max_body=3 * scale)
    shadows = [shadow("small", max_body=scale), shadow("large", max_body=2 * scale)]
    with mirrored(spec=mirroring(*shadows, record=record)) as here:
        for size in (scale, 2 * scale, 3 * scale, 3 * scale + 1):
            body = b"x" * size
            here.ask(HEAD % size + body if framing == "length" else CHUNKED + in_chunks(body, 9000))
        made = [(about.shadows, about.recorded) for about, _ in here.copies()]
        assert made == [((0, 1), True), ((1,), True), ((), True)]
        assert here.skipped("too-large", "small") == 3
        assert here.skipped("too-large", "large") == 2
        assert here.sidecar.metric("stepdown_recorded_total", route="r", result="too-large") == 1
        assert here.handoff.gathered == 0


def test_all_bodies_that_pass_through_together_have_a_bound() -> None:
    size = ONE_MIB - 100_000
    with mirrored(spec=mirroring(shadow()), size=16 * ONE_MIB) as here:
        clients = [here.client() for _ in range(8)]
        for client in clients:
            client.send(HEAD % (size + 1) + b"x" * size)
        assert eventually(lambda: here.upstreams[0].received.count(b"x") >= 8 * size)
        assert 3 * ONE_MIB < here.handoff.gathered <= GATHERED_BYTES
        for client in clients:
            client.send(b"x")
            assert client.response("POST").status == 200
            client.close()
        assert here.handoff.gathered == 0
        assert here.skipped("full") == 4
        assert len(here.copies()) == len(here.answers()) == 4
        assert {len(body) for _, body in here.copies()} == {size + 1}


# --- who gets none --------------------------------------------------------------------------------------------------


def test_a_shadow_of_the_version_that_serves_gets_no_copy() -> None:
    shadows = [shadow("itself", "1.0.0"), shadow()]
    with mirrored(spec=mirroring(*shadows)) as here:
        here.ask(POST)
        assert here.pair()[0].shadows == (1,)
        assert here.skipped("served", "itself") == 1
        assert here.skipped("served") == 0


@pytest.mark.parametrize("name", [b"X-Stepdown-Shadow", b"x-stepdown-shadow", b"X-STEPDOWN-SHADOW"])
def test_a_request_that_is_a_copy_goes_on_with_its_mark_and_is_not_copied_again(name: bytes) -> None:
    marked = POST.replace(b"X-User-Id: 7", name + b": other")
    with mirrored(spec=mirroring(shadow(), shadow("half", percent=50.0))) as here, here.client() as client:
        for raw in (marked, marked, POST, marked):  # as one connection remembers heads
            client.send(raw)
            assert client.response("POST").status == 200
        assert [about.head for about, _ in here.copies()] == [HEAD % len(BODY)]
        assert (here.skipped("marked"), here.skipped("marked", "half")) == (3, 3)
        seen = [request.get(b"x-stepdown-shadow") for request in here.upstreams[0].requests]
        assert seen == [b"other", b"other", None, b"other"]


def test_a_route_without_shadows_hands_nothing_over_and_a_worker_without_a_ring_neither() -> None:
    with mirrored(spec=specs.plain) as here:
        here.ask(POST)
        assert here.records() == []
        assert all(plan.mirror is None for plan in here.sidecar.plane.runtime.plans.values())


def test_the_share_is_exact() -> None:
    with mirrored(spec=mirroring(shadow(percent=10.0))) as here, here.client() as client:
        for _ in range(100):
            client.send(POST)
            client.response("POST")
        assert len(here.copies()) == len(here.answers()) == 10


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (POST.replace(b"/infer", b"/nobody"), 404),
        (POST.replace(b"X-User-Id: 7", b"X-Model-Version: 7.7.7"), 406),
        (POST.replace(b"X-User-Id: 7", b"X-Model-Version: ?"), 400),
        (
            b"POST /infer HTTP/1.1\r\nHost: test\r\nUpgrade: x\r\nConnection: upgrade\r\nContent-Length: 2\r\n\r\n{}",
            400,
        ),
        (b"CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n", 405),
    ],
    ids=["no route", "no such shape", "no version", "upgrade", "connect"],
)
def test_what_is_refused_before_anything_is_chosen_has_no_copy(raw: bytes, status: int) -> None:
    match = spec.Match(path="/infer")
    with mirrored(spec=mirroring(shadow(), match=match)) as here:
        assert here.ask(raw).status == status
        assert here.records() == []
        assert here.sidecar.metric("stepdown_shadow_skipped_total") == 0


def test_what_is_too_long_for_its_route_has_no_copy() -> None:
    with mirrored(spec=mirroring(shadow(), limits=spec.Limits(request_body=10))) as here:
        assert here.ask(HEAD % 11 + b"x" * 11).status == 413
        assert here.skipped("aborted") == 0
        assert here.ask(CHUNKED + in_chunks(b"x" * 11, 11)).status == 413
        with here.client() as client:
            client.send(CHUNKED + b"9\r\n123456789\r\n")
            assert eventually(lambda: b"123456789" in here.upstreams[0].received)
            client.send(b"9\r\n123456789\r\n")
            assert client.response("POST").status == 413
        assert here.records() == []
        assert here.skipped("aborted") == 1


def test_a_request_that_finds_no_place_in_the_queue_has_no_copy() -> None:
    limits = spec.Limits(connections=1, pending=1)
    with (
        mirrored(silent(), spec=mirroring(shadow(), limits=limits)) as here,
        here.client() as first,
        here.client() as second,
    ):
        first.send(POST)
        assert eventually(lambda: len(here.upstreams[0].received) > len(POST))
        second.send(POST)
        assert eventually(lambda: len(here.copies()) == 2)
        assert here.ask(POST).status == 503
        assert len(here.copies()) == 2
        assert here.skipped("aborted") == 1


def test_what_passes_through_without_a_route_has_no_copy() -> None:
    def chosen(port: int) -> spec.SnapshotSpec:
        options = {"shadows": PLAIN, "match": spec.Match(path="/infer")}
        return specs.plain(port, route_options=options, passthrough_to=(specs.endpoint(port),))

    with mirrored(spec=chosen) as here:
        assert here.ask(POST.replace(b"/infer", b"/other")).body == b"ok"
        assert here.records() == []
        assert here.ask(POST).body == b"ok"
        here.pair()


@pytest.mark.parametrize("size", [100, 200_000], ids=["kept to be sent again", "passing through"])
def test_a_client_that_leaves_before_its_request_is_whole_has_no_copy(size: int) -> None:
    with mirrored(spec=mirroring(shadow())) as here:
        with here.client() as client:
            client.send(HEAD % (size + 1) + b"x" * size)
            assert eventually(lambda: here.upstreams[0].received.count(b"x") > size - 50)
        assert eventually(lambda: here.skipped("aborted") == 1)
        assert here.records() == []
        assert here.handoff.gathered == 0


@pytest.mark.parametrize("size", [100, 200_000], ids=["kept to be sent again", "passing through"])
def test_a_request_that_is_answered_before_it_is_whole_has_no_copy(size: int) -> None:
    async def early(peer: Peer) -> None:
        await peer.until(b"\r\n\r\n")
        await peer.exactly(size)
        await peer.send(b"HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno")

    with mirrored(early, spec=mirroring(shadow())) as here:
        assert here.ask(HEAD % (size + 1) + b"x" * size).status == 413
        assert here.records() == []
        assert here.skipped("aborted") == 1
        assert here.handoff.gathered == 0


# --- requests that are adapted --------------------------------------------------------------------------------------

RENAMED = [{"move": {"from": "/inputs", "to": "/instances"}}]


@pytest.mark.parametrize("pad", [0, 300_000], ids=["here", "elsewhere"])
@pytest.mark.parametrize("framing", ["length", "chunks"])
def test_a_request_that_is_adapted_is_copied_as_its_client_sent_it(framing: str, pad: int) -> None:
    body = b'{"inputs": [1], "pad": "' + b"x" * pad + b'"}'
    raw = HEAD % len(body) + body if framing == "length" else CHUNKED + in_chunks(body, 9_000)
    with mirrored(spec=lambda port: specs.adapted(port, [], RENAMED, shadows=PLAIN)) as here:
        assert here.ask(raw).status == 200
        assert b"instances" in here.upstreams[0].requests[0].body
        about, copied, _, _ = here.pair()
        assert (copied, about.served, about.pinned) == (body, "2.0.0", "1.0.0")


@pytest.mark.parametrize("pad", [0, 300_000], ids=["here", "elsewhere"])
def test_a_request_that_cannot_be_adapted_has_no_copy(pad: int) -> None:
    body = b'{"inputs" [1], "pad": "' + b"x" * pad + b'"}'
    with mirrored(spec=lambda port: specs.adapted(port, [], RENAMED, shadows=PLAIN)) as here:
        assert here.ask(HEAD % len(body) + body).status in (400, 422)
        assert here.ask(POST.replace(b"X-User-Id: 7", b"Content-Encoding: gzip")).status == 415
        assert here.records() == []
        assert here.skipped("aborted") == 2
        assert here.handoff.gathered == 0


def test_a_long_body_whose_beginning_has_been_read_to_decide_is_copied_whole() -> None:
    key = (spec.KeySource(json="/inputs/0"),)
    body = b'{"inputs": [7], "pad": "' + b"x" * 300_000 + b'"}'
    with mirrored(spec=mirroring(shadow(), key=key)) as here:
        for raw in (HEAD % len(body) + body, CHUNKED + in_chunks(body, 9_000)):
            assert here.ask(raw).status == 200
        assert [copied for _, copied in here.copies()] == [body, body]
        assert here.handoff.gathered == 0


# --- again ----------------------------------------------------------------------------------------------------------


def test_a_request_that_is_sent_again_is_copied_once_and_its_share_is_drawn_once() -> None:
    def chosen(*ports: int) -> spec.SnapshotSpec:
        options = {"shadows": (shadow(percent=50.0),)}
        return specs.plain(*ports, repeatable=True, route_options=options, retry_minimum=1000)

    last = OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    with mirrored(serve(last), spec=chosen) as here:
        for _ in range(10):
            here.upstreams[0].queue.append(reset_on_request(0))
            assert here.ask(POST).status == 200
        assert here.sidecar.metric("stepdown_retries_total") == 10
        assert len(here.copies()) == len(here.answers()) == 5
        assert {answer.served for answer, _ in here.answers()} == {"1.0.0"}


def test_where_another_version_stands_in_the_answer_says_which() -> None:
    rule = spec.Rule(name="all", split=(("2.0.0", 100), ("1.0.0", 0)), salt="r/all")

    def chosen(new: int, old: int) -> spec.SnapshotSpec:
        return specs.adapted(new, [], native_port=old, shadows=PLAIN, rules=(rule,))

    with mirrored(spec=chosen, upstreams=2) as here:
        here.upstreams[0].stop()
        assert here.ask(POST).status == 200
        about, _, answer, _ = here.pair()
        assert (about.served, answer.served, answer.status) == ("2.0.0", "1.0.0", 200)


def test_a_reload_goes_on_under_the_new_specification() -> None:
    with mirrored(spec=mirroring(shadow())) as here, here.client() as client:
        client.send(POST)
        client.response("POST")
        before = here.sidecar.plane.runtime.digest
        port = here.upstreams[0].port
        here.sidecar.reload(mirroring(shadow(), shadow("other", "8.0.0"))(port))
        client.send(POST)
        client.response("POST")
        here.sidecar.reload(specs.plain(port))
        client.send(POST)
        client.response("POST")
        copies = [about for about, _ in here.copies()]
        assert [about.digest == before for about in copies] == [True, False]
        assert [about.shadows for about in copies] == [(0,), (0, 1)]
        assert len(here.answers()) == 2
