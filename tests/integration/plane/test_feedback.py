"""Tokens on answers, and what is posted with them: what counts, what is refused and why, when it is acknowledged."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from contextlib import ExitStack
from typing import Any

import msgspec
import pytest

from stepdown.decide.feedback import Claim, Issuer, Verifier
from stepdown.decide.feedback_body import MOST_BYTES
from stepdown.decide.rollout_spec import Ceiling, Hook, MetricServer, Share, Threshold
from stepdown.decide.spec import SnapshotSpec, Timeouts
from stepdown.plane import feedback as endpoint
from stepdown.plane.evidence_books import MOST_WAITING
from tests.kit import specs
from tests.kit.client import Client, Response
from tests.kit.driven import BY_USER, CANDIDATE, FEEDBACK, KEY, NAME, SECRET, STABLE, driven, get, rolling, run_of
from tests.kit.looping import eventually
from tests.kit.upstream import OK, exact, serve, then_fin
from tests.kit.world import World, world

ALL = {"step": 2, "feedback": FEEDBACK}
BEARER = f"Authorization: Bearer {KEY}"
DAY = 86_400.0
CACHED = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nCache-Control: public, max-age=60\r\n\r\nok"


def claim_of(answer: Response) -> Claim:
    """What the token of an answer says."""
    tokens = answer.all(b"x-stepdown-token")
    assert len(tokens) == 1, answer.headers
    claim = Verifier([SECRET], [run_of()]).verify(tokens[0], time.time(), DAY)
    assert isinstance(claim, Claim), claim
    return claim


def post(body: bytes, *lines: str, method: str = "POST", path: str = "/-/stepdown/feedback") -> bytes:
    """A post with these field lines."""
    fields = "".join(f"{line}\r\n" for line in lines)
    return f"{method} {path} HTTP/1.1\r\nHost: a\r\n{fields}Content-Length: {len(body)}\r\n\r\n".encode() + body


def event(token: bytes | str, name: str = "click", **more: Any) -> dict[str, Any]:
    return {"token": token.decode() if isinstance(token, bytes) else token, "event": name, **more}


def batch(items: Iterable[dict[str, Any]]) -> bytes:
    return json.dumps({"events": list(items)}).encode()


def tokens(here: World, *users: str) -> list[bytes]:
    """One of each of these users' answers."""
    found = []
    for user in users:
        token = here.ask(get(user=user)).get(b"x-stepdown-token")
        assert token is not None
        found.append(token)
    return found


def outcomes(here: World) -> dict[str, float]:
    """The outcomes that were counted."""
    known = ("accepted", "duplicate", "unstored", "forged", "foreign", "malformed", "expired", "future", "unreadable")
    found = {name: here.sidecar.metric("stepdown_feedback_total", outcome=name) for name in (*known, "unknown-event")}
    return {name: number for name, number in found.items() if number}


# --- tokens -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("user", ["ann", None], ids=["sticky", "no key"])
def test_an_answer_says_in_its_token_what_it_was_assigned_and_who_served(user: str | None) -> None:
    with rolling(key=BY_USER, feedback=FEEDBACK) as (here, taking):
        for _ in range(8):
            answer = here.ask(get(user=user))
            claim = claim_of(answer)
            assert (claim.run, claim.stage, claim.share) == (run_of(), 1, 0.5)
            assert claim.served == claim.assigned == (answer.get(b"x-model-served") or b"").decode()
        units = {line.unit for sent in taking.settle().received for line in sent.sightings}
        assert units == ({claim.unit} if user else set())


def test_the_token_names_another_version_that_answered_in_the_place_of_the_assigned_one() -> None:
    with rolling(**ALL) as (here, _):
        here.upstreams[1].stop()
        claim = claim_of(here.ask(get()))
        assert (claim.arm, claim.assigned, claim.served) == ("candidate", CANDIDATE, STABLE)


def test_an_answer_with_a_token_is_nobody_elses_and_an_upstreams_own_token_is_dropped() -> None:
    cached = (
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nCache-Control: public, max-age=60\r\nX-Stepdown-Token: x\r\n\r\nok"
    )
    with rolling(serve(cached), **ALL) as (here, _):
        answer = here.ask(get(X_Stepdown_Token="mine", X_Stepdown_Feedback_Key=KEY))
        claim_of(answer)
        assert answer.get(b"cache-control") == b"private, max-age=60"
        [received] = here.upstreams[1].requests
        assert received.get(b"x-stepdown-token") is received.get(b"x-stepdown-feedback-key") is None


def test_without_feedback_and_without_evidence_there_is_no_token_and_caches_are_left_alone() -> None:
    with rolling(serve(CACHED)) as (here, _):
        one, two = (upstream.port for upstream in here.upstreams)
        for spec in (None, driven(one, two, feedback=FEEDBACK, now={"evidence": False})):
            if spec is not None:
                here.sidecar.reload(spec)
            answer = here.ask(get())
            assert answer.get(b"x-stepdown-token") is None
            assert answer.get(b"cache-control") == b"public, max-age=60"


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 200),
        (b"HTTP/1.1 200 OK\r\n\r\nuntil it ends", 200),
        (b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 2\r\n\r\nno", 500),
        (b"HTTP/1.1 nonsense\r\n\r\n", 502),
    ],
    ids=["stream", "closed", "error", "an error of ours"],
)
def test_every_kind_of_answer_carries_one(answer: bytes, status: int) -> None:
    with rolling(then_fin(answer), **ALL) as (here, _):
        response = here.ask(get())
        assert response.status == status
        assert claim_of(response).arm == "candidate"


def test_an_adapted_answer_carries_one_too() -> None:
    json_answer = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 8\r\n\r\n{"b": 1}'
    with rolling(exact(json_answer), response=({"move": {"from": "/b", "to": "/a"}},), **ALL) as (here, _):
        answer = here.ask(get())
        assert answer.body == b'{"a":1}'
        assert claim_of(answer).served == CANDIDATE


# --- what counts ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("show", [BEARER, f"authorization: bearer {KEY}", f"X-Stepdown-Feedback-Key: {KEY}"])
def test_a_click_counts_for_the_stage_and_the_version_of_its_token(show: str) -> None:
    with rolling(key=BY_USER, **ALL) as (here, taking):
        [token] = tokens(here, "ann")
        one, two = (upstream.port for upstream in here.upstreams)
        here.sidecar.reload(driven(one, two, key=BY_USER, step=0, feedback=FEEDBACK))  # whatever is in force by then
        answer = here.ask(post(json.dumps(event(token)).encode(), show))
        assert (answer.status, json.loads(answer.body)) == (
            200,
            {"accepted": 1, "duplicates": 0, "refused": {}, "items": []},
        )
        assert answer.get(b"cache-control") == b"no-store"
        assert taking.store.of("click", 2) == {"candidate": (0, 1)}
        assert here.sidecar.metric("stepdown_feedback_total", rollout=NAME, event="click", outcome="accepted") == 1


def test_each_unit_and_event_counts_once_at_each_stage() -> None:
    with rolling(key=BY_USER, **ALL) as (here, taking):
        ann, again, bob = tokens(here, "ann", "ann", "bob")
        items = [event(ann), event(again), event(ann, "buy", value=19.9), event(bob)]
        answer = json.loads(here.ask(post(batch(items), BEARER)).body)
        assert (answer["accepted"], answer["duplicates"]) == (3, 1)
        answer = json.loads(here.ask(post(batch(items), BEARER)).body)
        assert (answer["accepted"], answer["duplicates"]) == (0, 4)
        assert taking.store.of("click", 2) == {"candidate": (0, 2)}
        assert taking.store.of("buy", 2) == {"candidate": (0, 1)}
        assert outcomes(here) == {"accepted": 3, "duplicate": 5}


def test_lines_of_json_are_a_batch_too() -> None:
    with rolling(**ALL) as (here, taking):
        lines = b"\n".join(json.dumps(event(token)).encode() for token in tokens(here, "a", "b", "c"))
        assert json.loads(here.ask(post(lines, BEARER)).body)["accepted"] == 3
        assert taking.store.of("click", 2) == {"candidate": (0, 3)}


def test_a_batch_as_large_as_may_be_in_pieces_however_small() -> None:
    with rolling(key=BY_USER, **ALL) as (here, taking), here.client() as client:
        found = tokens(here, *map(str, range(20)))
        body = batch(event(found[number % 20], "buy" if number % 2 else "click") for number in range(1000))
        body += b" " * (MOST_BYTES - len(body))
        raw = post(body, BEARER)
        for place in range(0, len(raw), 30_011):
            client.send(raw[place : place + 30_011])
        answer = client.response("POST")
        said = json.loads(answer.body)
        assert (answer.status, said["accepted"] + said["duplicates"]) == (200, 1000)
        assert taking.store.total("click", 2)[1] + taking.store.total("buy", 2)[1] == said["accepted"] == 20
        client.send(get())  # and the connection goes on
        assert client.response().status == 200


def test_a_client_that_asks_may_send_its_body_and_one_in_chunks_is_as_good() -> None:
    with rolling(**ALL) as (here, taking), here.client() as client:
        one, two = (json.dumps(event(token)).encode() for token in tokens(here, "a", "b"))
        head, _, body = post(one, BEARER, "Expect: 100-continue").partition(b"\r\n\r\n")
        client.send(head + b"\r\n\r\n")
        client.receive(b"HTTP/1.1 100 Continue\r\n\r\n")
        client.send(body)
        assert client.response("POST").status == 200
        chunked = post(b"", BEARER).replace(b"Content-Length: 0", b"Transfer-Encoding: chunked")
        client.send(chunked + b"%x\r\n%b\r\n0\r\n\r\n" % (len(two), two))
        assert client.response("POST").status == 200
        assert taking.store.of("click", 2) == {"candidate": (0, 2)}


def test_an_http_1_0_client_that_wants_to_go_on_may() -> None:
    with rolling(**ALL) as (here, _), here.client() as client:
        for token in tokens(here, "a", "b"):
            body = json.dumps(event(token)).encode()
            client.send(post(body, BEARER, "Connection: keep-alive").replace(b"HTTP/1.1", b"HTTP/1.0"))
            answer = client.response("POST")
            assert (answer.status, answer.get(b"connection")) == (200, b"keep-alive")


# --- what is refused --------------------------------------------------------------------------------------------------


def changed(token: bytes, place: int) -> bytes:
    return token[:place] + (b"A" if token[place : place + 1] != b"A" else b"B") + token[place + 1 :]


def issued(at: float, *, secret: str = SECRET, number: int = 1, salt: str = "") -> bytes:
    run = run_of(number, salt=salt) if salt else run_of(number)
    issuer = Issuer(run, secret, stage=2, share=1.0, arm="candidate", served=CANDIDATE)
    return issuer.issue(b"12345678", at)


def test_tokens_that_do_not_count_are_refused_each_with_its_reason() -> None:
    now = time.time()
    with rolling(**ALL) as (here, taking):
        [good] = tokens(here, "ann")
        items = [
            event(good),
            event(changed(good, 40)),
            event(issued(now, secret="somebody else's secret")),
            event(issued(now, number=2)),
            event(issued(now, salt="of a state that was lost")),
            event(issued(now - DAY - 120)),
            event(issued(now + 600)),
            event("nonsense"),
            event(good, "errors"),
            event(good, "nobody-counts-this"),
            {"token": good.decode()},
        ]
        answer = here.ask(post(batch(items), BEARER))
        said = json.loads(answer.body)
        assert answer.status == 200
        assert (said["accepted"], said["duplicates"]) == (1, 0)
        reasons = {
            "forged": 1,
            "foreign": 3,
            "expired": 1,
            "future": 1,
            "malformed": 1,
            "unknown-event": 2,
            "unreadable": 1,
        }
        assert said["refused"] == reasons
        assert [item["item"] for item in said["items"]] == list(range(1, 11))
        assert all(item["detail"] for item in said["items"])
        assert outcomes(here) == {"accepted": 1, **reasons}
        assert taking.store.kinds() == {"click": 1}
        assert here.sidecar.metric("stepdown_feedback_total", event="nobody-counts-this") == 0


def test_what_another_service_counts_cannot_be_posted() -> None:
    server = MetricServer(url="http://127.0.0.1:1")
    guards = (
        Share(name="a", kind="click", must_not="fall"),
        Share(name="b", kind="metric:b", source=Hook(server=server)),
        Ceiling(name="c", kind="complaint", limit=0.1),
        Ceiling(name="d", kind="errors", limit=0.1),
        Threshold(name="e", source=Hook(server=server)),
    )
    spec = driven(1, 2, rollout={"guards": guards})
    assert endpoint.events_of(spec) == {NAME: {"click", "complaint"}}


def test_a_body_of_which_every_item_is_refused_is_unprocessable() -> None:
    with rolling(**ALL) as (here, _):
        answer = here.ask(post(json.dumps(event("nonsense")).encode(), BEARER))
        assert (answer.status, json.loads(answer.body)["refused"]) == (422, {"malformed": 1})


@pytest.mark.parametrize(
    ("raw", "status", "says"),
    [
        (post(b"{}"), 401, "Feedback needs a key"),
        (post(b"{}", "Authorization: Basic abc"), 401, "Feedback needs a key"),
        (post(b"{}", "Authorization: Bearer"), 401, "Feedback needs a key"),
        (post(b"{}", f"Authorization: Bearer {KEY}."), 403, "This key may not post feedback"),
        (post(b"{}", "X-Stepdown-Feedback-Key: x"), 403, "This key may not post feedback"),
        (post(b"", BEARER, method="GET"), 405, "Feedback is posted, and this is GET"),
        (post(b"", BEARER, method="OPTIONS"), 405, "Feedback is posted, and this is OPTIONS"),
        (post(b"no json", BEARER), 400, "the body is not one JSON object"),
        (post(b"", BEARER), 400, "the body is not one JSON object"),
        (post(b'{"events": 1}', BEARER), 400, "`events` is not a list"),
        (post(b"{}", BEARER, "Content-Encoding: gzip"), 415, "without content coding"),
        (post(batch([{}] * 1001), BEARER), 413, "at most 1000 items"),
        (post(b"x" * (MOST_BYTES + 1), BEARER), 413, "at most 1048576 bytes"),
        (
            post(b"", BEARER).replace(b"Content-Length: 0", b"Transfer-Encoding: chunked")
            + (b"10000\r\n" + b"x" * 65536 + b"\r\n") * 17,
            413,
            "at most 1048576 bytes",
        ),
    ],
    ids=[
        "no key",
        "another scheme",
        "an empty key",
        "a wrong key",
        "a wrong key in its field",
        "get",
        "options",
        "no json",
        "nothing",
        "no list",
        "coded",
        "too many",
        "too long",
        "too long in chunks",
    ],
)
def test_what_is_no_feedback_is_refused_with_the_reason(raw: bytes, status: int, says: str) -> None:
    with rolling(**ALL) as (here, taking), here.client() as client:
        client.send_pieces(raw[place : place + 65536] for place in range(0, len(raw), 65536))
        answer = client.response()
        assert answer.status == status
        assert says in json.loads(answer.body)["detail"]
        assert KEY.encode() not in answer.raw
        assert answer.get(b"allow") == (b"POST" if status == 405 else None)
        assert (answer.get(b"www-authenticate") is not None) == (status == 401)
        assert not any(upstream.requests for upstream in here.upstreams)
        assert not taking.settle().received
        assert desk_of(here).open == 0


def desk_of(here: World) -> endpoint.FeedbackDesk:
    desk = here.sidecar.plane.runtime.feedback
    assert desk is not None
    return desk


def test_a_refused_head_is_refused_before_its_body() -> None:
    with rolling(**ALL) as (here, _), here.client() as client:
        client.send(post(b"x" * 100).partition(b"\r\n\r\n")[0] + b"\r\n\r\n")
        assert client.response("POST").status == 401


def test_where_nothing_can_be_posted_the_path_is_a_path_like_any_other() -> None:
    with world(spec=specs.plain) as here:
        assert here.ask(post(b"{}", BEARER), "POST").body == b"ok"
        assert here.upstream.requests[0].target == b"/-/stepdown/feedback"


def test_only_the_path_itself_is_feedback() -> None:
    with rolling(**ALL) as (here, _):
        for path in ("/-/stepdown/feedback/", "/-/stepdown/feedback2", "/x/-/stepdown/feedback"):
            assert here.ask(post(b"{}", BEARER, path=path), "POST").body == b"ok"
        assert here.ask(post(b"{}", path="/-/stepdown/feedback?x=1"), "POST").status == 401
        absolute = post(b"{}", path="http://a/-/stepdown/feedback")
        assert here.ask(absolute, "POST").status == 401


# --- when it is acknowledged ------------------------------------------------------------------------------------------


def test_an_answer_waits_for_the_store() -> None:
    with rolling(key=BY_USER, **ALL) as (here, taking), here.client() as client:
        [token] = tokens(here, "ann")
        taking.settle()
        taking.silent = True
        client.send(post(json.dumps(event(token)).encode(), BEARER))
        assert eventually(lambda: taking.store.kinds()["click"] == 1)
        assert not client.buffer
        assert here.sidecar.metric("stepdown_feedback_total", outcome="accepted") == 0
        sent = taking.store.received[-1]
        here.thread.run(lambda: taking.books.taken(sent.rollout, sent.run, sent.source, sent.sequence))
        assert client.response("POST").status == 200


def test_a_store_that_is_away_is_a_503_and_posting_again_counts_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoint, "STORE_SECONDS", 0.3)
    with rolling(key=BY_USER, **ALL) as (here, taking):
        [token] = tokens(here, "ann")
        taking.settle()
        taking.cut()
        body = post(json.dumps(event(token)).encode(), BEARER)
        for _ in range(3):
            answer = here.ask(body)
            assert (answer.status, answer.get(b"retry-after")) == (503, b"2")
            assert json.loads(answer.body)["type"] == "urn:stepdown:problem:feedback-unavailable"
        assert outcomes(here) == {"unstored": 3}
        assert desk_of(here).open == 0
        monkeypatch.undo()
        taking.link()
        assert here.ask(body).status == 200
        assert taking.settle().of("click", 2) == {"candidate": (0, 1)}


def test_a_sender_that_leaves_leaves_nothing_behind_but_what_it_posted() -> None:
    with rolling(key=BY_USER, **ALL) as (here, taking):
        [token] = tokens(here, "ann")
        taking.settle()
        taking.cut()
        with here.client() as client:
            client.send(post(json.dumps(event(token)).encode(), BEARER))
            assert eventually(lambda: any(book.waiting for book in taking.books))
        with here.client() as client:
            client.send(post(b"x" * 100, BEARER)[:-50])
            assert eventually(lambda: desk_of(here).open == 1)
        assert eventually(lambda: desk_of(here).open == 0)
        taking.link()
        assert taking.settle().of("click", 2) == {"candidate": (0, 1)}


def test_a_body_that_does_not_come_is_a_timeout() -> None:
    patient = {**ALL, "client_timeouts": Timeouts(request_body_idle=0.3)}

    def spec(one: int, two: int, **options: Any) -> SnapshotSpec:
        timeouts = options.pop("client_timeouts")
        return msgspec.structs.replace(driven(one, two, **options), client_timeouts=timeouts)

    with rolling(spec=spec, **patient) as (here, _), here.client() as client:
        client.send(post(b"x" * 100, BEARER)[:-50])
        assert client.response("POST").status == 408
        assert desk_of(here).open == 0


def test_as_many_are_open_at_a_time_as_may_be_and_the_next_one_comes_again() -> None:
    with rolling(**ALL) as (here, _), ExitStack() as stack:
        clients: list[Client] = []
        for _ in range(endpoint.MOST_OPEN):
            client = stack.enter_context(here.client())
            client.send(post(b"x" * 100, BEARER)[:-50])
            clients.append(client)
        assert eventually(lambda: desk_of(here).open == endpoint.MOST_OPEN)
        answer = here.ask(post(b"{}", BEARER))
        assert (answer.status, answer.get(b"retry-after")) == (503, b"2")
        clients[0].send(b"x" * 50)
        assert clients[0].response("POST").status == 400
        assert here.ask(post(b"[]", BEARER)).status == 400


def test_where_there_is_no_room_for_more_nothing_is_taken() -> None:
    with rolling(key=BY_USER, **ALL) as (here, taking):
        ann, bob = tokens(here, "ann", "bob")
        taking.settle()
        taking.cut()
        [book] = list(taking.books)

        def fill() -> None:
            for unit in range(MOST_WAITING - 1):
                book.saw_unit(0, "stable", unit)

        here.thread.run(fill, 60.0)
        answer = here.ask(post(batch([event(ann), event(bob)]), BEARER))
        assert answer.status == 503
        assert book.waiting == MOST_WAITING - 1


def test_a_worker_without_a_store_serves_all_the_same() -> None:
    with rolling(serve(OK), key=BY_USER, **ALL) as (here, taking):
        taking.cut()
        for number in range(20):
            assert here.ask(get(user=str(number))).status == 200
        assert eventually(lambda: here.sidecar.metric("stepdown_evidence_waiting") == 20)
        taking.link()
        assert taking.settle().total("units", 2) == (20, 0)
        assert eventually(lambda: here.sidecar.metric("stepdown_evidence_waiting") == 0)
