"""Collects what is wrong or doubtful in a contract, so that its author learns of everything at once."""

from __future__ import annotations

from collections.abc import Iterable

from stepdown_adapters.errors import ContractError, nearest

MOST = 50
"""Further mistakes are not looked for."""


class Mistakes:
    """The mistakes and warnings of one contract, in the order in which they were found, each once."""

    __slots__ = ("_found", "_warnings")

    def __init__(self) -> None:
        self._found: dict[tuple[str, str], None] = {}
        self._warnings: dict[str, None] = {}

    def add(self, place: str, sentence: str) -> None:
        """Notes one mistake; raises `ContractError` with all of them when there are too many to go on."""
        self._found[place, sentence] = None
        if len(self._found) >= MOST:
            self.refuse()

    def warn(self, place: str, sentence: str) -> None:
        """Notes something that is accepted, but probably not meant."""
        if len(self._warnings) < MOST:
            self._warnings[f"{place}: {sentence}"] = None

    def __bool__(self) -> bool:
        """Whether there is any mistake."""
        return bool(self._found)

    @property
    def warnings(self) -> tuple[str, ...]:
        """Each with its place, as a line of text."""
        return tuple(self._warnings)

    def refuse(self) -> None:
        """Raises `ContractError` with all mistakes, if there is any."""
        if self._found:
            first, *rest = (ContractError(place, sentence) for place, sentence in self._found)
            raise ContractError(first.place, first.sentence, rest)


def unknown(what: str, name: str, known: Iterable[str]) -> str:
    """A sentence about a name that is not there, with the one that was probably meant, or all that are."""
    names = list(known)
    close = nearest(name, names)
    if close is not None:
        return f"there is no {what} {name!r}; did you mean {close!r}?"
    return f"there is no {what} {name!r}; there is {listed(names)}"


def listed(names: Iterable[str], most: int = 12) -> str:
    """Names for a sentence, not too many of them."""
    texts = [repr(name) for name in names]
    if not texts:
        return "none"
    rest = f" and {len(texts) - most} more" if len(texts) > most else ""
    return ", ".join(texts[:most]) + rest
