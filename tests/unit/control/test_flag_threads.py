"""Threads that ask a provider: one question for all who ask the same, a time limit, and no heap of hung threads."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import Awaitable, Callable

from stepdown.control.flag_threads import FlagThreads, Told
from stepdown.decide.flag_questions import Answer, Question
from tests.kit.looping import PATIENCE


def question(ticket: int, user: str = "u") -> Question:
    return Question(ticket, "ranker", "string", user)


class Provider:
    """Answers with the key, counts, and waits at a gate if it is told to."""

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()
        self.gate = threading.Event()
        self.gate.set()
        self.error: BaseException | None = None

    def evaluate(self, question: Question) -> Answer:
        user = question.key or ""
        self.asked[user] += 1
        if user.startswith("slow"):
            self.gate.wait(PATIENCE)
        if self.error is not None:
            raise self.error
        return Answer(0, None, f"variant of {user}", "STATIC")


class Threads:
    """What a test asks, and all that came of it."""

    def __init__(self, provider: Provider, seconds: float, threads: int) -> None:
        self.told: list[Told] = []
        self.answers: dict[int, Answer] = {}
        self.threads = FlagThreads(provider.evaluate, seconds, self.told.append, threads)

    def ask(self, *questions: Question) -> None:
        for one in questions:
            self.threads.ask(one, lambda answer: self.answers.update({answer.ticket: answer}))

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not condition():
                await asyncio.sleep(0.002)


def run(play: Callable[[Provider, Threads], Awaitable[None]], *, seconds: float = PATIENCE, threads: int = 2) -> None:
    provider = Provider()

    async def main() -> None:
        made = Threads(provider, seconds, threads)
        try:
            await play(provider, made)
        finally:
            provider.gate.set()
            made.threads.close()

    asyncio.run(main())


def test_who_asks_the_same_shares_one_evaluation() -> None:
    async def play(provider: Provider, made: Threads) -> None:
        provider.gate.clear()
        made.ask(question(1, "slow"), question(2, "slow"), question(3, "b"))
        await made.until(lambda: 3 in made.answers)
        made.ask(question(4, "slow"))
        provider.gate.set()
        await made.until(lambda: len(made.answers) == 4)
        assert {ticket: answer.variant for ticket, answer in made.answers.items()} == {
            1: "variant of slow", 2: "variant of slow", 3: "variant of b", 4: "variant of slow",
        }  # fmt: skip
        assert provider.asked == {"slow": 1, "b": 1}
        assert [told.result for told in made.told] == ["answered", "answered"]

    run(play)


def test_whatever_is_raised_is_an_answer() -> None:
    async def play(provider: Provider, made: Threads) -> None:
        for ticket, error in enumerate((ValueError("no \udc80"), SystemExit(7), KeyboardInterrupt())):
            provider.error = error
            made.ask(question(ticket))
            await made.until(lambda ticket=ticket: ticket in made.answers)  # type: ignore[misc]
        assert [answer.error for answer in made.answers.values()] == ["GENERAL"] * 3
        assert made.answers[0].message == "ValueError: no \\udc80"
        assert [told.result for told in made.told] == ["failed"] * 3
        provider.error = None
        made.ask(question(9))
        await made.until(lambda: 9 in made.answers)
        assert made.answers[9].variant == "variant of u"

    run(play, threads=1)


def test_one_that_hangs_is_late_and_the_others_go_on() -> None:
    async def play(provider: Provider, made: Threads) -> None:
        provider.gate.clear()
        made.ask(question(1, "slow"))
        await made.until(lambda: 1 in made.answers)
        assert (made.answers[1].error, made.answers[1].message) == ("GENERAL", "no answer in 0.05 s")
        assert not made.answers[1].refused
        assert made.threads.hung == 1
        made.ask(question(2, "b"))
        await made.until(lambda: 2 in made.answers)
        assert made.answers[2].variant == "variant of b"
        provider.gate.set()
        await made.until(lambda: made.threads.hung == 0)
        assert [told.result for told in made.told] == ["late", "answered"], "what comes too late is not told again"

    run(play, seconds=0.05)


def test_when_all_hang_questions_are_refused_at_once_and_no_thread_is_added() -> None:
    async def play(provider: Provider, made: Threads) -> None:
        provider.gate.clear()
        before = threading.active_count()
        made.ask(*(question(ticket, f"slow{ticket}") for ticket in range(6)))
        await made.until(lambda: len(made.answers) == 6)
        assert made.threads.hung == 2
        assert len(provider.asked) == 2, "the others waited for a thread until their time was over"
        made.ask(*(question(ticket, f"slow{ticket}") for ticket in range(100, 200)))
        assert all(made.answers[ticket].refused for ticket in range(100, 200)), "now, not later"
        assert threading.active_count() - before <= 2
        provider.gate.set()
        await made.until(lambda: made.threads.hung == 0)
        made.ask(question(300, "b"))
        await made.until(lambda: 300 in made.answers)
        assert made.answers[300].variant == "variant of b"

    run(play, seconds=0.05)


def test_no_more_is_under_way_than_there_is_room_for() -> None:
    async def play(provider: Provider, made: Threads) -> None:
        provider.gate.clear()
        made.ask(*(question(ticket, f"slow{ticket}") for ticket in range(5000)))
        refused = [answer for answer in made.answers.values() if answer.refused]
        assert len(refused) == 5000 - 4096
        assert {answer.message for answer in refused} == {"too many questions are under way"}

    run(play)


def test_who_waits_when_threads_are_let_go_is_told() -> None:
    async def play(provider: Provider, made: Threads) -> None:
        provider.gate.clear()
        made.ask(question(1, "slow"), question(2, "slow2"), question(3, "slow3"))
        made.threads.close()
        assert {answer.message for answer in made.answers.values()} == {"the provider was replaced"}
        assert len(made.answers) == 3

    run(play)
