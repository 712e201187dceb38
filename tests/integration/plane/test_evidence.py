"""What requests of a rollout count as: whose, at which stage, and what of each; by a plane with real connections."""

from __future__ import annotations

import gc
import json
from collections import Counter
from contextlib import suppress
from typing import Any

import msgspec
import pytest

from stepdown.decide.spec import KeySource, Limits, SetCookie, SnapshotSpec, Timeouts
from tests.kit.client import EndedError
from tests.kit.driven import BY_USER, CANDIDATE, STABLE, Store, Taking, driven, get, rolling
from tests.kit.looping import Gate, eventually
from tests.kit.stream_adapters import REASONING, section
from tests.kit.upstream import OK, Peer, Script, exact, gated, serve, silent, then_fin
from tests.kit.world import World

ALL = {"step": 2}
"""Everything goes to the candidate."""
JSON = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 8\r\n\r\n{"b": 1}'
MOVE = ({"move": {"from": "/b", "to": "/a"}},)
STREAM = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
RENAMED = json.dumps(section(REASONING))
FAILED = b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 2\r\n\r\nno"
REFUSED = b"HTTP/1.1 422 Unprocessable Content\r\nContent-Length: 2\r\n\r\nno"


def chunk(payload: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(payload), payload)


def assigned(here: World) -> Counter[str]:
    """How many requests each version was assigned, from the access log."""
    names = {STABLE: "stable", CANDIDATE: "candidate"}
    return Counter(names[line["assigned"]] for line in here.sidecar.log() if line["assigned"] in names)


def counted(here: World, taking: Taking, number: int = 1) -> Store:
    """The store, once so many requests were counted in it."""
    total = lambda: here.sidecar.metric("stepdown_evidence_requests_total")  # noqa: E731
    assert eventually(lambda: total() == number), total()
    return taking.settle()


# --- units ------------------------------------------------------------------------------------------------------------


def test_a_request_without_a_key_is_a_unit_of_its_own_and_counts_for_the_version_it_was_assigned() -> None:
    with rolling() as (here, taking), here.client() as client:
        for _ in range(60):
            client.send(get())
            assert client.response().status == 200
        store = counted(here, taking, 60)
        by_arm = {arm: (number, 0) for arm, number in assigned(here).items()}
        assert set(by_arm) == {"stable", "candidate"}
        assert store.of("requests") == store.of("units") == by_arm
        assert not store.kinds()
        assert not any(batch.sightings for batch in store.received)
        assert here.sidecar.metric("stepdown_evidence_units_total", arm="stable") == by_arm["stable"][0]


def test_a_sticky_user_is_one_unit_however_many_requests_there_are() -> None:
    with rolling(key=BY_USER) as (here, taking), here.client() as client:
        for number in range(60):
            client.send(get(user=f"user-{number % 12}"))
            assert client.response().status == 200
        store = counted(here, taking, 60)
        assert store.of("requests") == {arm: (number, 0) for arm, number in assigned(here).items()}
        assert store.total("units") == (12, 0)
        assert here.sidecar.metric("stepdown_evidence_units_total") == 12


def test_an_event_happens_to_a_user_once_and_to_every_request_without_a_key() -> None:
    with rolling(serve(FAILED), key=BY_USER, **ALL) as (here, taking), here.client() as client:
        for user in ("ann", "ann", "bob", None, None):
            client.send(get(user=user))
            assert client.response().status == 500
        store = counted(here, taking, 5)
        assert store.of("requests", 2) == {"candidate": (5, 5)}
        assert store.of("units", 2) == {"candidate": (4, 0)}
        assert store.of("errors", 2) == {"candidate": (0, 4)}


@pytest.mark.parametrize(
    ("key", "one", "same", "other"),
    [
        (KeySource(header="x-user-id"), get(user="1"), get(user="1", path="/else"), get(user="2")),
        (KeySource(cookie="uid"), get(cookie="uid=1"), get(cookie="a=b; uid=1"), get(cookie="uid=2")),
        (
            KeySource(json="/user"),
            b'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n{"user":1}',
            b'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 12\r\n\r\n{"user": 1 }',
            b'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n{"user":2}',
        ),
    ],
    ids=["header", "cookie", "body"],
)
def test_the_key_tells_who_it_is_wherever_it_stands(key: KeySource, one: bytes, same: bytes, other: bytes) -> None:
    with rolling(key=(key,), **ALL) as (here, taking), here.client() as client:
        for raw in (one, same, one, other):
            client.send(raw)
            assert client.response().status == 200
        assert counted(here, taking, 4).total("units", 2) == (2, 0)


def test_a_key_of_one_source_is_another_unit_than_the_same_key_of_another() -> None:
    sources = (KeySource(header="x-user-id"), KeySource(cookie="uid"))
    with rolling(key=sources, **ALL) as (here, taking), here.client() as client:
        for raw in (get(user="1"), get(cookie="uid=1")):
            client.send(raw)
            assert client.response().status == 200
        assert counted(here, taking, 2).total("units", 2) == (2, 0)


def test_a_visitor_with_a_cookie_of_stepdowns_own_is_one_unit_from_the_first_answer_on() -> None:
    source = KeySource(cookie="sd_uid", set_cookie=SetCookie(secrets=("a-secret-of-sufficient-length",), ttl=3600))
    with rolling(key=(source,)) as (here, taking), here.client() as client:
        client.send(get())
        cookie = (client.response().get(b"set-cookie") or b"").partition(b";")[0].decode()
        for _ in range(3):
            client.send(get(cookie=cookie))
            client.response()
        store = counted(here, taking, 4)
        assert (store.total("units"), store.total("requests")) == ((1, 0), (4, 0))


def test_units_are_hashed_anew_in_every_run() -> None:
    with rolling(key=BY_USER) as (here, taking):
        here.ask(get(user="ann"))
        first = counted(here, taking, 1).received[-1].sightings[0].unit
        one, two = (upstream.port for upstream in here.upstreams)
        here.sidecar.reload(driven(one, two, key=BY_USER, run=2, now={"salt": "another"}))
        here.ask(get(user="ann"))
        second = counted(here, taking, 2).received[-1]
        assert second.run == 2
        assert second.sightings[0].unit != first
        assert b"ann" not in repr(taking.store.received).encode()


# --- which requests ---------------------------------------------------------------------------------------------------


def test_what_somebody_pinned_or_copied_is_no_evidence_nor_is_a_rollout_that_counts_none() -> None:
    with rolling(pin="server") as (here, taking):
        here.ask(get(X_Model_Version=CANDIDATE))
        here.ask(get(X_Stepdown_Shadow="another sidecar's"))
        here.ask(get())
        assert counted(here, taking, 1).total("requests") == (1, 0)
        one, two = (upstream.port for upstream in here.upstreams)
        for now in ({"evidence": False}, None):
            spec = driven(one, two, now=now) if now else driven(one, two, rollout={"driven": None})
            here.sidecar.reload(spec)
            here.ask(get())
            assert all(plan.evidence is None for plan in here.sidecar.plane.runtime.plans.values())
            assert all(plan.direct for plan in here.sidecar.plane.runtime.plans.values())
        assert here.sidecar.metric("stepdown_evidence_requests_total") == 1


def test_an_exchange_counts_for_the_stage_at_which_it_was_assigned_though_the_next_one_has_begun() -> None:
    gate = Gate()
    with rolling(gated(gate), step=0, weight=100.0) as (here, taking), here.client() as client:
        client.send(get())
        assert eventually(lambda: here.upstreams[1].requests)
        one, two = (upstream.port for upstream in here.upstreams)
        here.sidecar.reload(driven(one, two, step=1, weight=100.0))
        here.sidecar.reload(driven(one, two, step=2, run=2))
        gate.open()
        assert client.response().status == 200
        store = counted(here, taking)
        assert (store.of("requests", 0), store.of("requests", 1)) == ({"candidate": (1, 0)}, {})
        assert [batch.run for batch in store.received] == [1]


def test_a_run_that_is_over_is_counted_to_its_last_exchange_and_then_forgotten() -> None:
    gate = Gate()
    with rolling(gated(gate), **ALL) as (here, taking), here.client() as client:
        client.send(get())
        assert eventually(lambda: here.upstreams[1].requests)
        one, two = (upstream.port for upstream in here.upstreams)
        here.sidecar.reload(driven(one, two, rollout={"driven": None}))
        gate.open()
        assert client.response().status == 200
        client.send(get())
        assert client.response().status == 200
        assert counted(here, taking).of("requests", 2) == {"candidate": (1, 0)}
        here.thread.run(gc.collect)
        assert eventually(lambda: not list(taking.books))


# --- what happened ----------------------------------------------------------------------------------------------------


def timed(seconds: float) -> dict[str, Any]:
    return {"timeouts": Timeouts(response_head=seconds, response_body_idle=seconds)}


def cut_short() -> Script:
    return then_fin(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf")


def streaming(*pieces: bytes, end: bool = True) -> Script:
    """A stream of these pieces; where it has no end, its connection is closed."""
    whole = STREAM + b"".join(map(chunk, pieces))
    return exact(whole + b"0\r\n\r\n") if end else then_fin(whole)


EVENT = b'data: {"choices": []}\n\n'
ERROR = b'data: {"error": {"message": "out of memory", "code": 500}}\n\n'


@pytest.mark.parametrize(
    ("script", "options", "kinds", "failed"),
    [
        (serve(OK), {}, {}, 0),
        (serve(FAILED), {}, {"errors": 1}, 1),
        (serve(REFUSED), {}, {"client_errors": 1}, 0),
        (then_fin(b"HTTP/1.1 nonsense\r\n\r\n"), {}, {"errors": 1}, 1),
        (silent(), timed(0.3), {"errors": 1, "timeouts": 1}, 1),
        (cut_short(), {}, {"stream_errors": 1}, 1),
        (streaming(EVENT, b"data: [DONE]\n\n"), {}, {}, 0),
        (streaming(EVENT, ERROR), {}, {"stream_errors": 1}, 1),
        (streaming(EVENT, end=False), {}, {"stream_errors": 1}, 1),
        (streaming(EVENT, b"data: [DONE]\n\n", end=False), {}, {}, 0),
        (serve(JSON), {"response": MOVE}, {}, 0),
        (serve(OK), {"response": MOVE}, {"adapter_failures": 1, "errors": 1}, 1),
        (serve(OK), {"response": MOVE, "on_adapter_failure": "passthrough"}, {"adapter_failures": 1}, 1),
        (
            serve(OK),
            {"response": MOVE, "on_adapter_failure": "ask_native", "repeatable": True},
            {"adapter_failures": 1},
            1,
        ),
        (serve(OK), {"now": {"slow": 1e-9}}, {"slow": 1}, 0),
        (serve(OK), {"now": {"slow": 60.0}}, {}, 0),
        (serve(FAILED), {"now": {"slow": 1e-9}}, {"errors": 1, "slow": 1}, 1),
    ],
    ids=[
        "good",
        "500",
        "422",
        "nonsense",
        "timeout",
        "cut",
        "stream",
        "stream with an error",
        "stream that is cut",
        "stream that said its end and is cut",
        "adapted",
        "adapter failure",
        "passed on",
        "native",
        "slow",
        "not slow",
        "slow and 500",
    ],
)
@pytest.mark.parametrize("user", ["ann", None], ids=["sticky", "no key"])
def test_what_happened_to_a_request_is_counted(
    script: Script, options: dict[str, Any], kinds: dict[str, int], failed: int, user: str | None
) -> None:
    with rolling(serve(OK), script, key=BY_USER, **ALL, **options) as (here, taking), here.client() as client:
        client.send(get(user=user))
        with suppress(EndedError):
            client.response()
        store = counted(here, taking)
        assert store.kinds() == kinds
        assert store.of("requests", 2) == {"candidate": (1, failed)}
        assert store.of("units", 2) == {"candidate": (1, 0)}


def test_a_version_that_is_down_has_failed_though_another_one_answered() -> None:
    with rolling(serve(OK), **ALL) as (here, taking), here.client() as client:
        here.upstreams[1].stop()
        for _ in range(3):
            client.send(get())
            answer = client.response()
            assert (answer.status, answer.get(b"x-model-served")) == (200, STABLE.encode())
        store = counted(here, taking, 3)
        assert store.of("requests", 2) == {"candidate": (3, 3)}
        assert store.kinds() == {"errors": 3}


def test_a_client_that_leaves_is_a_unit_and_no_completed_request() -> None:
    with rolling(serve(OK), silent(), key=BY_USER, **ALL) as (here, taking):
        with here.client() as client:
            client.send(get(user="ann"))
            assert eventually(lambda: here.upstreams[1].received)
        store = counted(here, taking)
        assert (store.of("units", 2), store.of("requests", 2)) == ({"candidate": (1, 0)}, {})
        assert not store.kinds()


def test_a_client_that_gave_up_on_a_slow_version_has_seen_that_it_is_slow() -> None:
    options: dict[str, Any] = {**ALL, "now": {"slow": 1e-9}}
    with rolling(serve(OK), silent(), **options) as (here, taking):
        with here.client() as client:
            client.send(get())
            assert eventually(lambda: here.upstreams[1].received)
        store = counted(here, taking)
        assert (store.kinds(), store.of("requests", 2)) == ({"slow": 1}, {})


def test_a_client_that_left_after_an_error_in_the_stream_has_got_it() -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(STREAM + chunk(ERROR))

    with rolling(serve(OK), script, **ALL) as (here, taking):
        with here.client() as client:
            client.send(get())
            client.receive(b"out of memory")
        store = counted(here, taking)
        assert (store.kinds(), store.of("requests", 2)) == ({"stream_errors": 1}, {"candidate": (1, 1)})


@pytest.mark.parametrize("adapted", [False, True], ids=["passed on", "adapted"])
def test_a_client_that_left_after_the_end_of_its_stream_got_a_good_answer(adapted: bool) -> None:
    part = b'data: {"choices": [{"index": 0, "delta": {"content": "a"}}]}\n\n'
    end = part.replace(b'{"content": "a"}', b'{}, "finish_reason": "stop"') + b"data: [DONE]\n\n"

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(STREAM + chunk(part) + chunk(end))
        await peer.ended

    with rolling(serve(OK), script, **ALL, streams=RENAMED if adapted else "") as (here, taking):
        with here.client() as client:
            client.send(get())
            client.receive(b"[DONE]\n\n")
        store = counted(here, taking)
        assert (store.kinds(), store.of("requests", 2)) == ({}, {"candidate": (1, 0)})


@pytest.mark.parametrize("adapted", [False, True], ids=["passed on", "adapted"])
def test_a_client_that_left_in_the_middle_of_its_stream_has_no_answer_that_could_be_judged(adapted: bool) -> None:
    part = b'data: {"choices": [{"index": 0, "delta": {"content": "a"}}]}\n\n'

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(STREAM + chunk(part))
        await peer.ended

    with rolling(serve(OK), script, **ALL, streams=RENAMED if adapted else "") as (here, taking):
        with here.client() as client:
            client.send(get())
            client.receive(b'"a"')
        store = counted(here, taking)
        assert (store.kinds(), store.of("requests", 2)) == ({}, {})


def test_a_client_that_reads_nothing_until_its_answer_is_cut_is_no_failure_of_the_version() -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n")
        while True:
            await peer.send(b"x" * 65536)

    with rolling(serve(OK), script, **ALL, **timed(0.5)) as (here, taking):
        with here.client(receive_buffer=4096) as client:
            client.send(get())
            store = counted(here, taking)
        assert not store.kinds()


def test_a_request_that_is_sent_again_is_one_request() -> None:
    async def once(peer: Peer) -> None:
        await peer.request()
        peer.reset()

    with rolling(serve(OK), repeatable=True, **ALL) as (here, taking):
        here.upstreams[1].queue.append(once)
        assert here.ask(get()).status == 200
        store = counted(here, taking)
        assert (store.of("requests", 2), store.kinds()) == ({"candidate": (1, 0)}, {})


def test_a_request_that_the_sidecar_refuses_itself_is_no_error_of_the_version() -> None:
    with rolling(serve(OK), limits=Limits(request_body=1), **ALL) as (here, taking):
        assert here.ask(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nok").status == 413
        store = counted(here, taking)
        assert (store.of("requests", 2), store.kinds()) == ({"candidate": (1, 0)}, {})


def test_what_its_adapters_cannot_read_of_a_request_is_a_refusal_of_the_version() -> None:
    def spec(one: int, two: int, **options: Any) -> SnapshotSpec:
        whole = driven(one, two, **options)
        model = whole.models[0]
        step = msgspec.structs.replace(model.chains[0].steps[0], request=({"move": {"from": "/a", "to": "/b"}},))
        chain = msgspec.structs.replace(model.chains[0], steps=(step,))
        return msgspec.structs.replace(whole, models=(msgspec.structs.replace(model, chains=(chain,)),))

    with rolling(serve(OK), spec=spec, **ALL) as (here, taking):
        assert here.ask(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nno").status == 422
        store = counted(here, taking)
        assert store.kinds() == {"client_errors": 1}


def test_a_plane_that_is_drained_says_what_it_could_not_get_stored(caplog: pytest.LogCaptureFixture) -> None:
    with rolling(key=BY_USER, **ALL) as (here, taking):
        assert here.ask(get(user="ann")).status == 200
        counted(here, taking)
        here.thread.call(here.sidecar.plane.drain(0.0))
    assert not caplog.records
    with rolling(key=BY_USER, **ALL) as (here, taking):
        taking.cut()
        assert here.ask(get(user="ann")).status == 200
        here.thread.call(here.sidecar.plane.drain(0.0))
        [record] = caplog.records
        assert record.getMessage() == "what was counted last of rollouts is not stored"
        caplog.clear()
        taking.link()
        taking.settle()
