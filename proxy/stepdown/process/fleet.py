"""The workers as the controller sees them: a channel to each, and the two-step change of what they serve with.

A specification is prepared by every worker that has a channel, and activated only when all of them could. A worker that
dies meanwhile does not count: its successor starts with what the parent holds. A worker that starts meanwhile, or whose
channel was away, says in its `Hello` what it serves with, and is brought up to date by itself.

A worker that gives no answer in time makes the change fail for all, and loses its channel. Channels that are lost while
their worker lives are asked for again.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from stepdown import tasks
from stepdown.control.state import WorkerView
from stepdown.decide.flag_questions import Answer, Question, refusal
from stepdown.decide.spec import digest
from stepdown.process.channel import Channel
from stepdown.process.messages import (
    TO_CONTROLLER_BYTES,
    TO_WORKER_BYTES,
    Activate,
    Activated,
    Evidence,
    EvidenceTaken,
    FlagAnswers,
    FlagQuestions,
    FlagsChanged,
    Health,
    Hello,
    Message,
    Prepare,
    Prepared,
    Reader,
    Refused,
    Status,
    StatusRequest,
    ToController,
)

logger = logging.getLogger(__name__)

ANSWER_SECONDS = 30.0
"""For compiling a large specification on a busy machine; a worker that needs longer is stuck."""
STATUS_SECONDS = 1.0
RELINK_SECONDS = 1.0


Reply = Callable[[Sequence[Answer]], None]


def nobody(questions: Sequence[Question], reply: Reply) -> None:
    """Nobody answers questions about flags, as long as the rest of the controller is being loaded."""
    reply([refusal(question.ticket, "the controller is starting") for question in questions])


Taken = Callable[[EvidenceTaken], None]


def nowhere(evidence: Evidence, taken: Taken) -> None:
    """Evidence goes nowhere as long as nobody drives rollouts: its source keeps it."""


class Link:
    """One worker's place: the process, and the channel to it if there is one."""

    def __init__(self, index: int) -> None:
        self.index = index
        self.pid = 0
        self.restarts = 0
        self.digest = ""
        self.channel: Channel[ToController] | None = None
        self.waiting: dict[int, asyncio.Future[ToController | None]] = {}

    def end_channel(self) -> None:
        """Whoever waits for an answer gets none."""
        if self.channel is not None:
            self.channel.close()
        self.channel = None
        self.digest = ""
        for answer in self.waiting.values():
            if not answer.done():
                answer.set_result(None)

    @property
    def linked(self) -> bool:
        """It has introduced itself, and its channel is open."""
        return bool(self.digest) and self.channel is not None and self.channel.is_open

    def view(self) -> WorkerView:
        """For status and admin."""
        return WorkerView(self.index, self.pid, bool(self.pid) and self.linked, self.digest, self.restarts)


class Fleet:
    """All workers."""

    def __init__(self, count: int, encoded: bytes, relink: Callable[[int], None]) -> None:
        """`encoded` is the specification in force; `relink(index)` asks the parent for a new channel."""
        self._links = [Link(index) for index in range(count)]
        self._relink = relink
        self._encoded = encoded
        self._digest = digest(encoded)
        self._candidate = encoded
        self._health: dict[str, bool] = {}
        self._ticket = 0
        self.asked: Callable[[Sequence[Question], Reply], None] = nobody
        """Answers questions about flags, now or later."""
        self.counted: Callable[[Evidence, Taken], None] = nowhere
        """Takes batches of evidence, and says so once they are stored."""

    # --- what the parent says -----------------------------------------------------------------------------------------

    async def place(self, index: int, pid: int, restarts: int, channel_fd: int | None) -> None:
        """A worker's process was started (with a channel) or is gone (without)."""
        link = self._links[index]
        link.pid, link.restarts = pid, restarts
        link.end_channel()
        if channel_fd is not None:
            await self._open(link, socket.socket(fileno=channel_fd))

    async def _open(self, link: Link, end: socket.socket) -> None:
        link.channel = Channel(
            f"worker {link.index}",
            Reader[ToController](ToController, TO_CONTROLLER_BYTES),
            TO_WORKER_BYTES,
            lambda channel, message: self._hear(link, channel, message),
            lambda channel: self._lose(link, channel),
        )
        await link.channel.open(end)

    # --- what the controller wants ------------------------------------------------------------------------------------

    def views(self) -> tuple[WorkerView, ...]:
        """All workers, in the order of their numbers."""
        return tuple(link.view() for link in self._links)

    async def prepare(self, encoded: bytes) -> list[str]:
        """Let every worker compile it; the reasons of those that cannot, one sentence each."""
        self._candidate = encoded
        answers = await self._ask_all(lambda ticket: Prepare(ticket=ticket, encoded=encoded), ANSWER_SECONDS)
        findings = []
        for link, answer in answers:
            if isinstance(answer, Refused):
                findings.append(f"worker {link.index} refuses it: {answer.finding}")
            elif answer is None and link.linked:
                findings.append(
                    f"worker {link.index} (process {link.pid}) gave no answer in {ANSWER_SECONDS:g} seconds"
                )
                self._drop(link, "it gives no answer")
        return findings

    async def activate(self) -> None:
        """Put in force everywhere what was prepared last; workers that missed it are brought up to date."""
        self._encoded, self._digest = self._candidate, digest(self._candidate)
        await asyncio.gather(*(self._bring_up_to_date(link) for link in self._links if link.linked))

    def set_health(self, states: Mapping[str, bool]) -> None:
        """Tell every worker, also those that come later, what the probes say."""
        self._health = dict(states)
        for link in self._links:
            if link.linked and link.channel is not None:
                link.channel.send(Health(states=self._health))

    def flags_changed(self) -> None:
        """Tell every worker that what it was told of flags may be wrong by now."""
        for link in self._links:
            if link.linked and link.channel is not None:
                link.channel.send(FlagsChanged())

    async def status(self) -> list[dict[str, Any]]:
        """`Plane.status()` of every worker that answers in time, with its index."""
        answers = await self._ask_all(lambda ticket: StatusRequest(ticket=ticket), STATUS_SECONDS)
        return [{"index": link.index, **answer.report} for link, answer in answers if isinstance(answer, Status)]

    # --- conversations ------------------------------------------------------------------------------------------------

    def _hear(self, link: Link, channel: Channel[ToController], message: ToController) -> None:
        if channel is not link.channel:
            return
        if isinstance(message, Hello):
            link.digest = message.digest
            channel.send(Health(states=self._health))
            if message.digest != self._digest:
                tasks.start(self._bring_up_to_date(link), name=f"bring worker {link.index} up to date")
            return
        if isinstance(message, FlagQuestions):
            self.asked(message.questions, lambda answers: channel.send(FlagAnswers(answers=tuple(answers))))
            return
        if isinstance(message, Evidence):
            self.counted(message, channel.send)
            return
        if isinstance(message, Activated):
            link.digest = message.digest
        answer = link.waiting.pop(message.ticket, None)
        if answer is not None and not answer.done():
            answer.set_result(message)

    async def _bring_up_to_date(self, link: Link) -> None:
        """Activate what is in force; where the worker never prepared it, prepare it first."""
        encoded, wanted = self._encoded, self._digest
        answer = await self._ask(link, lambda ticket: Activate(ticket=ticket, digest=wanted), ANSWER_SECONDS)
        if isinstance(answer, Refused):
            answer = await self._ask(link, lambda ticket: Prepare(ticket=ticket, encoded=encoded), ANSWER_SECONDS)
            if isinstance(answer, Prepared):
                answer = await self._ask(link, lambda ticket: Activate(ticket=ticket, digest=wanted), ANSWER_SECONDS)
        if isinstance(answer, Refused):
            logger.error("worker %d keeps serving with %s: %s", link.index, link.digest, answer.finding)

    async def _ask_all(
        self, question: Callable[[int], Message], seconds: float
    ) -> list[tuple[Link, ToController | None]]:
        links = [link for link in self._links if link.linked]
        answers = await asyncio.gather(*(self._ask(link, question, seconds) for link in links))
        return list(zip(links, answers, strict=True))

    async def _ask(self, link: Link, question: Callable[[int], Message], seconds: float) -> ToController | None:
        """The answer; `None` when there is none in time, or the channel ends."""
        if link.channel is None:
            return None
        self._ticket += 1
        ticket = self._ticket
        answer: asyncio.Future[ToController | None] = asyncio.get_running_loop().create_future()
        link.waiting[ticket] = answer
        link.channel.send(question(ticket))
        try:
            return await asyncio.wait_for(answer, seconds)
        except TimeoutError:
            return None
        finally:
            link.waiting.pop(ticket, None)

    # --- endings ------------------------------------------------------------------------------------------------------

    def _drop(self, link: Link, why: str) -> None:
        if link.channel is not None:
            link.channel.drop(why)

    def _lose(self, link: Link, channel: Channel[ToController]) -> None:
        if channel is not link.channel:
            return
        link.end_channel()
        # If its process died, the parent says so before this time is over and sends the successor's channel.
        asyncio.get_running_loop().call_later(RELINK_SECONDS, self._miss, link)

    def _miss(self, link: Link) -> None:
        if link.pid and link.channel is None:
            self._relink(link.index)
