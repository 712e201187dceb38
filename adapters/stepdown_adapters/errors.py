"""The library's error tree: what is wrong with a contract, an adapter's declaration, or a live document."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_INDEX_PATH = re.compile(r"\[(\d+)\]|/([^/\[\]]+)")


class AdaptersError(Exception):
    """Root of all errors that the library raises on purpose."""


class ContractError(AdaptersError):
    """A contract cannot be loaded; `place` is its file with the line or the JSON Pointer inside it.

    `further` are the other mistakes that were found in the same contract; the message has a line for each.
    """

    def __init__(self, place: str, sentence: str, further: Sequence[ContractError] = ()) -> None:
        super().__init__("\n".join([f"{place}: {sentence}", *map(str, further)]))
        self.place = place
        self.sentence = sentence
        self.further = tuple(further)


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake in a list of operations."""

    where: str
    """Index path from the start of the list, such as `[1]/do/0/sigmoid`."""
    sentence: str
    nearest: str | None = None
    """The right name that was probably meant."""
    within: tuple[str | int, ...] = ()
    """Keys and indices that lead to the list, where they may hold any character."""

    @property
    def steps(self) -> tuple[str | int, ...]:
        """`within` and `where` as names and indices, below what both start from."""
        steps = (found[1] or found[2] for found in _INDEX_PATH.finditer(self.where))
        return (*self.within, *(int(step) if step.isdigit() else step for step in steps))

    def __str__(self) -> str:
        hint = f" (did you mean {self.nearest!r}?)" if self.nearest is not None else ""
        within = " ".join(map(str, self.within))
        place = f"{within}: {self.where}" if within and self.where else within or self.where
        return f"{place}: {self.sentence}{hint}"


class ModelError(AdaptersError):
    """A model's description cannot be used; `place` is its file with the line, as `churn.yaml:12`.

    `further` are the other mistakes that were found in it; the message has a line for each.
    """

    def __init__(self, place: str, sentence: str, further: Sequence[ModelError] = ()) -> None:
        super().__init__("\n".join([f"{place}: {sentence}", *map(str, further)]))
        self.place = place
        self.sentence = sentence
        self.further = tuple(further)


class CatalogueError(AdaptersError):
    """The catalogue has nothing of that name."""


class OperationError(AdaptersError):
    """A list of operations is refused; `problems` names every mistake in it."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = tuple(problems)


class PathError(AdaptersError):
    """A path is not well formed."""


class Refusal(AdaptersError):  # noqa: N818 - an answer to a value, turned into an `AdaptError` by whoever knows the place
    """An operation cannot convert this value; the message is the sentence of the `AdaptError` that it becomes."""


class AdaptError(AdaptersError):
    """A live document cannot be adapted; nothing of it may be sent.

    `step` is `"2.0.0 -> 1.1.0"`, `operation` its index path and name such as `response[0]/do/1 sigmoid`, `path` the
    place in the document that the operation was about.
    """

    def __init__(self, step: str, operation: str, path: str, sentence: str) -> None:
        super().__init__(f"{step}: {operation} at {path or 'the document'}: {sentence}")
        self.step = step
        self.operation = operation
        self.path = path
        self.sentence = sentence

    def __reduce__(self) -> tuple[type[AdaptError], tuple[str, str, str, str]]:
        """Crosses from a process pool whole."""
        return AdaptError, (self.step, self.operation, self.path, self.sentence)


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name most like `name`, or `None` when none is like it."""
    close = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    return close[0] if close else None
