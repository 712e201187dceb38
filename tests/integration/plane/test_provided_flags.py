"""Flags of a provider on the data plane: known, not known, stale, failed, and with nobody to ask."""

from __future__ import annotations

import threading
from contextlib import ExitStack

import pytest

from stepdown.decide import spec
from stepdown.decide.answers import STALE_TTLS
from stepdown.decide.flag_questions import Answer, Question, refusal
from stepdown.plane import flag_desk
from stepdown.plane.flag_desk import LONGEST_CONTEXT
from tests.kit.looping import PATIENCE, eventually
from tests.kit.provided_plane import TTL, counted, head, provided, says, served, sidecar


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
