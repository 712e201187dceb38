"""Writes Python source: lines, blocks, fresh names, and a namespace for what is no literal.

Nothing from a contract, a path or a document gets into the source but by `repr` of a checked JSON value (`literal`) or
as an object in the namespace (`constant`); names of variables are made here. So no text can break out of its place.
"""

from __future__ import annotations

import builtins
import keyword
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

from stepdown_adapters.json_values import flaw


class Placed(Protocol):
    """What the emitted code says it is at: an operation."""

    @property
    def where(self) -> str:
        """Index path in its list: nothing but numbers and names of operations."""
        ...


class Code:
    """Source under construction."""

    def __init__(self, namespace: dict[str, Any], numbers: dict[int, int], indent: int = 0) -> None:
        """`numbers` gives the number of an operation in the emitted code, by its `id`."""
        self.namespace = namespace
        self._lines: list[str] = []
        self._at = 0
        self.numbers_of_lines: list[int] = []
        """For each line, the number of the operation that it belongs to."""
        self._indent = indent
        self._taken = set(namespace)
        self._numbers = numbers
        self._open: set[str] = set()
        self._aliases: dict[str, str] = {}
        self._known: dict[str, str] = {}
        self._objects: set[str] = set()
        self._put: tuple[str, str, int] | None = None

    def line(self, text: str) -> None:
        """Adds one line at the current depth."""
        self._lines.append("    " * self._indent + text if text else "")
        self.numbers_of_lines.append(self._at)

    @contextmanager
    def block(self, header: str) -> Iterator[None]:
        """Adds `header` and puts what follows inside of it."""
        self.line(header)
        self._indent += 1
        before, objects = len(self._lines), self._objects
        # What is learned in a block holds in it only; what holds before a loop may have changed in its second round.
        self._objects = set() if header.startswith("for ") else objects.copy()
        yield
        if all(map(_is_comment, self._lines[before:])):
            self.line("pass")
        self._indent -= 1
        self._put = None  # what a block has put may not be there outside of it
        self._objects = objects & self._objects

    def alias(self, name: str, spot: str) -> None:
        """Declares that the variable `name`, which must always be what is at `spot`, holds an opened value."""
        self._open.add(name)
        if name != spot:
            self._aliases[name] = spot

    def know(self, spot: str, name: str) -> None:
        """Declares that the variable `name` holds what is at `spot`, opened or not."""
        self._known[spot] = name

    def known(self, spot: str) -> str | None:
        """The variable that holds what is at `spot`, if there is one."""
        return self._known.get(spot)

    def learn_object(self, name: str) -> None:
        """Declares that from here on the variable `name` holds an object: a member was read of it, or it has failed."""
        if name.isidentifier():
            self._objects.add(name)

    def is_object(self, name: str) -> bool:
        """Whether the variable is known to hold an object."""
        return name in self._objects

    def put(self, spot: str, name: str) -> None:
        """Adds a line that puts the value of the variable `name` at `spot`."""
        self.line(f"{spot} = {name}")
        self._put = spot, name, len(self._lines)

    def just_put(self, spot: str) -> str:
        """An expression of what is at `spot`: a variable, where the line before has put it there."""
        spotted, name, lines = self._put or ("", "", 0)
        return name if spotted == spot and all(map(_is_comment, self._lines[lines:])) else spot

    def is_open(self, spot: str) -> bool:
        """Whether the value at `spot` is known to be opened."""
        return spot in self._open

    def assign(self, spot: str, expression: str) -> None:
        """Replaces the value at `spot`, and everywhere that it is an alias of."""
        targets = [spot]
        while targets[-1] in self._aliases:
            targets.append(self._aliases[targets[-1]])
        self._open.discard(spot)
        for target in targets:
            self._known.pop(target, None)
            self._objects.discard(target)
        self.line(f"{' = '.join(targets)} = {expression}")

    def fresh(self, hint: str) -> str:
        """A name of a variable that is not used yet and reads like `hint` where that is possible."""
        base = re.sub(r"[^a-z0-9_]+", "_", hint.lower()).strip("_0123456789")[:24] or "value"
        name, number = base, 1
        while name in self._taken or name in _RESERVED:
            number += 1
            name = f"{base}_{number}"
        self._taken.add(name)
        return name

    def constant(self, value: Any, hint: str) -> str:
        """A name in the namespace that stands for `value`."""
        name = self.fresh(hint)
        self.namespace[name] = value
        return name

    def at(self, operation: Placed) -> None:
        """Says that `operation` is at work from here on: in a comment for readers, and for the error it may raise."""
        # Keys of a configuration are part of `where`; escaped, none of them can end the comment.
        self.at_number(self._numbers[id(operation)], ascii(operation.where)[1:-1])

    def at_number(self, number: int, remark: str) -> None:
        """The same for what has a number and no operation."""
        self._at = number
        self.line(f"# {remark}")

    def source(self) -> str:
        """Everything that was written."""
        return "\n".join(self._lines) + "\n"


def _is_comment(line: str) -> bool:
    return line.lstrip().startswith("#")


def literal(value: Any) -> str:
    """Python text of a JSON value; a new list or dict each time that it is evaluated."""
    wrong = flaw(value)
    if wrong is not None:
        raise ValueError(wrong)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{literal(name)}: {literal(member)}" for name, member in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(literal, value)) + "]"
    # A subclass, such as a loader's string with a position, may have a `repr` of its own.
    for base in (bool, int, float, str):
        if isinstance(value, base):
            return base.__repr__(value)
    return "None"


_RESERVED = frozenset(
    [*keyword.kwlist, *dir(builtins), "at", "body", "context", "document", "error", "refusal", "x", "y"]
)
"""What a variable must not hide: `x` and `y` belong to inlined expressions, the others to the function around."""
