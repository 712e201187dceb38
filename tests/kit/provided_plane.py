"""The data plane with flags of a provider, and a controller that a test plays."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

from stepdown.decide import spec
from stepdown.decide.flag_questions import Answer, Question
from stepdown.decide.flag_spec import FlagRule, Flags, NamedFact, Provided, ProvidedFlag
from stepdown.decide.when import FlagIs
from tests.kit import specs
from tests.kit.client import Response
from tests.kit.looping import eventually
from tests.kit.mirroring import Mirrored
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

    def __init__(self, here: World | Mirrored) -> None:
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


def counted(here: World | Mirrored, **labels: str) -> float:
    return here.sidecar.metric("stepdown_flag_evaluations_total", **labels)
