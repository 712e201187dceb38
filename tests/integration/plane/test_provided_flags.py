"""Flags of a provider on the data plane: known, not known, waited for; with a controller that a test plays."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

import pytest

from stepdown.decide import spec
from stepdown.decide.answers import STALE_TTLS
from stepdown.decide.flag_questions import Answer, Question, refusal
from stepdown.decide.flag_spec import FlagRule, Flags, NamedFact, Provided, ProvidedFlag
from stepdown.decide.when import FlagIs
from stepdown.plane import flag_desk
from stepdown.plane.flag_desk import LONGEST_CONTEXT
from tests.kit import specs
from tests.kit.client import Client, Response
from tests.kit.looping import PATIENCE, eventually
from tests.kit.upstream import Request, serve
from tests.kit.world import World, world

TTL = 5.0
LONG = 20.0
"""Seconds of `first_wait` where the test ends the wait; the file would not allow it."""


def provided(*ports: int, first_wait: float = 0.0, second: bool = False, **more: Any) -> spec.SnapshotSpec:
    """1.0.0 unless the flag `ranker` says new; with `second`, `beta` is asked before it."""
    step = spec.Step(source="2.0.0", target="1.0.0")
    model = specs.model(
        specs.version("1.0.0", ports[0]),
        specs.version("2.0.0", ports[1]),
        chains=(spec.Chain(served="2.0.0", pinned="1.0.0", steps=(step,)),),
    )
    split = (("1.0.0", 1), ("2.0.0", 0))
    by_flag = FlagRule(flag="ranker", versions=(("new", "2.0.0"), ("old", "1.0.0")), default="1.0.0")
    rules = (spec.Rule(name="all", split=split, flag=by_flag),)
    if second:
        rules = (spec.Rule(name="beta", when=FlagIs(flag="beta"), split=(("2.0.0", 1),)), *rules)
    flags = Flags(
        context=(NamedFact("email", "header", "x-email"),),
        provided=Provided(
            provider="shop:make",
            flags=(ProvidedFlag("ranker", "string", ("new", "old")), ProvidedFlag("beta", "boolean")),
            ttl=TTL,
            first_wait=first_wait,
        ),
    )
    key = more.pop("key", (spec.KeySource(header="x-user-id"),))
    return specs.snapshot(specs.route({}, rules=rules, key=key, **more), models=[model], flags=flags)


def answer(request: Request) -> bytes:
    body = request.get(b"host") or b""
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)


class Controller:
    """Hears what the worker asks, and answers when a test wants it to."""

    def __init__(self, here: World) -> None:
        self._here = here
        self.questions: list[Question] = []
        self.batches = 0
        self.says: Callable[[Question], Answer | None] = lambda _question: None
        """What is answered at once; `None`: nothing is."""
        self.link()

    def link(self) -> None:
        self._here.thread.run(lambda: self._here.sidecar.plane.desk.link(self._hear))

    def unlink(self) -> None:
        self._here.thread.run(lambda: self._here.sidecar.plane.desk.link(None))

    def _hear(self, questions: Sequence[Question]) -> None:
        self.batches += 1
        self.questions += questions
        answers = [said for question in questions if (said := self.says(question)) is not None]
        if answers:
            self._here.sidecar.plane.desk.take(answers)

    def take(self, *answers: Answer) -> None:
        self._here.thread.run(lambda: self._here.sidecar.plane.desk.take(answers))

    def changed(self) -> None:
        self._here.thread.run(self._here.sidecar.plane.desk.changed)

    def asked(self, count: int) -> list[Question]:
        assert eventually(lambda: len(self.questions) >= count)
        return self.questions


def says(variant: str) -> Callable[[Question], Answer]:
    return lambda question: Answer(question.ticket, variant == "true" or variant, variant, "TARGETING_MATCH")


@contextmanager
def sidecar(**options: Any) -> Iterator[tuple[World, Controller]]:
    with world(serve(answer), spec=partial(provided, **options), upstreams=2, frozen=True) as here:
        yield here, Controller(here)


def head(user: str = "ann", *lines: str, length: int = 0) -> bytes:
    fields = [f"X-User-Id: {user}"] if user else []
    return "\r\n".join(("POST / HTTP/1.1", "Host: a", *fields, *lines, f"Content-Length: {length}", "", "")).encode()


def served(response: Response) -> str:
    assert response.status == 200, response
    return (response.get(b"x-model-served") or b"").decode()


def counted(here: World, **labels: str) -> float:
    return here.sidecar.metric("stepdown_flag_evaluations_total", **labels)


# --- without a wait -------------------------------------------------------------------------------------------------


def test_the_first_request_takes_the_default_and_the_next_one_the_answer() -> None:
    with sidecar() as (here, controller):
        assert served(here.ask(head("ann", "X-Email: a@b"), "POST")) == "1.0.0"
        [question] = controller.asked(1)
        assert question == Question(question.ticket, "ranker", "string", "ann", (("email", "a@b"),))
        assert served(here.ask(head("ann", "X-Email: a@b"), "POST")) == "1.0.0"
        controller.take(says("new")(question))
        assert served(here.ask(head("ann", "X-Email: a@b"), "POST")) == "2.0.0"
        assert len(controller.questions) == 1, "one question for a key, however many requests have it"
        assert served(here.ask(head("ann"), "POST")) == "1.0.0", "other facts are another question"
        assert counted(here, reason="CACHE_MISS", variant="none") == 3
        assert counted(here, reason="TARGETING_MATCH", variant="new") == 1


def test_requests_of_one_turn_are_asked_in_one_batch() -> None:
    with sidecar() as (here, controller), ExitStack() as stack:
        clients = [stack.enter_context(here.client()) for _ in range(20)]
        assert eventually(lambda: here.sidecar.status()["connections"] == 20)
        busy = threading.Event()
        here.thread.loop.call_soon_threadsafe(busy.wait, PATIENCE)
        for number, client in enumerate(clients):
            client.send(head(f"u{number}"))
        busy.set()
        for client in clients:
            client.response("POST")
        controller.asked(20)
        assert controller.batches < 10


def test_a_stale_answer_is_used_while_it_is_asked_anew_but_not_for_ever() -> None:
    with sidecar() as (here, controller):
        controller.says = says("new")
        here.ask(head(), "POST")
        controller.asked(1)
        controller.says = lambda _question: None
        here.clock.advance(TTL - 0.1)
        assert served(here.ask(head(), "POST")) == "2.0.0"
        assert len(controller.questions) == 1
        here.clock.advance(0.2)
        assert served(here.ask(head(), "POST")) == "2.0.0"
        assert counted(here, reason="STALE", variant="new") == 1
        question = controller.asked(2)[-1]
        controller.take(says("old")(question))
        assert served(here.ask(head(), "POST")) == "1.0.0"
        assert counted(here, reason="TARGETING_MATCH", variant="old") == 1
        here.clock.advance(STALE_TTLS * TTL + 1)
        assert served(here.ask(head(), "POST")) == "1.0.0"
        assert counted(here, reason="CACHE_MISS") == 2


def test_failures_are_counted_and_asked_again_after_a_ttl_only() -> None:
    with sidecar() as (here, controller):
        controller.says = lambda question: Answer(question.ticket, error="GENERAL", message="it is down")
        here.ask(head(), "POST")
        controller.asked(1)
        for _ in range(5):
            assert served(here.ask(head(), "POST")) == "1.0.0"
        assert len(controller.questions) == 1
        assert counted(here, reason="ERROR", variant="none") == 5
        here.clock.advance(TTL)
        here.ask(head(), "POST")
        controller.asked(2)


def test_an_hour_of_failures_moves_users_to_the_default_and_back() -> None:
    with sidecar() as (here, controller):
        controller.says = says("new")
        here.ask(head(), "POST")
        controller.asked(1)
        assert served(here.ask(head(), "POST")) == "2.0.0"
        controller.says = lambda question: Answer(question.ticket, error="GENERAL", message="it is down")
        seen = []
        for _minute in range(60):
            here.clock.advance(60.0 / 5)
            seen.append(served(here.ask(head(), "POST")))
        assert seen == ["2.0.0"] * 4 + ["1.0.0"] * 56, "at most twelve times its ttl old"
        controller.says = says("new")
        here.clock.advance(TTL)
        here.ask(head(), "POST")
        assert eventually(lambda: served(here.ask(head(), "POST")) == "2.0.0")


def test_a_refused_question_is_asked_again_soon() -> None:
    with sidecar() as (here, controller):
        controller.says = lambda question: refusal(question.ticket, "the provider has not started")
        here.ask(head(), "POST")
        controller.asked(1)
        here.ask(head(), "POST")
        here.clock.advance(1.0)
        here.ask(head(), "POST")
        assert len(controller.asked(2)) == 2


def test_changed_flags_are_asked_anew_at_once() -> None:
    with sidecar() as (here, controller):
        controller.says = says("new")
        here.ask(head(), "POST")
        controller.asked(1)
        controller.says = says("old")
        controller.changed()
        assert served(here.ask(head(), "POST")) == "2.0.0", "once more, until the new answer is there"
        controller.asked(2)
        assert served(here.ask(head(), "POST")) == "1.0.0"


def test_without_a_controller_known_answers_count_and_the_rest_is_the_default() -> None:
    with sidecar() as (here, controller):
        controller.says = says("new")
        here.ask(head(), "POST")
        controller.asked(1)
        controller.unlink()
        here.clock.advance(TTL + 1)
        assert served(here.ask(head(), "POST")) == "2.0.0"
        assert served(here.ask(head("bob"), "POST")) == "1.0.0"
        assert counted(here, reason="CACHE_MISS") == 2
        controller.link()
        assert served(here.ask(head("bob"), "POST")) == "1.0.0"
        controller.asked(2)
        assert served(here.ask(head("bob"), "POST")) == "2.0.0"


def test_a_new_controller_is_asked_anew_because_what_the_last_one_said_may_have_changed() -> None:
    with sidecar() as (here, controller):
        controller.says = says("new")
        here.ask(head(), "POST")
        controller.asked(1)
        controller.unlink()
        assert served(here.ask(head(), "POST")) == "2.0.0"
        controller.says = says("old")
        controller.link()
        assert served(here.ask(head(), "POST")) == "2.0.0", "once more, until the new answer is there"
        controller.asked(2)
        assert served(here.ask(head(), "POST")) == "1.0.0"


def test_a_question_whose_answer_never_comes_is_asked_again() -> None:
    with sidecar() as (here, controller):
        here.ask(head(), "POST")
        controller.asked(1)
        here.clock.advance(4.0)
        here.ask(head(), "POST")
        assert len(controller.questions) == 1
        here.clock.advance(2.0)
        here.ask(head(), "POST")
        first, second = controller.asked(2)
        controller.take(says("old")(first))
        assert counted(here, variant="old") == 0
        controller.take(says("new")(second))
        assert served(here.ask(head(), "POST")) == "2.0.0"


def test_only_so_many_questions_are_open_and_the_rest_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flag_desk, "MOST_QUESTIONS", 10)
    with sidecar() as (here, controller):
        for number in range(15):
            assert served(here.ask(head(f"u{number}"), "POST")) == "1.0.0"
        assert len(controller.questions) == 10
        assert here.sidecar.metric("stepdown_flag_questions_unasked_total") == 5
        here.clock.advance(6.0)
        here.ask(head("u99"), "POST")
        controller.asked(11)


def test_facts_that_are_too_long_are_not_asked() -> None:
    with sidecar() as (here, controller):
        assert served(here.ask(head("ann", f"X-Email: {'x' * LONGEST_CONTEXT}"), "POST")) == "1.0.0"
        assert counted(here, reason="ERROR") == 1
        assert controller.questions == []


def test_made_up_variants_take_the_default_and_make_no_series() -> None:
    with sidecar() as (here, controller):
        controller.says = lambda question: Answer(question.ticket, None, f"v-{question.key}", "STATIC")
        for number in range(20):
            here.ask(head(f"u{number}"), "POST")
            controller.asked(number + 1)
            assert served(here.ask(head(f"u{number}"), "POST")) == "1.0.0"
        assert counted(here, reason="STATIC", variant="other") == 20


def test_a_reload_forgets_no_answer() -> None:
    with sidecar() as (here, controller):
        controller.says = says("new")
        here.ask(head(), "POST")
        controller.asked(1)
        ports = [one.port for one in here.upstreams]
        here.sidecar.reload(provided(*ports, key=(spec.KeySource(header="x-user-id"), spec.KeySource(cookie="c"))))
        assert served(here.ask(head(), "POST")) == "2.0.0"
        assert len(controller.questions) == 1


# --- with a wait ----------------------------------------------------------------------------------------------------


def test_a_request_that_waits_gets_what_the_provider_says() -> None:
    with sidecar(first_wait=LONG) as (here, controller), here.client() as client:
        client.send(head())
        [question] = controller.asked(1)
        assert client.is_quiet()
        controller.take(says("new")(question))
        assert served(client.response("POST")) == "2.0.0"
        client.send(head())
        assert served(client.response("POST")) == "2.0.0", "known by now"
        assert counted(here) == counted(here, reason="TARGETING_MATCH", variant="new") == 2
        assert here.sidecar.metric("stepdown_flag_waits_total", result="answered") == 1


def test_a_wait_that_is_over_takes_the_default() -> None:
    with sidecar(first_wait=0.01) as (here, controller):
        assert served(here.ask(head(), "POST")) == "1.0.0"
        [question] = controller.asked(1)
        assert counted(here) == counted(here, reason="CACHE_MISS", variant="none") == 1
        assert here.sidecar.metric("stepdown_flag_waits_total", result="over") == 1
        controller.take(says("new")(question))
        assert served(here.ask(head(), "POST")) == "2.0.0"


def test_a_failure_ends_the_wait() -> None:
    with sidecar(first_wait=LONG) as (here, controller):
        controller.says = lambda question: Answer(question.ticket, error="GENERAL", message="it is down")
        assert served(here.ask(head(), "POST")) == "1.0.0"
        assert counted(here) == counted(here, reason="ERROR") == 1


def test_without_a_controller_nobody_waits() -> None:
    with sidecar(first_wait=LONG) as (here, controller):
        controller.unlink()
        assert served(here.ask(head(), "POST")) == "1.0.0"
        assert here.sidecar.metric("stepdown_flag_waits_total") == 0
        assert counted(here, reason="CACHE_MISS") == 1


def test_two_flags_are_waited_for_one_after_the_other_within_one_time() -> None:
    with sidecar(first_wait=LONG, second=True) as (here, controller):
        controller.says = lambda question: says("false" if question.flag == "beta" else "new")(question)
        assert served(here.ask(head(), "POST")) == "2.0.0"
        assert [question.flag for question in controller.questions] == ["beta", "ranker"]
        assert counted(here, flag="beta") == counted(here, flag="ranker") == 1


def test_one_key_ends_the_wait_of_all_who_have_it() -> None:
    with sidecar(first_wait=LONG) as (here, controller):
        clients = [here.client() for _ in range(5)]
        for client in clients:
            client.send(head())
        [question] = controller.asked(1)
        controller.take(says("new")(question))
        assert [served(client.response("POST")) for client in clients] == ["2.0.0"] * 5
        for client in clients:
            client.close()


def test_a_body_may_come_while_its_request_waits() -> None:
    with sidecar(first_wait=LONG) as (here, controller), here.client() as client:
        body = bytes(range(256)) * 4096  # 1 MiB: more than is kept while nobody can take it
        client.send(head(length=len(body)) + body[:100])
        [question] = controller.asked(1)
        client.send(body[100:70_000])
        controller.take(says("new")(question))
        client.send(body[70_000:])
        assert served(client.response("POST")) == "2.0.0"
        [request] = here.upstreams[1].requests
        assert request.body == body


def test_a_large_body_does_not_fill_memory_while_its_request_waits() -> None:
    with sidecar(first_wait=LONG) as (here, controller), Client(here.sidecar.port, timeout=0.5) as client:
        body = bytes(32 * 1024 * 1024)
        client.send(head(length=len(body)))
        [question] = controller.asked(1)
        with pytest.raises(TimeoutError):
            client.socket.sendall(body)
        [connection] = here.sidecar.plane.clients
        assert connection.exchange is not None
        assert len(connection.exchange.body) < 1024 * 1024
        controller.take(says("new")(question))


def test_a_client_that_leaves_while_it_waits_takes_its_request_along() -> None:
    with sidecar(first_wait=LONG) as (here, controller):
        client = here.client()
        client.send(head())
        [question] = controller.asked(1)
        client.close()
        assert eventually(lambda: here.sidecar.status()["connections"] == 0)
        controller.take(says("new")(question))
        assert here.sidecar.status()["active"] == 0
        assert here.upstreams[0].requests == here.upstreams[1].requests == []
        (line,) = here.sidecar.log()
        assert (line["status"], line["error"]) == (499, "client-gone")


def test_what_comes_behind_a_request_that_waits_keeps_its_order() -> None:
    with sidecar(first_wait=LONG) as (here, controller), here.client() as client:
        client.send(head("ann") + head("bob"))
        [question] = controller.asked(1)
        controller.take(says("new")(question))
        assert served(client.response("POST")) == "2.0.0"
        controller.take(says("old")(controller.asked(2)[1]))
        assert served(client.response("POST")) == "1.0.0"


def test_so_many_may_wait_and_the_others_take_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flag_desk, "MOST_WAITING", 3)
    with sidecar(first_wait=LONG) as (here, controller):
        clients = [here.client() for _ in range(3)]
        for number, client in enumerate(clients):
            client.send(head(f"u{number}"))
        controller.asked(3)
        assert served(here.ask(head("late"), "POST")) == "1.0.0"
        assert here.sidecar.metric("stepdown_flag_waits_total", result="crowded") == 1
        for question in controller.asked(4)[:3]:
            controller.take(says("new")(question))
        assert [served(client.response("POST")) for client in clients] == ["2.0.0"] * 3
        for client in clients:
            client.close()


def test_a_request_that_cannot_be_served_is_told_so_after_its_wait() -> None:
    with sidecar(first_wait=LONG) as (here, controller), here.client() as client:
        client.send(head("ann", "X-Model-Version: 9"))
        for question in controller.asked(1):
            controller.take(says("new")(question))
        assert client.response("POST").status == 406


def test_a_new_visitor_keeps_the_key_that_was_asked_for() -> None:
    cookie = spec.SetCookie(secrets=("a-secret-of-some-length",), ttl=1000)
    key = (spec.KeySource(cookie="uid", set_cookie=cookie),)
    with sidecar(first_wait=LONG, key=key) as (here, controller), here.client() as client:
        client.send(head(""))
        [question] = controller.asked(1)
        assert question.key
        controller.take(says("new")(question))
        response = client.response("POST")
        assert served(response) == "2.0.0"
        line = response.get(b"set-cookie") or b""
        assert question.key.encode() in line
        client.send(head("", f"Cookie: {line.decode().partition(';')[0]}"))
        assert served(client.response("POST")) == "2.0.0"
        assert len(controller.questions) == 1


def test_a_drain_waits_for_those_who_wait() -> None:
    with sidecar(first_wait=LONG) as (here, controller), here.client() as client:
        client.send(head())
        [question] = controller.asked(1)
        here.thread.loop.call_soon_threadsafe(lambda: [one.drain() for one in here.sidecar.plane.clients])
        controller.take(says("new")(question))
        response = client.response("POST")
        assert served(response) == "2.0.0"
        assert client.until_close()[1] == "fin"


assert PATIENCE >= LONG
