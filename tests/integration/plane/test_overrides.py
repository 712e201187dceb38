"""Overrides through the data plane: who may, gets that server; nobody else notices, and no server sees the fields."""

from __future__ import annotations

import time
from collections.abc import Iterator

import orjson
import pytest

from stepdown.decide import spec
from stepdown.decide.override_tokens import Claims, issue
from tests.kit import specs
from tests.kit.upstream import Request, serve
from tests.kit.world import World, world

SECRET = "a secret of some length"
SERVE = b"x-stepdown-serve: 2.0.0"


def token(lasts: int = 86_400, **changes: str) -> bytes:
    now = int(time.time())
    claims = {"holder": "alice", "model": "m", "version": "2.0.0"} | changes
    return b"x-stepdown-override-token: " + issue(Claims(**claims, issued=now, expires=now + lasts), SECRET).encode()


def echo(got: Request) -> bytes:
    return b'HTTP/1.1 200 OK\r\nContent-Length: 17\r\n\r\n{"new":1,"b":%3d}' % len(got.body)


def two(*ports: int, **options: object) -> spec.SnapshotSpec:
    """Everything goes to 1.0.0; no rule names 2.0.0, which can be stepped down."""
    old, new = (specs.version(name, port) for name, port in zip(("1.0.0", "2.0.0"), ports, strict=True))
    steps = (spec.Step(source="2.0.0", target="1.0.0", response=({"remove": "/new"},)),)
    chains = (spec.Chain(served="2.0.0", pinned="1.0.0", steps=steps),)
    overrides = spec.Overrides(secrets=(SECRET,))
    return specs.snapshot(
        specs.route({"1.0.0": 1}),
        models=[specs.model(old, new, default="1.0.0", chains=chains)],
        overrides=overrides,
        explain=spec.Explain(allow=("127.0.0.1",)),
    )


@pytest.fixture
def here() -> Iterator[World]:
    with world(serve(echo), spec=two, upstreams=2) as here:
        yield here


def raw(*lines: bytes) -> bytes:
    return b"".join(
        (b"POST /infer HTTP/1.1\r\nHost: a\r\n", *(line + b"\r\n" for line in lines), b"Content-Length: 2\r\n\r\n{}")
    )


def test_who_may_gets_the_server_and_keeps_the_shape(here: World) -> None:
    answer = here.ask(raw(SERVE, token()), "POST")
    assert (answer.status, answer.get(b"x-model-served"), answer.get(b"x-model-version")) == (200, b"2.0.0", b"1.0.0")
    assert orjson.loads(answer.body) == {"b": 2}
    assert answer.get(b"x-stepdown-override") == b"honoured; the token was issued for alice"
    assert here.sidecar.metric("stepdown_overrides_total", route="r", result="honoured") == 1
    assert here.sidecar.metric("stepdown_requests_total", reason="override", served="2.0.0") == 1


def test_no_server_sees_what_was_asked_or_with_which_right(here: World) -> None:
    for lines in ((SERVE, token()), (SERVE, b"x-stepdown-override-token: junk")):
        here.ask(raw(*lines), "POST")
    seen = [name.lower() for upstream in here.upstreams for got in upstream.requests for name, _ in got.headers]
    assert len(here.upstreams[0].requests) == len(here.upstreams[1].requests) == 1
    assert not [name for name in seen if name.startswith(b"x-stepdown")]


@pytest.mark.parametrize(
    ("lines", "result"),
    [
        ((), b"not-allowed"),
        ((b"x-stepdown-override-token: v1.e30.e30",), b"malformed"),
        ((token()[:-4] + b"AAAA",), b"forged"),
        ((token(-1),), b"expired"),
        ((token(version="1.0.0"),), b"foreign"),
    ],
    ids=["none", "malformed", "forged", "expired", "foreign"],
)
def test_everybody_else_is_routed_as_usual_and_told_so(here: World, lines: tuple[bytes, ...], result: bytes) -> None:
    answer = here.ask(raw(SERVE, *lines, b"x-stepdown-explain: 1"), "POST")
    assert (answer.status, answer.get(b"x-model-served")) == (200, b"1.0.0")
    assert (answer.get(b"x-stepdown-override") or b"").startswith(result + b"; ")
    explained = orjson.loads(answer.get(b"x-stepdown-explain") or b"")
    assert explained["override"]["ruling"] == result.decode()
    assert explained["config"] == here.sidecar.status()["digest"]
    assert here.sidecar.metric("stepdown_overrides_total", route="r", result=result.decode()) == 1


def test_who_may_not_see_explanations_learns_nothing() -> None:
    def quiet(*ports: int) -> spec.SnapshotSpec:
        from msgspec.structs import replace

        return replace(two(*ports), explain=spec.Explain())

    with world(serve(echo), spec=quiet, upstreams=2) as here:
        answer = here.ask(raw(SERVE), "POST")
        assert (answer.status, answer.get(b"x-model-served")) == (200, b"1.0.0")
        assert answer.get(b"x-stepdown-override") is None


def test_a_server_that_is_down_is_a_503_that_says_so(here: World) -> None:
    down = dict.fromkeys((key for key in here.sidecar.status()["endpoints"] if key.startswith("m/2.0.0/")), False)
    here.thread.run(lambda: here.sidecar.plane.set_health(down))
    answer = here.ask(raw(SERVE, token()), "POST")
    assert (answer.status, answer.get(b"x-stepdown-error"), answer.get(b"retry-after")) == (
        503,
        b"no-ready-version",
        b"5",
    )
    assert b"no other version stands in for it" in answer.body
    assert here.ask(raw(), "POST").status == 200


def test_a_server_that_refuses_connections_is_a_503_and_nobody_stands_in() -> None:
    with world(serve(echo), spec=lambda port: two(port, 1)) as here:
        answer = here.ask(raw(SERVE, token()), "POST")
        assert (answer.status, answer.get(b"x-stepdown-error")) == (503, b"no-ready-version")
        assert here.sidecar.metric("stepdown_overrides_total") == 1
        assert not here.upstream.requests


def test_a_pin_that_cannot_be_read_is_explained_with_and_without_an_override(here: World) -> None:
    for lines in ((), (SERVE, token())):
        answer = here.ask(raw(b"x-model-version: banana", b"x-stepdown-explain: 1", *lines), "POST")
        assert answer.status == 400
        refusal = orjson.loads(answer.get(b"x-stepdown-explain") or b"")["refusal"]
        assert refusal["problem"] == "bad-version"


def test_a_name_in_any_script_can_be_told(here: World) -> None:
    answer = here.ask(raw(SERVE, token(holder="Zoë ")), "POST")
    assert answer.get(b"x-stepdown-override") == b"honoured; the token was issued for Zo\\xeb"


def test_a_version_that_nobody_serves_is_a_406(here: World) -> None:
    answer = here.ask(raw(b"x-stepdown-serve: 7.0.0", token(version="*")), "POST")
    assert (answer.status, answer.get(b"x-stepdown-error")) == (406, b"version-not-available")


def test_two_lines_are_one_list(here: World) -> None:
    lines = (b"X-Stepdown-Serve: fraud=1.0.0", b"X-Stepdown-Serve: m=2.0.0", token())
    assert here.ask(raw(*lines), "POST").get(b"x-model-served") == b"2.0.0"


def test_a_kept_connection_forgets_no_override_and_keeps_none(here: World) -> None:
    plan = [False, False, True, False, True, True, False, False]
    with here.client() as client:
        for overridden in plan:
            client.send(raw(SERVE, token()) if overridden else raw())
            assert client.response("POST").get(b"x-model-served") == (b"2.0.0" if overridden else b"1.0.0")


def test_answers_vary_with_what_asks(here: World) -> None:
    vary = (here.ask(raw(), "POST").get(b"vary") or b"").split(b", ")
    assert {b"x-stepdown-serve", b"x-stepdown-override-token"} <= set(vary)


def test_without_overrides_in_the_file_the_field_is_dropped_and_does_nothing() -> None:
    with world(spec=specs.plain) as here:
        answer = here.ask(b"GET / HTTP/1.1\r\nHost: a\r\nX-Stepdown-Serve: 9.0.0\r\n\r\n")
        assert answer.status == 200
        assert here.upstream.requests[0].get(b"x-stepdown-serve") is None
        assert b"x-stepdown-serve" not in (answer.get(b"vary") or b"")
