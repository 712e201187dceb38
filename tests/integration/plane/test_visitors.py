"""Visitors without a key get a signed cookie once, from the first answer on, whatever becomes of that answer."""

from __future__ import annotations

import re
import socket
from collections import Counter
from typing import Any

import pytest

from stepdown.decide.spec import Chain, KeySource, Rule, SetCookie, SnapshotSpec, Step
from tests.kit import specs
from tests.kit.client import Response
from tests.kit.upstream import OK, serve
from tests.kit.world import World, world

SECRET = "a-secret-of-sufficient-length"
VALUE = re.compile(rb"sd_uid=([A-Za-z0-9_-]{22}(?:~[^~;]+)+); Max-Age=[0-9]+; Path=/; HttpOnly; SameSite=Lax; Secure")
CACHED = (
    b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n"
    b"Cache-Control: public, max-age=60\r\nSurrogate-Control: max-age=9\r\n\r\nok"
)
JSON = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 8\r\n\r\n{"b": 1}'
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"
STEP = Step(source="2.0.0", target="1.0.0", response=({"move": {"from": "/b", "to": "/a"}},))


def nobody() -> int:
    """A port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def visited(
    first: int,
    second: int = 0,
    split: dict[str, int] | None = None,
    *,
    secrets: tuple[str, ...] = (SECRET,),
    before: tuple[KeySource, ...] = (),
    step: Step = STEP,
    **rule: Any,
) -> SnapshotSpec:
    """1.0.0 on one port, 2.0.0 on another (or the same), both in the shape of 1.0.0."""
    model = specs.model(
        specs.version("1.0.0", first),
        specs.version("2.0.0", second or first),
        chains=(Chain(served="2.0.0", pinned="1.0.0", steps=(step,)),),
    )
    key = (*before, KeySource(cookie="sd_uid", set_cookie=SetCookie(secrets=secrets, ttl=3600)))
    weights = tuple((split or {"1.0.0": 100}).items())
    rules = (Rule(name="all", split=weights, salt="s", **rule),)
    return specs.snapshot(specs.route({}, rules=rules, key=key), models=[model])


def get(cookie: str | None = None, **fields: str) -> bytes:
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in fields.items()]
    lines += [f"Cookie: theme=dark; sd_uid={cookie}"] if cookie is not None else []
    return "\r\n".join(["GET / HTTP/1.1", "Host: a", *lines, "", ""]).encode()


def cookie_of(response: Response) -> str:
    found = VALUE.fullmatch(response.get(b"set-cookie") or b"")
    assert found is not None, response.headers
    return found[1].decode()


def served(here: World) -> list[tuple[str, str, str]]:
    """(assigned, served, reason) of every answer, from the access log."""
    return [(line["assigned"], line["served"], line["reason"]) for line in here.sidecar.log()]


def test_the_first_answer_sets_it_and_no_other_one_does() -> None:
    with world(spec=visited) as here:
        response = here.ask(get())
        cookie = cookie_of(response)
        assert (response.body, response.get(b"cache-control")) == (b"ok", b"private")
        assert b"cookie" in (response.get(b"vary") or b"")
        again = here.ask(get(cookie))
        assert again.get(b"set-cookie") is again.get(b"cache-control") is None
        assert here.sidecar.metric("stepdown_requests_total", key_source="cookie:sd_uid") == 2


def test_many_requests_of_one_connection_are_many_visitors_until_they_bring_their_cookie() -> None:
    with (
        world(
            spec=lambda port: visited(port, split={"1.0.0": 50, "2.0.0": 50}, step=Step(source="2.0.0", target="1.0.0"))
        ) as here,
        here.client() as client,
    ):
        cookies = {}
        for _ in range(30):
            client.send(get())
            answer = client.response()
            cookies[cookie_of(answer)] = answer.get(b"x-model-served")
        assert len(cookies) == 30
        assert set(cookies.values()) == {b"1.0.0", b"2.0.0"}
        for cookie, version in cookies.items():
            client.send(get(cookie))
            answer = client.response()
            assert (answer.get(b"x-model-served"), answer.get(b"set-cookie")) == (version, None)


@pytest.mark.parametrize("forged", ["alice", "", "~", "AAAAAAAAAAAAAAAAAAAAAA~6b49d200~AAAAAAAAAAAAAAAAAAAAAA"])
def test_a_forged_one_is_replaced(forged: str) -> None:
    with world(spec=visited) as here:
        assert cookie_of(here.ask(get(forged))) != forged


def test_an_older_secret_is_replaced_by_the_newer_one_without_anybody_moving() -> None:
    newer = "a-newer-secret-of-sufficient-length"
    even = {"1.0.0": 50, "2.0.0": 50}
    plain = Step(source="2.0.0", target="1.0.0")
    with world(spec=lambda port: visited(port, split=even, step=plain)) as here:
        port = here.upstream.port
        answers = [here.ask(get()) for _ in range(12)]
        here.sidecar.reload(visited(port, split=even, step=plain, secrets=(newer, SECRET)))
        for answer in answers:
            rotated = here.ask(get(cookie_of(answer)))
            assert cookie_of(rotated).split("~")[0] == cookie_of(answer).split("~")[0]
            assert rotated.get(b"x-model-served") == answer.get(b"x-model-served")
            assert here.ask(get(cookie_of(rotated))).get(b"set-cookie") is None
        here.sidecar.reload(visited(port, split=even, step=plain, secrets=(newer,)))
        assert cookie_of(here.ask(get(cookie_of(answers[0])))).split("~")[0] != cookie_of(answers[0]).split("~")[0]


def test_shared_caches_are_kept_from_an_answer_that_sets_it_and_from_no_other() -> None:
    with world(serve(CACHED), spec=visited) as here:
        first = here.ask(get())
        assert (first.all(b"cache-control"), first.get(b"surrogate-control")) == ([b"private, max-age=60"], None)
        later = here.ask(get(cookie_of(first)))
        assert later.all(b"cache-control") == [b"public, max-age=60"]
        assert later.get(b"surrogate-control") == b"max-age=9"


@pytest.mark.parametrize(
    ("answer", "split", "body"),
    [(CHUNKED, {"1.0.0": 1}, b"ok"), (JSON, {"2.0.0": 1}, b'{"a":1}')],
    ids=["in pieces", "adapted"],
)
def test_answers_in_pieces_and_adapted_ones_set_it_too(answer: bytes, split: dict[str, int], body: bytes) -> None:
    with world(serve(answer), spec=lambda port: visited(port, split=split)) as here:
        first = here.ask(get())
        assert (first.body, first.all(b"cache-control")) == (body, [b"private"])
        assert here.ask(get(cookie_of(first))).get(b"set-cookie") is None


def test_an_error_of_our_own_sets_it_since_the_request_counts() -> None:
    with world(spec=lambda _port: visited(nobody())) as here:
        response = here.ask(get())
        assert (response.status, response.all(b"cache-control")) == (502, [b"no-store"])
        cookie_of(response)


def test_a_request_that_is_chosen_again_stays_the_same_visitors() -> None:
    even = {"1.0.0": 50, "2.0.0": 50}
    with world(spec=lambda port: visited(nobody(), port, even), frozen=True) as here:
        for _ in range(20):
            response = here.ask(get())
            assert response.get(b"x-model-served") == b"2.0.0"
            assert len(response.all(b"set-cookie")) == 1
            here.clock.advance(2)
        seen = Counter(served(here))
        assert set(seen) == {("1.0.0", "2.0.0", "unhealthy"), ("2.0.0", "2.0.0", "split")}


def test_who_has_an_earlier_key_gets_none() -> None:
    with world(spec=lambda port: visited(port, before=(KeySource(header="x-user-id"),))) as here:
        assert here.ask(get(X_User_Id="7")).get(b"set-cookie") is None
        assert here.ask(get()).get(b"set-cookie") is not None


def test_a_version_without_weight_drains_and_keeps_its_own() -> None:
    plain = Step(source="2.0.0", target="1.0.0")
    with world(spec=lambda port: visited(port, split={"1.0.0": 50, "2.0.0": 50}, step=plain, drain="sticky")) as here:
        answers = [here.ask(get()) for _ in range(30)]
        here.sidecar.reload(visited(here.upstream.port, split={"1.0.0": 100, "2.0.0": 0}, step=plain, drain="sticky"))
        for answer in answers:
            kept = here.ask(get(cookie_of(answer)))
            assert kept.get(b"x-model-served") == answer.get(b"x-model-served")
            assert kept.get(b"set-cookie") is None
        assert {here.ask(get()).get(b"x-model-served") for _ in range(30)} == {b"1.0.0"}
        reasons = Counter(line["reason"] for line in here.sidecar.log()[30:60])
        assert set(reasons) == {"split", "kept"}
        here.sidecar.reload(visited(here.upstream.port, split={"1.0.0": 100, "2.0.0": 0}, step=plain))
        assert {here.ask(get(cookie_of(answer))).get(b"x-model-served") for answer in answers} == {b"1.0.0"}


def test_a_version_that_is_not_there_gives_way_by_the_list_in_the_clients_shape() -> None:
    def spec(first: int, second: int) -> SnapshotSpec:
        chains = tuple(Chain(served=one, pinned="1.0.0", steps=(STEP,)) for one in ("2.0.0", "3.0.0", "4.0.0"))
        ports = {"1.0.0": first, "2.0.0": first, "3.0.0": second, "4.0.0": nobody()}
        model = specs.model(*(specs.version(one, port) for one, port in ports.items()), chains=chains)
        rule = Rule(name="all", split=(("4.0.0", 90), ("1.0.0", 10)), instead=("3.0.0", "2.0.0"))
        return specs.snapshot(specs.route({}, rules=(rule,), key=(KeySource(header="x-user-id"),)), models=[model])

    with world(serve(JSON), spec=spec, upstreams=2) as here:
        for user in range(20):
            assert here.ask(get(X_User_Id=str(user))).status == 200
        seen = served(here)
        assert set(seen) == {("4.0.0", "3.0.0", "unhealthy"), ("1.0.0", "1.0.0", "split")}
        assert here.sidecar.metric(
            "stepdown_requests_total", assigned="4.0.0", served="3.0.0", reason="unhealthy"
        ) == seen.count(("4.0.0", "3.0.0", "unhealthy"))
        moved = str(next(user for user, (assigned, *_) in enumerate(seen) if assigned == "4.0.0"))
        assert here.ask(get(X_User_Id=moved)).body == b'{"a":1}'
        here.upstreams[1].stop()
        answer = here.ask(get(X_User_Id=moved))
        assert (answer.body, answer.get(b"x-model-served")) == (b'{"a":1}', b"2.0.0")


def test_requests_without_a_key_go_in_turn_where_the_rule_says_so() -> None:
    def spec(port: int) -> SnapshotSpec:
        model = specs.model(
            specs.version("1.0.0", port),
            specs.version("2.0.0", port),
            chains=(Chain(served="2.0.0", pinned="1.0.0", steps=()),),
        )
        rule = Rule(name="all", split=(("1.0.0", 3), ("2.0.0", 1)), smooth=True)
        return specs.snapshot(specs.route({}, rules=(rule,)), models=[model])

    with world(serve(OK), spec=spec) as here, here.client() as client:
        versions = []
        for _ in range(41):
            client.send(get())
            versions.append(client.response().get(b"x-model-served"))
        for start in range(37):
            assert versions[start : start + 4].count(b"2.0.0") == 1
