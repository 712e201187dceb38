"""What targeting is compiled to: closures, and what is known of them beforehand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

MOST_STEPS = 20_000
"""Operators that one evaluation may run inside of iterations (`map`, `filter`, `reduce`, `all`, `some`, `none`)."""


class UnknownOperatorError(Exception):
    """The targeting uses an operator or a `$ref` that there is not: flagd's `PARSE_ERROR`."""


class TooLongError(Exception):
    """An iteration takes more steps than `MOST_STEPS`."""


class Run:
    """One evaluation: its time, and the steps it has left."""

    __slots__ = ("_left", "now")

    def __init__(self, now: int) -> None:
        self.now = now
        """Unix seconds."""
        self._left = MOST_STEPS

    def spend(self, steps: int) -> None:
        """Take steps, before they are made; raises `TooLongError` if there are not so many left."""
        self._left -= steps
        if self._left < 0:
            raise TooLongError(f"iterations of more than {MOST_STEPS} steps")


Compute = Callable[[Any, Run], Any]
"""Takes what `var` reads from (the context, or the item of an iteration), gives the value; may raise anything."""


class Node(NamedTuple):
    """One compiled expression."""

    compute: Compute
    size: int
    """Expressions in it, itself included."""
    constant: bool = False
    """It is always `value`, and computing it cannot fail."""
    value: Any = None
    makes_list: bool = True
    """It may be a list that is not one of the context's own."""


def constant(value: Any) -> Node:
    """An expression that stands for itself."""
    return Node(lambda data, run: value, 1, True, value)


class Needs(NamedTuple):
    """What a flag's targeting reads of a context."""

    paths: frozenset[str]
    """As `var` writes them, `user.plan`, from the context's top; `targetingKey` is one of them.

    All of them while they are texts, numbers, booleans or null. (A list where `fractional` expects its key is taken for
    the first of its shares, and then the key is the `targetingKey`.)
    """
    time: bool = False
    """It reads `$flagd.timestamp`."""
    everything: bool = False
    """Which paths it reads is known only when it is evaluated (or it reads the context as a whole)."""


NOTHING = Needs(frozenset())
