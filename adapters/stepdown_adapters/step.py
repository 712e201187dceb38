"""One step of a chain as it is declared: the operations that lead from a newer version's shape to an older one's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol


class Declaration(Protocol):
    """One edge of a chain, newer (`source`) to older (`target`), as a configuration declares it."""

    @property
    def source(self) -> str:
        """Version whose shape an answer has before the step."""
        ...

    @property
    def target(self) -> str:
        """Version whose shape an answer has after it."""
        ...

    @property
    def response(self) -> Sequence[Any]:
        """Operations on the answer."""
        ...

    @property
    def request(self) -> Sequence[Any]:
        """Operations on the request."""
        ...

    @property
    def errors(self) -> Sequence[Any]:
        """Operations on answers that are errors (4xx and 5xx); without any they stay as they are."""
        ...

    @property
    def hook(self) -> str | None:
        """`package.module:function`, called with the answer after `response`, and the context."""
        ...

    @property
    def pruning(self) -> Sequence[Any]:
        """Operations on the answer after the hook: those that `diff.prune.pruning` derives from the older contract."""
        ...

    @property
    def non_finite(self) -> str:
        """`fail` or `nullify`: what becomes of NaN and infinities in an answer of `source`."""
        ...

    @property
    def fidelity(self) -> str:
        """`normal` or `strict`."""
        ...


@dataclass(frozen=True, slots=True)
class Step:
    """A declaration made in Python."""

    source: str
    target: str
    response: Sequence[Any] = ()
    request: Sequence[Any] = ()
    errors: Sequence[Any] = ()
    hook: str | None = None
    pruning: Sequence[Any] = ()
    fidelity: str = "normal"
    non_finite: str = "fail"
    stream: Any = None
    """What becomes of streams, as `stream.adapting.declaring` reads it."""
