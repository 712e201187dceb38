"""What a server sees of a copy, how many it sees, and which answers are held side by side."""

from __future__ import annotations

import ssl
from typing import Any

import pytest
import trustme

from stepdown.comparer.breaker import AFTER, FIRST
from stepdown.comparer.limits import Budget
from stepdown.comparer.pairing import Table
from stepdown.decide import spec
from stepdown.decide.shadow_spec import Examples, Shadow
from tests.kit import specs
from tests.kit.looping import LoopThread, eventually
from tests.kit.shadowing import BODY, SCORED, Scene, Staged, post, shadowed, staged
from tests.kit.upstream import Peer, Request, Upstream, serve, silent


def shadow(**options: Any) -> Shadow:
    return Shadow(**{"name": "s", "version": "2.0.0", **options})


def seen(stage: Staged, *lines: bytes, body: bytes = BODY, head: bytes | None = None, **more: Any) -> Request:
    """What the shadow's server sees of a request with these field lines."""
    stage.scene.copy(body, post(*lines, size=len(body)) if head is None else head, **more)
    assert eventually(lambda: stage.upstream.requests)
    return stage.upstream.requests[-1]


# --- what it sees ---------------------------------------------------------------------------------------------------


def test_a_copy_is_the_request_with_marks_on() -> None:
    with staged() as stage:
        request = seen(stage, b"X-Trace: 1", b"User-Agent: client/1.0", b"x-trace: 2", b"Connection: keep-alive")
    assert (request.method, request.target, request.body) == (b"POST", b"/predict?a=1", BODY)
    assert request.headers == [
        (b"host", b"model.example"),
        (b"Content-Type", b"application/json"),
        (b"X-Trace", b"1"),
        (b"User-Agent", b"client/1.0 stepdown-shadow"),
        (b"x-trace", b"2"),
        (b"x-stepdown-shadow", b"s"),
        (b"via", b"1.1 stepdown"),
        (b"x-forwarded-for", b"192.0.2.7"),
        (b"x-forwarded-proto", b"http"),
        (b"content-length", b"8"),
    ]


def test_it_carries_no_credentials_and_none_of_what_is_for_this_hop() -> None:
    with staged() as stage:
        request = seen(
            stage,
            b"Authorization: Bearer secret",
            b"Cookie: session=secret",
            b"X-API-Key: secret",
            b"Proxy-Authorization: Basic secret",
            b"X-Model-Version: 1.0.0",
            b"X-Stepdown-Shadow: forged",
            b"X-Forwarded-For: 10.0.0.1",
            b"Connection: X-Hop",
            b"X-Hop: 1",
            b"TE: trailers",
        )
    assert b"secret" not in request.raw
    names = {name.lower() for name, _ in request.headers}
    assert not names & {b"x-hop", b"te", b"connection", b"x-model-version", b"cookie", b"authorization"}
    assert request.all(b"x-stepdown-shadow") == [b"s"]
    assert request.all(b"x-forwarded-for") == [b"192.0.2.7"]
    assert request.all(b"user-agent") == [b"stepdown-shadow"]


def test_what_trusted_proxies_say_of_the_client_is_continued() -> None:
    with staged(None, shadow(), snapshot_options={"trusted_hops": 1}) as stage:
        request = seen(stage, b"X-Forwarded-For: 203.0.113.9, 192.0.2.7", b"X-Forwarded-Proto: https", b"Via: 1.1 lb")
    assert request.all(b"x-forwarded-for") == [b"203.0.113.9, 192.0.2.7, 192.0.2.7"]
    assert request.all(b"x-forwarded-proto") == [b"https"]
    assert request.all(b"via") == [b"1.1 lb, 1.1 stepdown"]


def test_fields_are_set_and_removed_as_the_shadow_says_and_its_endpoints_keep_their_own() -> None:
    def build(*shadows: Shadow, served: int, ports: list[int]) -> spec.SnapshotSpec:
        own = specs.endpoint(
            ports[0], set_headers=(("Authorization", "Bearer own"), ("X-Both", "endpoint")), path="/v2/{name}"
        )
        match = spec.Match(path="/models/{name}")
        return shadowed(
            *shadows,
            served=served,
            ports=ports,
            new=specs.version("2.0.0", endpoints=(own,)),
            route_options={"match": match},
        )

    edits = shadow(set_headers=(("X-Both", "shadow"), ("User-Agent", "probe")), remove_headers=("x-trace", "accept"))
    with staged(None, edits, build=build) as stage:
        lines = [b"Authorization: Bearer client", b"X-Both: client", b"X-Trace: 1", b"Accept: a/b", b"User-Agent: u"]
        request = seen(stage, *lines, params=(b"churn",))
    assert request.target == b"/v2/churn?a=1"
    assert request.all(b"authorization") == [b"Bearer own"]
    assert request.all(b"x-both") == [b"shadow"]
    assert request.all(b"user-agent") == [b"probe stepdown-shadow"]
    assert not request.all(b"x-trace") + request.all(b"accept")


@pytest.mark.parametrize(
    ("host", "expected"), [("keep", b"sni.lyft.com:99"), ("endpoint", None), ("shadow.example", b"shadow.example")]
)
def test_the_host_is_kept_unless_told_otherwise_and_never_gets_a_suffix(host: str, expected: bytes | None) -> None:
    with staged(None, shadow(host=host)) as stage:
        head = post().replace(b"Host: model.example", b"Host: sni.lyft.com:99")
        request = seen(stage, head=head)
        assert request.all(b"host") == [expected or b"127.0.0.1:%d" % stage.upstream.port]


@pytest.mark.parametrize(
    ("body", "head", "length"),
    [
        (b"", post(size=None), None),
        (b"", post(size=0), b"0"),
        (b"", post(b"Transfer-Encoding: chunked", size=None), b"0"),
        (b"unknown length body", post(b"Transfer-Encoding: chunked", size=None), b"19"),
        (b"\0\xff" * 5000, post(size=10_000), b"10000"),
    ],
)
def test_bodies_arrive_byte_by_byte_and_with_their_length(body: bytes, head: bytes, length: bytes | None) -> None:
    with staged() as stage:
        request = seen(stage, head=head, body=body)
    assert request.body == body
    assert request.get(b"content-length") == length
    assert request.get(b"transfer-encoding") is None


def test_any_number_of_shadows_get_the_same_body() -> None:
    ten = [shadow(name=f"s{number}") for number in range(10)]
    with staged(None, *ten) as stage:
        stage.scene.copy(b"body", shadows=range(10))
        stage.scene.until("copies", {(each.name, "answered"): 1 for each in ten})
        assert [request.body for request in stage.upstream.requests] == [b"body"] * 10
        assert {request.get(b"x-stepdown-shadow") for request in stage.upstream.requests} == {
            each.name.encode() for each in ten
        }


def test_endpoints_with_tls_are_spoken_to_in_tls() -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    with authority.cert_pem.tempfile() as trusted, LoopThread() as thread:
        for ca_file, outcome in ((trusted, "answered"), (None, "refused")):
            with Upstream(thread, serve(SCORED), tls=context) as upstream:
                tls = spec.Tls(ca_file=ca_file, server_name="localhost")
                new = specs.version("2.0.0", endpoints=(specs.endpoint(upstream.port, tls=tls),))
                scene = Scene(thread, shadowed(shadow(), served=1, ports=[], new=new))
                scene.copy()
                scene.until("copies", {("s", outcome): 1})
                scene.close()
        thread.errors.clear()  # asyncio's server tells its handler of every handshake that its peer gave up


def test_an_endpoint_or_an_adapter_that_cannot_be_used_is_counted_and_told(caplog: pytest.LogCaptureFixture) -> None:
    def build(*shadows: Shadow, served: int, ports: list[int]) -> spec.SnapshotSpec:
        broken = specs.endpoint(ports[0], tls=spec.Tls(ca_file="/nowhere/ca.pem"))
        return shadowed(*shadows, served=served, ports=ports, new=specs.version("2.0.0", endpoints=(broken,)))

    with staged(None, shadow(), build=build) as stage:
        stage.scene.copy()
        stage.scene.until("skipped", {("s", "failed"): 1})
    with staged(None, shadow(), step={"hook": "no.such.module:hook"}) as stage:
        stage.scene.copy()
        stage.scene.until("skipped", {("s", "failed"): 1})
        stage.scene.nothing_held()
    assert "/nowhere/ca.pem" in str([record.__dict__.get("fields") for record in caplog.records])
    assert "no.such.module" in caplog.text


# --- how many it sees -----------------------------------------------------------------------------------------------


def test_no_more_go_a_second_than_may() -> None:
    with staged(None, shadow(rate=3)) as stage:
        for _ in range(5):
            stage.scene.copy()
        stage.scene.until("skipped", {("s", "rate"): 2})
        stage.scene.wait(0.34)
        stage.scene.copy()
        stage.scene.copy()
        stage.scene.until("skipped", {("s", "rate"): 3})
        stage.scene.until("copies", {("s", "answered"): 4})


def test_no_more_are_on_their_way_than_may_and_another_shadow_has_numbers_of_its_own() -> None:
    with staged(silent(), shadow(concurrent=2), shadow(name="t", concurrent=3)) as stage:
        for _ in range(5):
            stage.scene.copy(shadows=(0, 1))
        assert stage.scene.counts("skipped") == {("s", "concurrent"): 3, ("t", "concurrent"): 2}
        assert stage.scene.shadows.flying == 5


def test_what_waits_is_bounded_in_bytes() -> None:
    with staged(silent(), shadow(), budget=Budget(100_000)) as stage:
        for _ in range(5):
            stage.scene.copy(b"x" * 20_000)
        assert stage.scene.counts("skipped") == {("s", "pending"): 3}
        assert stage.scene.shadows.budget.held <= 100_000
        stage.scene.wait(11)
        stage.scene.wait(40)
        stage.scene.nothing_held()


def test_what_waits_is_bounded_in_number() -> None:
    with staged(None, shadow(), table=Table(3)) as stage:
        for _ in range(5):
            stage.scene.copy()
        stage.scene.until("skipped", {("s", "pending"): 2})
        stage.scene.until("copies", {("s", "answered"): 3})
        stage.scene.answer(1)
        stage.scene.copy()
        stage.scene.until("copies", {("s", "answered"): 4})


def test_an_answer_for_which_there_is_no_room_is_not_kept() -> None:
    large = b"HTTP/1.1 200 OK\r\nContent-Length: 90000\r\n\r\n" + b"x" * 90_000
    with staged(serve(large), shadow(), budget=Budget(50_000)) as stage:
        stage.scene.copy()
        stage.scene.until("copies", {("s", "pending"): 1})
        stage.scene.answer(1, b"x" * 60_000)
        stage.scene.until("compared", {("s", "incomparable"): 1})
        stage.scene.nothing_held()
        answer = stage.scene.pairs[0].answer
        assert answer is not None
        assert answer.missing == "full"


def test_a_body_that_is_longer_than_the_shadow_takes_is_not_copied() -> None:
    with staged(None, shadow(max_body=8)) as stage:
        stage.scene.copy(b"x" * 8)
        stage.scene.copy(b"x" * 9)
        stage.scene.until("skipped", {("s", "too-large"): 1})
        assert eventually(lambda: len(stage.upstream.requests) == 1)


def test_copies_that_nobody_can_read_harm_nobody() -> None:
    with staged() as stage:
        stage.scene.copy(head=b"no request at all")
        stage.scene.copy(shadows=(7,))
        stage.scene.copy(route="gone")
        stage.scene.copy(digest="gone")
        stage.scene.copy(client="\u00e9")
        stage.scene.answer(99)
        stage.scene.copy()
        stage.scene.until("copies", {("s", "answered"): 1})
        assert stage.scene.counts("skipped") == {("s", "failed"): 2}


# --- noise ----------------------------------------------------------------------------------------------------------


def test_a_share_of_the_copies_goes_to_the_served_version_too_without_credentials() -> None:
    with staged(None, shadow(noise=10.0)) as stage:
        for number in range(1, 41):
            stage.scene.answer(stage.scene.copy(head=post(b"Cookie: secret")))
            stage.scene.until("copies", {("s", "answered"): number})
        stage.scene.until("noise", {("s", "answered"): 4})
        assert eventually(lambda: len(stage.scene.pairs) == 40)
        assert [pair.noise is not None for pair in stage.scene.pairs].count(True) == 4
        assert len(stage.served.requests) == 4
        assert not any(b"secret" in request.raw for request in stage.served.requests)
        assert stage.served.requests[0].get(b"x-stepdown-shadow") == b"s"


def test_a_served_version_that_refuses_costs_its_noise_and_nothing_else() -> None:
    with staged(None, shadow(noise=100.0)) as stage:
        stage.served.stop()
        stage.scene.answer(stage.scene.copy())
        stage.scene.until("noise", {("s", "refused"): 1})
        stage.scene.answer(stage.scene.copy())
        stage.scene.until("noise", {("s", "refused"): 1, ("s", "skipped"): 1})
        stage.scene.until("compared", {("s", "equal"): 2})


# --- idle colours ---------------------------------------------------------------------------------------------------


def test_an_idle_colour_is_warmed_up_and_nothing_is_compared() -> None:
    with LoopThread() as thread, Upstream(thread, serve(SCORED)) as active, Upstream(thread, serve(SCORED)) as idle:
        new = specs.version("2.0.0", active.port, idle=(specs.endpoint(idle.port),))
        scene = Scene(thread, shadowed(shadow(idle=True, noise=100.0), served=1, ports=[], new=new))
        scene.answer(scene.copy())
        scene.copy()
        scene.until("copies", {("s", "answered"): 2})
        scene.nothing_held()
        assert (len(idle.requests), len(active.requests), scene.pairs) == (2, 0, [])
        scene.close()


# --- both sides -----------------------------------------------------------------------------------------------------

STEP = {
    "request": ({"move": {"from": "/x", "to": "/inputs"}},),
    "response": ({"move": {"from": "/score", "to": "/probability"}},),
}


def test_a_request_is_stepped_up_for_its_shadow_and_both_answers_are_stepped_down() -> None:
    with staged(None, shadow(), step=STEP) as stage:
        stage.scene.answer(stage.scene.copy(), b'{ "probability": 0.50 }')
        stage.scene.until("compared", {("s", "equal"): 1})
        assert stage.upstream.requests[0].body == b'{"inputs":1}'
        stage.scene.answer(stage.scene.copy(), b'{"probability": 0.6}')
        stage.scene.until("compared", {("s", "equal"): 1, ("s", "different"): 1})


def test_the_served_version_may_be_the_newer_one() -> None:
    with staged(None, shadow(version="1.0.0", noise=100.0), step=STEP) as stage:
        stage.served.script = serve(SCORED.replace(b"14\r\n", b"20\r\n").replace(b"score", b"probability"))
        stage.scene.answer(stage.scene.copy(served="2.0.0"), b'{"score": 0.5}', served="2.0.0", outcome="adapted")
        stage.scene.until("compared", {("s", "equal"): 1})
        assert [request.body for request in stage.served.requests] == [BODY]
        assert [request.body for request in stage.upstream.requests] == [b'{"inputs":1}']
        (pair,) = stage.scene.pairs
        assert pair.noise is not None
        assert (pair.noise.version, pair.noise.body) == ("2.0.0", b'{"score": 0.5}')


def test_noise_is_left_out_where_another_version_answered_in_the_end() -> None:
    with staged(None, shadow(noise=100.0)) as stage:
        stage.scene.answer(stage.scene.copy(), served="2.0.0")
        stage.scene.until("compared", {("s", "equal"): 1})
        assert stage.scene.pairs[0].noise is None


def test_a_request_that_the_adapters_refuse_is_counted() -> None:
    with staged(None, shadow(), step={"request": ({"move": {"from": "/x", "to": "/y/z"}},)}) as stage:
        stage.scene.copy(b"no json")
        stage.scene.copy(b"{}", post(b"Content-Encoding: gzip", size=2))
        stage.scene.until("skipped", {("s", "unadaptable"): 2})
        stage.scene.nothing_held()


@pytest.mark.parametrize("redact", [(), ("/x", "/card")])
def test_what_an_operation_quotes_is_not_told_of_values_that_nobody_is_to_see(
    redact: tuple[str, ...], caplog: pytest.LogCaptureFixture
) -> None:
    table = {"table": {"a": "b"}, "on_unmapped": "fail"}
    step = {
        side: ({"map_values": {"path": path, **table}},) for side, path in (("request", "/x"), ("response", "/card"))
    }
    answer = b'{"card": "4111-1"}'
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(answer)
    with staged(serve(head + answer), shadow(examples=Examples(redact=redact)), step=step) as stage:
        stage.scene.copy(b'{"x": "4111-2"}')
        stage.scene.until("skipped", {("s", "unadaptable"): 1})
        stage.scene.answer(stage.scene.copy(b'{"x": "a"}'), b'{"card": "c"}')
        stage.scene.until("compared", {("s", "incomparable"): 1})
    told = [str(vars(record)) for record in caplog.records]
    assert [place for place in ("map_values at /x", "map_values at /card") if any(place in one for one in told)] == [
        "map_values at /x",
        "map_values at /card",
    ]
    assert sum("4111" in one for one in told) == (0 if redact else 2)


def test_a_shape_that_the_shadow_cannot_reach_is_counted() -> None:
    with staged(None, shadow(), chains=()) as stage:
        stage.scene.copy()
        stage.scene.until("skipped", {("s", "unreachable-shape"): 1})


def test_an_answer_that_never_comes_leaves_its_pair_incomparable() -> None:
    with staged() as stage:
        stage.scene.copy()
        stage.scene.until("copies", {("s", "answered"): 1})
        stage.scene.wait(39.9)
        assert stage.scene.counts("compared") == {}
        stage.scene.wait(0.2)
        stage.scene.until("compared", {("s", "incomparable"): 1})
        stage.scene.nothing_held()


def test_an_answer_that_comes_first_waits_for_its_copy_and_a_slow_shadow_holds_up_no_other() -> None:
    with staged(silent(), shadow(), shadow(name="t", version="1.0.0")) as stage:
        stage.scene.answer(stage.scene.copy(shadows=(0, 1)))
        stage.scene.until("compared", {("t", "equal"): 1})
        stage.scene.wait(11)
        stage.scene.until("compared", {("t", "equal"): 1, ("s", "incomparable"): 1})
        stage.scene.nothing_held()


def test_what_compares_may_fail_and_harms_no_other_pair(caplog: pytest.LogCaptureFixture) -> None:
    with staged() as stage:
        stage.scene.fails = True
        stage.scene.answer(stage.scene.copy())
        assert eventually(lambda: len(stage.scene.pairs) == 1)
        stage.scene.fails = False
        stage.scene.answer(stage.scene.copy())
        stage.scene.until("compared", {("s", "equal"): 1})
        stage.scene.nothing_held()
    assert caplog.text.count("two answers could not be compared") == 1


# --- shadows that give no answers -----------------------------------------------------------------------------------


def test_a_shadow_whose_copies_all_fail_is_left_alone_and_asked_again_one_at_a_time(
    caplog: pytest.LogCaptureFixture,
) -> None:
    broken = True

    async def script(peer: Peer) -> None:
        while True:
            await peer.request()
            if broken:
                peer.reset()
                return
            await peer.send(SCORED)

    with staged(script) as stage:
        scene = stage.scene
        for number in range(1, AFTER + 1):
            scene.answer(scene.copy())
            scene.until("copies", {("s", "reset"): number})
        for _ in range(3):
            scene.answer(scene.copy())
        scene.until("skipped", {("s", "broken"): 3})
        scene.wait(FIRST)
        scene.answer(scene.copy())
        scene.answer(scene.copy())
        scene.until("copies", {("s", "reset"): AFTER + 1})
        scene.until("skipped", {("s", "broken"): 4})
        scene.wait(FIRST)  # it takes twice as long now
        scene.answer(scene.copy())
        scene.until("skipped", {("s", "broken"): 5})
        broken = False
        scene.wait(FIRST)
        scene.answer(scene.copy())
        scene.until("copies", {("s", "reset"): AFTER + 1, ("s", "answered"): 1})
        for _ in range(3):
            scene.answer(scene.copy())
        scene.until("copies", {("s", "reset"): AFTER + 1, ("s", "answered"): 4})
        scene.nothing_held()
        assert len(stage.upstream.requests) == AFTER + 5
    told = [record for record in caplog.records if record.message.startswith("a shadow is left alone")]
    assert len(told) == 1
