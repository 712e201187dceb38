"""The controller's provider: started off the loop, tried again, replaced without a gap, and watched."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from stepdown.config import ProviderSettings
from stepdown.control import flag_provider
from stepdown.control.flag_provider import FlagProvider
from stepdown.decide.flag_questions import Answer, Question
from tests.kit.looping import PATIENCE

MAKE = "tests.kit.commanded_provider:make"


class Asking:
    """A provider, and somebody who asks it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.changes = 0
        self.provider = FlagProvider(self._count)
        self._ticket = 0

    def _count(self) -> None:
        self.changes += 1

    def settings(self, name: str = "one", command: str = "variant new", **options: Any) -> ProviderSettings:
        file = self.folder / name
        if not file.exists():
            file.write_text(command)
        given = {"commands": str(file), "log": str(self.folder / "log")}
        return ProviderSettings(options.pop("path", MAKE), given, options.pop("timeout", PATIENCE))

    def command(self, text: str, name: str = "one") -> None:
        (self.folder / name).write_text(text)

    def log(self) -> list[str]:
        return (self.folder / "log").read_text().splitlines()

    async def ask(self, *users: str) -> list[Answer]:
        questions = [Question(number, "ranker", "string", user) for number, user in enumerate(users or ("ann",))]
        got: list[Answer] = []
        self.provider.ask(questions, got.extend)
        await self.until(lambda: len(got) == len(questions))
        return sorted(got, key=lambda answer: answer.ticket)

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not condition():
                await asyncio.sleep(0.002)

    async def ready(self) -> None:
        await self.until(lambda: self.provider.ok is True)


@pytest.fixture
def play(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[Asking], Awaitable[None]]], None]:
    monkeypatch.setattr(flag_provider, "FIRST_RETRY", 0.01)
    monkeypatch.setattr(flag_provider, "START_SECONDS", 0.05)

    def run(script: Callable[[Asking], Awaitable[None]]) -> None:
        async def main() -> None:
            asking = Asking(tmp_path)
            try:
                await script(asking)
            finally:
                for file in tmp_path.glob("*"):
                    file.write_text("raise") if file.suffix != ".start" else file.unlink()  # nobody hangs any longer
                asking.provider.use(None)

        asyncio.run(main())

    return run


def test_where_none_is_configured_there_is_nothing_to_say(play: Any) -> None:
    async def script(asking: Asking) -> None:
        assert asking.provider.ok is None
        [answer] = await asking.ask()
        assert (answer.refused, answer.error) == (True, "PROVIDER_NOT_READY")

    play(script)


def test_it_starts_off_the_loop_and_answers(play: Any) -> None:
    async def script(asking: Asking) -> None:
        asking.provider.use(asking.settings())
        assert asking.provider.ok is False
        [answer] = await asking.ask()
        assert answer.refused
        await asking.ready()
        assert asking.changes == 1, "workers are told, so that they ask again"
        assert [answer.variant for answer in await asking.ask("ann", "bob")] == ["new", "new"]
        assert asking.provider.counts == {"answered": 2, "failed": 0, "late": 0, "refused": 1}

    play(script)


def test_the_same_settings_keep_the_provider_and_others_replace_it_without_a_gap(play: Any) -> None:
    async def script(asking: Asking) -> None:
        asking.provider.use(asking.settings())
        await asking.ready()
        asking.provider.use(asking.settings())
        assert asking.log().count("start") == 1
        other = asking.settings("two", "variant other")
        start = asking.folder / "two.start"
        start.write_text("hang")
        asking.provider.use(other)
        assert asking.provider.ok is False
        assert [answer.variant for answer in await asking.ask()] == ["new"], "the one before answers until then"
        start.unlink()
        await asking.ready()
        assert [answer.variant for answer in await asking.ask()] == ["other"]
        await asking.until(lambda: "shutdown" in asking.log())
        assert [line for line in asking.log() if line in {"start", "shutdown"}] == ["start", "start", "shutdown"]
        asking.provider.use(None)
        await asking.until(lambda: asking.log().count("shutdown") == 2)
        assert asking.provider.ok is None

    play(script)


def test_going_back_to_the_running_one_starts_nothing(play: Any) -> None:
    async def script(asking: Asking) -> None:
        asking.provider.use(asking.settings())
        await asking.ready()
        start = asking.folder / "two.start"
        start.write_text("hang")
        asking.provider.use(asking.settings("two", "variant other"))
        asking.provider.use(asking.settings())
        assert asking.provider.ok is True
        start.unlink()
        await asking.until(lambda: "shutdown" in asking.log())
        assert [answer.variant for answer in await asking.ask()] == ["new"]

    play(script)


def test_one_that_does_not_start_is_tried_again(play: Any, caplog: pytest.LogCaptureFixture) -> None:
    async def script(asking: Asking) -> None:
        start = asking.folder / "one.start"
        start.write_text("raise")
        asking.provider.use(asking.settings())
        await asking.until(lambda: len(caplog.records) >= 2)
        assert asking.provider.ok is False
        assert "RuntimeError: no connection to the flag service" in caplog.text
        start.unlink()
        await asking.ready()

    play(script)


@pytest.mark.parametrize("name", ["nothing", "NUMBER", "missing", "make.deeper"])
def test_what_is_no_provider_is_said_and_harms_nobody(play: Any, name: str, caplog: pytest.LogCaptureFixture) -> None:
    async def script(asking: Asking) -> None:
        asking.provider.use(asking.settings(path=MAKE.replace("make", name)))
        await asking.until(lambda: "the flag provider does not start" in caplog.text)
        assert asking.provider.ok is False
        assert (await asking.ask())[0].refused

    play(script)


def test_a_start_that_hangs_is_waited_for_by_one_thread(play: Any, caplog: pytest.LogCaptureFixture) -> None:
    async def script(asking: Asking) -> None:
        start = asking.folder / "one.start"
        start.write_text("hang")
        asking.provider.use(asking.settings())
        await asking.until(lambda: "has not started in 0.05 s" in caplog.text)
        await asyncio.sleep(0.1)
        assert (await asking.ask())[0].refused
        start.unlink()
        await asking.ready()
        assert asking.log() == ["start"], "and nobody tried beside it"

    play(script)


def test_failures_in_a_row_turn_the_gauge_and_are_logged_once(play: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)

    async def script(asking: Asking) -> None:
        asking.provider.use(asking.settings())
        await asking.ready()
        for command in ("raise", "lie", "exit"):
            asking.command(command)
            [answer] = await asking.ask(command)
            assert answer.error is not None
        assert asking.provider.ok is False
        for number in range(50):
            await asking.ask(f"u{number}")
        failures = [record for record in caplog.records if "flag provider fails" in record.message]
        assert len(failures) == 1
        assert "the flag service is down" in failures[0].message
        asking.command("variant new")
        [answer] = await asking.ask("back")
        assert answer.variant == "new"
        assert asking.provider.ok is True
        assert "flag provider answers again" in caplog.text
        assert asking.provider.counts["failed"] == 53

    play(script)


def test_when_all_threads_hang_the_gauge_turns_and_questions_are_refused(play: Any) -> None:
    async def script(asking: Asking) -> None:
        asking.provider.use(asking.settings(timeout=0.05))
        await asking.ready()
        asking.command("hang")
        answers = await asking.ask(*(f"u{number}" for number in range(8)))
        assert {answer.message for answer in answers} == {"no answer in 0.05 s"}
        assert asking.provider.ok is False
        assert all(answer.refused for answer in await asking.ask(*(f"v{number}" for number in range(100))))
        asking.command("variant new")

        async def answered() -> bool:
            return (await asking.ask("w"))[0].variant == "new"

        async with asyncio.timeout(PATIENCE):
            while not await answered():
                await asyncio.sleep(0.01)
        assert asking.provider.ok is True

    play(script)


def test_what_a_replaced_provider_left_unanswered_is_no_fault_of_the_next_one(play: Any) -> None:
    async def script(asking: Asking) -> None:
        asking.provider.use(asking.settings())
        await asking.ready()
        asking.command("hang")
        got: list[Answer] = []
        asking.provider.ask([Question(number, "ranker", "string", f"u{number}") for number in range(4)], got.extend)
        asking.provider.use(asking.settings("two", "variant other"))
        await asking.until(lambda: len(got) == 4)
        assert {answer.message for answer in got} == {"the provider was replaced"}
        assert asking.provider.ok is True

    play(script)


def test_changes_are_passed_on_and_not_more_often_than_workers_can_bear(play: Any) -> None:
    async def script(asking: Asking) -> None:
        asking.provider.use(asking.settings())
        await asking.ready()
        await asking.ask("first")
        asking.command("variant other")
        await asking.ask("second")
        await asking.until(lambda: asking.changes == 2)
        for _ in range(1000):
            asking.provider.note_change()
        await asyncio.sleep(0.05)
        assert asking.changes == 2, "the next time in a second"

    play(script)
