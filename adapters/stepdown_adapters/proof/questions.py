"""What is to be proved: that the steps of a chain make, of every document of one contract, one of another.

For answers that leads from the newer version to the older one; for requests, whose clients are the older version's, it
is the other way round, and the steps are taken in reverse.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from stepdown_adapters.contract.keywords import Schema, children
from stepdown_adapters.operations import Operation, parse
from stepdown_adapters.operations.operand import Reference
from stepdown_adapters.step import Declaration

Side = Literal["response", "request"]
_WORD = re.compile(r"[^/\[\]=*]+")
_BOUNDS = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")


@dataclass(frozen=True, slots=True)
class Sample:
    """One document with what the chain may read of the request that it belongs to."""

    document: Any
    request: Any = None
    """The client's request, where `has_request`."""
    has_request: bool = False
    params: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Question:
    """One chain in one direction, with the contracts at its ends."""

    model: str
    source: str
    """The newer version."""
    target: str
    """The older one."""
    side: Side
    steps: tuple[Declaration, ...]
    """Newest first."""
    given: Schema | None
    """What the documents that go in are valid under; `None` where the version declares nothing."""
    made: Schema | None
    """What those that come out have to be valid under."""
    asked: Schema | None = None
    """For answers: what the requests are valid under to which they are answers, where that is known."""
    formats: bool = False
    """Whether those who get the documents check `format`."""

    @property
    def passed(self) -> tuple[str, ...]:
        """The versions on the way, newest first."""
        return (self.source, *(step.target for step in self.steps))

    @property
    def ends(self) -> tuple[str, str]:
        """The versions in the order of the way: given first."""
        return (self.source, self.target) if self.side == "response" else (self.target, self.source)

    @property
    def hooks(self) -> tuple[str, ...]:
        """The Python functions on the way."""
        return tuple(step.hook for step in self.steps if step.hook is not None) if self.side == "response" else ()

    def operations(self) -> list[Operation]:
        """All operations in their order, those that prune included; raises `OperationError`."""
        if self.side == "request":
            return [one for step in reversed(self.steps) for one in parse(step.request, missing="skip")]
        return [one for step in self.steps for raw in (step.response, step.pruning) for one in parse(raw)]


@dataclass(frozen=True, slots=True)
class Clues:
    """What documents should hold so that an adapter that is wrong shows it."""

    names: tuple[str, ...]
    """Members to which the contract of what comes out gives a meaning."""
    words: tuple[str, ...]
    """Texts that contracts and operations name."""
    numbers: tuple[int | float, ...]


def clues(question: Question) -> Clues:
    """The clues of a question."""
    made = list(_schemas(question.made))
    names = dict.fromkeys(name for schema in made for name in schema.get("properties", ()))
    found: list[Any] = [one for schema in made for one in (schema.get("const"), *schema.get("enum", ()))]
    found += [schema[bound] for schema in made for bound in _BOUNDS if bound in schema]
    for step in question.steps:
        found += _leaves([*step.response, *step.pruning] if question.side == "response" else step.request)
    words = dict.fromkeys(word for one in found if isinstance(one, str) for word in (one, *_WORD.findall(one)))
    numbers = dict.fromkeys(one for one in found if isinstance(one, int | float) and not isinstance(one, bool))
    return Clues(tuple(names), tuple(words)[:200], tuple(numbers)[:50])


def references(operations: Iterable[Operation]) -> Iterator[Reference]:
    """All references to values of the request or the document, inner operations included."""
    for operation in operations:
        yield from (one for one in operation.operands if isinstance(one, Reference))
        yield from references(operation.inner())


def _schemas(schema: Schema | None) -> Iterator[dict[str, Any]]:
    waiting: list[Any] = [schema]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            yield one
            waiting += [child for _, child in children(one)]


def _leaves(raw: Any) -> list[Any]:
    """All strings and numbers of a declaration, names of members included."""
    if isinstance(raw, dict):
        return [*raw, *(leaf for value in raw.values() for leaf in _leaves(value))]
    if isinstance(raw, Sequence) and not isinstance(raw, str):
        return [leaf for value in raw for leaf in _leaves(value)]
    return [raw]
