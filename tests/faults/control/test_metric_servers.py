"""Servers of metrics that misbehave: each way ends in a reason, none in an exception, none in a pass."""

from __future__ import annotations

import asyncio
import gzip
import re
import ssl

import pytest
import trustme
from yarl import URL

from stepdown.control.metrics.asking import MOST_BYTES, Asker, Inconclusive
from stepdown.control.metrics.prometheus import Prometheus, Server
from stepdown.rollout.batch import Arm
from stepdown.rollout.counts import Arms, Counted, Measurement
from stepdown.rollout.queries import CountQueries, Place
from tests.kit.looping import PATIENCE, Gate, LoopThread
from tests.kit.metrics import NOW, Servers, answer, by_query, servers, vector
from tests.kit.upstream import Blackhole, Peer, Script, Upstream, exact, serve, silent, then_fin, then_reset

QUERIES: dict[Arm, CountQueries] = {
    "candidate": CountQueries("events_{{arm}}", "trials_{{arm}}", "fresh_{{arm}}"),
    "stable": CountQueries("events_{{arm}}", "trials_{{arm}}", "fresh_{{arm}}", "known_{{arm}}"),
}
PLACE = Place("churn-2", 1, candidate="2.0.0", stable="1.1.0", since=NOW - 600)
GOOD = {
    "events_candidate": "3", "trials_candidate": "100", "events_stable": "30.4", "trials_stable": "1899.6",
    "fresh": str(NOW - 15),
    "known_stable": "3",
}  # fmt: skip
COUNTED = Counted(events=Arms(candidate=3, stable=30), trials=Arms(candidate=100, stable=1900))


def counts(running: Servers, timeout: float = PATIENCE, *, parts: bool = False) -> Counted | Inconclusive:
    """What all servers together give."""
    named = [Server(url, timeout=timeout) for url in running.urls]
    return running.ask(lambda asker: Prometheus(asker, named, parts=parts).counts(QUERIES, PLACE, NOW))


def measure(running: Servers, timeout: float = PATIENCE, *, as_is: bool = False) -> Measurement:
    named = [Server(url, timeout=timeout) for url in running.urls]
    return running.ask(lambda asker: Prometheus(asker, named).measure("up", NOW, as_is=as_is))


def endless() -> Script:
    """Sends a body that never ends."""

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            await peer.send(b"10000\r\n" + b" " * 65536 + b"\r\n")

    return script


def dripping() -> Script:
    """Says that more is to come, and never sends it."""
    return exact(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")


HANGING = (silent(), dripping())
MISBEHAVING: dict[str, tuple[Script, str]] = {
    "an error": (serve(answer("", 500)), "it answers 500"),
    "a page with 200": (serve(answer("<html>Log in</html>", kind="text/html")), "none of Prometheus' answers"),
    "a page with 503": (serve(answer("<html>", 503, kind="text/html")), "it answers 503"),
    "not a number": (serve(answer(vector("NaN"))), "the value is NaN"),
    "infinity": (serve(answer(vector("+Inf"))), "the value is +Inf"),
    "no series": (serve(answer(vector())), "it has no series"),
    "two series": (serve(answer(vector("1", "2"))), "it has 2 series"),
    "a warning": (serve(answer(vector("1", warnings=["a store is unreachable"]))), "it warns: a store is unreachable"),
    "an old sample": (serve(answer(vector("1", at=NOW - 301))), "answers about 301 s ago"),
    "a sample of the future": (serve(answer(vector("1", at=NOW + 301))), "answers about -301 s ago"),
    "10 MB": (serve(answer(b" " * 10_000_000)), f"more than {MOST_BYTES} bytes"),
    "no end": (endless(), f"more than {MOST_BYTES} bytes"),
    "a redirect": (serve(answer("", 302, Location="http://127.0.0.1:1/login")), "a redirect (302), which is not"),
    "a compressed answer": (serve(answer(gzip.compress(vector("1").encode()), Content_Encoding="gzip")), "compressed"),
    "no HTTP": (then_fin(b"SSH-2.0-OpenSSH_9.2\r\n"), "what it answers is not HTTP"),
    "nothing": (then_fin(b""), "the connection ended before the answer did"),
    "half a head": (then_fin(b"HTTP/1.1 200 OK\r\nContent-"), ""),
    "a cut answer": (then_fin(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"), "the answer was cut"),
    "broken chunks": (then_fin(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"), ""),
    "an endless head": (then_fin(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 1_000_000), "what it answers is not HTTP"),
    "a huge length": (then_fin(b"HTTP/1.1 200 OK\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n"), ""),
}  # fmt: skip


@pytest.mark.parametrize("way", MISBEHAVING)
def test_whatever_a_server_answers_wrongly_is_inconclusive_with_its_reason(way: str) -> None:
    script, said = MISBEHAVING[way]
    with servers(script) as running:
        found, value = counts(running), measure(running)
    assert isinstance(found, Inconclusive)
    assert said in found.reason
    assert value.value is None
    assert said in value.error
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+: [^\n]{5,300}", value.error)


@pytest.mark.parametrize("script", HANGING)
def test_a_server_that_hangs_is_given_up_after_its_timeout(script: Script) -> None:
    with servers(script) as running:
        found = counts(running, timeout=0.2)
    assert isinstance(found, Inconclusive)
    assert "no answer within 0.2 s" in found.reason


def test_a_server_that_nobody_can_connect_to_is_given_up_after_its_timeout() -> None:
    with servers() as running, Blackhole() as hole:
        url = URL(f"http://127.0.0.1:{hole.port}")
        assert running.ask(lambda asker: asker.ask(url, timeout=0.2)) == Inconclusive("no answer within 0.2 s")


def test_a_server_that_is_not_there_is_inconclusive() -> None:
    with servers(silent()) as running:
        running.upstreams[0].stop()
        value = measure(running)
        running.upstreams[0].start()
    assert "no connection: " in value.error


def test_a_server_that_resets_is_inconclusive() -> None:
    gate = Gate()
    gate.open()
    with servers(then_reset(b"HTTP/1.1 200 OK\r\n", gate)) as running:
        assert "connection" in measure(running).error


def test_a_good_server_gives_counts_for_both_arms() -> None:
    with servers(by_query(GOOD)) as running:
        assert counts(running) == COUNTED
        targets = [URL(request.target.decode()) for request in running.upstreams[0].requests]
    assert {target.path for target in targets} == {"/api/v1/query"}
    assert {target.query["time"] for target in targets} == {"1800000000.000"}
    assert len({target.query["query"] for target in targets}) == 7


@pytest.mark.parametrize(("change", "said"), [
    ({"trials_stable": "NaN"}, "stable: trials: the value is NaN"),
    ({"events_candidate": "-4"}, "candidate: events: the value is -4, which is no count"),
    ({"events_candidate": "150"}, "candidate: there are more events (150) than trials (100)"),
    ({"fresh": str(NOW - 301)}, "candidate: the newest sample is 301 s old, stable: the newest sample is 301 s old"),
    ({"fresh": "NaN"}, "the value is NaN"),
])  # fmt: skip
def test_one_number_that_is_wrong_makes_the_whole_reading_inconclusive(change: dict[str, str], said: str) -> None:
    with servers(by_query(GOOD | change)) as running:
        found = counts(running)
    assert isinstance(found, Inconclusive)
    assert said in found.reason


def test_events_that_an_estimate_puts_a_little_above_their_trials_are_as_many() -> None:
    with servers(by_query(GOOD | {"events_candidate": "100.6"})) as running:
        found = counts(running)
    assert isinstance(found, Counted)
    assert found.events.candidate == 100


def test_the_next_server_is_asked_for_what_the_first_cannot_say() -> None:
    for first in (serve(answer("", 500)), serve(answer(vector())), by_query(GOOD | {"trials_stable": "NaN"})):
        with servers(first, by_query(GOOD)) as running:
            assert counts(running) == COUNTED
            assert len(running.upstreams[1].requests) == 7


def test_the_first_usable_reading_counts_and_nobody_else_is_asked() -> None:
    with servers(by_query(GOOD), by_query(GOOD | {"events_candidate": "99"})) as running:
        assert counts(running) == COUNTED
        assert measure_single(running) == ("3",)
        assert running.upstreams[1].requests == []


def test_of_servers_that_each_know_a_part_all_are_asked_and_counts_add_up() -> None:
    with servers(by_query(GOOD), by_query(GOOD | {"events_candidate": "9"})) as running:
        found = counts(running, parts=True)
        assert [len(upstream.requests) for upstream in running.upstreams] == [7, 7]
    assert found == Counted(events=Arms(candidate=12, stable=60), trials=Arms(candidate=200, stable=3800))


def test_a_part_that_cannot_be_read_leaves_nothing_to_say_and_is_named() -> None:
    with servers(by_query(GOOD), serve(answer("", 500)), by_query(GOOD)) as running:
        found = counts(running, parts=True)
        named = f"http://127.0.0.1:{running.urls[1].port}: candidate: events: it answers 500"
    assert isinstance(found, Inconclusive)
    assert found.reason.startswith(named)
    assert ";" not in found.reason


def test_where_only_the_candidate_is_asked_about_stable_has_nothing() -> None:
    with servers(by_query(GOOD)) as running:
        asked = {"candidate": QUERIES["candidate"]}
        found = running.ask(lambda asker: Prometheus(asker, [Server(running.urls[0])]).counts(asked, PLACE, NOW))
        assert len(running.upstreams[0].requests) == 3
    assert found == Counted(events=Arms(candidate=3), trials=Arms(candidate=100))


def measure_single(running: Servers) -> object:
    named = [Server(url) for url in running.urls]
    return running.ask(lambda asker: Prometheus(asker, named).measure("events_candidate", NOW)).value


def test_where_no_server_is_usable_each_is_named_with_its_reason() -> None:
    with servers(serve(answer("", 500)), serve(answer(vector()))) as running:
        first, second = measure(running).error.split("; ")
        assert first == f"{running.urls[0]}: it answers 500".replace("/:", ":")
        assert second.startswith(f"{running.urls[1]}: it has no series".replace("/:", ":"))


def test_without_a_server_nothing_is_known() -> None:
    with servers() as running:
        assert counts(running) == Inconclusive("no server is named")
        assert measure(running).error == "no server is named"


@pytest.mark.parametrize(("said", "value"), [
    (vector("NaN"), ("NaN",)), (vector("+Inf", "1"), ("+Inf", "1")), (vector(), ()),
])  # fmt: skip
def test_conditions_that_deal_with_everything_themselves_get_it_as_it_is(said: str, value: tuple[str, ...]) -> None:
    with servers(serve(answer(said))) as running:
        assert measure(running, as_is=True) == Measurement(at=NOW, value=value)


def test_a_base_with_a_path_a_query_and_a_password_is_asked_with_them_and_shown_without() -> None:
    with servers(serve(answer("", 500))) as running:
        url = URL(f"http://me:s3cret@127.0.0.1:{running.urls[0].port}/prometheus?tenant=s3cret")
        server = Server(url, {"X-Scope-OrgID": "s3cret"})
        found = running.ask(lambda asker: Prometheus(asker, [server]).measure("up", NOW))
        (request,) = running.upstreams[0].requests
    assert request.target.startswith(b"/prometheus/api/v1/query?tenant=s3cret&query=up&")
    assert (request.get(b"authorization") or b"").startswith(b"Basic ")
    assert request.get(b"x-scope-orgid") == b"s3cret"
    assert found.error == f"http://127.0.0.1:{url.port}/prometheus: it answers 500"
    assert "s3cret" not in repr(server) + found.error


def test_no_answer_that_is_cut_or_damaged_anywhere_raises_or_is_taken_for_another_number() -> None:
    whole = answer(vector("0.97"))
    number = whole.index(b"0.97")
    wrong = [whole[:place] for place in range(0, len(whole), 5)]
    wrong += [whole[:place] + b"\xff" + whole[place + 1 :] for place in range(0, len(whole), 5)]
    wrong += [whole[:number] + text + whole[number + 4 :] for text in (b"0.9x", b"NaN ", b"\x00\x00\x00\x00")]
    with servers(silent()) as running:
        for one in wrong:
            running.upstreams[0].script = then_fin(one)
            found = measure(running)
            assert found.error or found.value == ("0.97",)
            assert found.error or b"0.97" in one


AUTHORITY = trustme.CA()


def server_side(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context


def trusting(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


def test_a_server_that_the_named_authority_speaks_for_is_trusted() -> None:
    with LoopThread() as thread, Upstream(thread, serve(answer(vector("1"))), tls=server_side(AUTHORITY)) as upstream:
        server = Server(URL(f"https://127.0.0.1:{upstream.port}"), tls=trusting(AUTHORITY))
        found = Servers(thread, [upstream]).ask(lambda asker: Prometheus(asker, [server]).measure("up", NOW))
    assert (found.value, found.error) == (("1",), "")


@pytest.mark.parametrize("tls", [None, trusting(trustme.CA())])
def test_a_server_that_another_authority_speaks_for_is_not(tls: ssl.SSLContext | None) -> None:
    async def ask() -> Measurement:
        listening = await asyncio.start_server(
            lambda _, writer: writer.close(), "127.0.0.1", 0, ssl=server_side(AUTHORITY)
        )
        async with listening, Asker() as asker:
            port = listening.sockets[0].getsockname()[1]
            server = Server(URL(f"https://127.0.0.1:{port}"), tls=tls)
            return await Prometheus(asker, [server]).measure("up", NOW)

    assert asyncio.run(ask()).error.endswith(": its certificate is not trusted")
