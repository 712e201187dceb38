"""What is done with an event: a list of operations, of events that are emitted in its place, or nothing.

    on:
      response.output_text.delta:
        - emit: {data: {choices: [{index: 0, delta: {content: {field: /delta}}}]}}
      response.in_progress: drop
      /choices/*/delta/reasoning:
        - in: /choices/*/delta
          do: [{move: {from: /reasoning, to: /reasoning_content, on_missing: skip}}]

Operations change the event, which goes on as itself, or, once something is emitted, do not: then it goes on as what is
emitted, each time from the document as the operations before have left it.
"""

from __future__ import annotations

from dataclasses import dataclass

from stepdown_adapters.operations import Operation
from stepdown_adapters.operations.conditions import Condition
from stepdown_adapters.paths import Path
from stepdown_adapters.stream.adapting.folds import Fold
from stepdown_adapters.stream.adapting.selectors import Selector


@dataclass(frozen=True, slots=True)
class Do:
    """Operations in a row."""

    operations: tuple[Operation, ...]


@dataclass(frozen=True, slots=True)
class Emit:
    """One event that is emitted, or one for each place of a path."""

    where: str
    operations: tuple[Operation, ...] = ()
    """That make its document, the template first."""
    payload: bytes | None = None
    """What it says where that is no JSON: `[DONE]`."""
    event: str | None = None
    """Its type; `None` for the type of the event that it is made of, where it has that one's document."""
    fresh: bool = False
    """Whether its document is made by a template."""
    each: Path | None = None
    conditions: tuple[Condition, ...] = ()


@dataclass(frozen=True, slots=True)
class Rule:
    """What is done with the events that a selector is for."""

    selector: Selector
    actions: tuple[Do | Emit, ...] = ()
    drops: bool = False

    @property
    def emits(self) -> bool:
        """Whether the event goes on as what is emitted, instead of as itself."""
        return any(isinstance(action, Emit) for action in self.actions)


@dataclass(frozen=True, slots=True)
class StreamSection:
    """The `stream:` section of one adapter."""

    rules: tuple[Rule, ...] = ()
    folds: tuple[Fold, ...] = ()
    starts: tuple[tuple[str, object], ...] = ()
    """What is folded before the first event, by name."""
    end: tuple[Emit, ...] = ()
    collect: Emit | None = None
    """How one document is made of all that was folded; without it, the stream's dialect says."""
    gathers: bool = False
    """Whether who cannot stream is to get the document of the stream's dialect."""
    unfold: Rule | None = None
    """What is done with a document of which a stream is made, as if it were an event."""

    @property
    def selectors(self) -> tuple[Selector, ...]:
        """Those of all rules and folds."""
        return (*(rule.selector for rule in self.rules), *(one for fold in self.folds for one in fold.selectors))
