"""Draws numbers within bounds: on the bounds, beside them, the usual troublemakers, and anywhere between."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from math import ceil, floor, isfinite
from typing import Any

from stepdown_adapters.proof.drawing.dice import Dice

_TROUBLE: tuple[int | float, ...] = (0, 1, -1, 0.5, -0.5, 1.0, 100, 2**53, -(2**53), 1e300, -1e300, 5e-324, 1e-9)
_REACH = 1000


class Numbers:
    """All that several schemas ask of a number."""

    __slots__ = ("_high", "_low", "_special", "_step", "marks")

    def __init__(self, schemas: Iterable[dict[str, Any]], *, integral: bool, hints: Iterable[int | float] = ()) -> None:
        """`hints` are numbers that may matter to whoever reads the documents."""
        self.marks: dict[int | float, list[str]] = {}
        """Numbers that lie on a bound, each with the keywords that say so; the place of the schema is the caller's."""
        lows: list[Any] = []
        highs: list[Any] = []
        steps: list[Any] = []
        for schema in schemas:
            lows += [schema[keyword] for keyword in ("minimum", "exclusiveMinimum") if keyword in schema]
            highs += [schema[keyword] for keyword in ("maximum", "exclusiveMaximum") if keyword in schema]
            steps += [schema["multipleOf"]] if "multipleOf" in schema else []
        self._low: Any = max(lows, default=None)
        self._high: Any = min(highs, default=None)
        self._step = _fraction(steps[0]) if steps else Fraction(1) if integral else None
        for bound, keyword in ((self._low, "minimum"), (self._high, "maximum")):
            if bound is not None and (self._step is None or Fraction(str(bound)) % self._step == 0):
                self.marks[bound] = [*self.marks.get(bound, ()), keyword]
        self._special = [*dict.fromkeys(self._specials(hints))]

    def draw(self, dice: Dice) -> int | float:
        """A number that is likely to be right; whoever draws it judges it."""
        if self._special and dice.one_in(3):
            special: int | float = dice.choice(self._special)
            return special
        low, high = self._range()
        if self._step is not None:
            first, last = ceil(Fraction(low) / self._step), floor(Fraction(high) / self._step)
            return _plain((first + dice.below(max(1, last - first + 1))) * self._step)
        value: float = low + (high - low) * dice.fraction()
        return round(value, dice.below(7)) if dice.one_in(2) else value

    def _range(self) -> tuple[Any, Any]:
        low, high = self._low, self._high
        reach: Any = _REACH if self._step is None else max(_REACH, _REACH * self._step)
        if low is None and high is None:
            return -reach, reach
        if low is None:
            return min(-reach, high - reach), high
        return (low, high) if high is not None else (low, max(reach, low + reach))

    def _specials(self, hints: Iterable[int | float]) -> Iterable[int | float]:
        grain: Any = 1 if self._step is not None else 1e-6
        for bound, sign in ((self._low, 1), (self._high, -1)):
            if bound is not None:
                yield bound
                beside = bound + sign * grain
                if isfinite(beside):
                    yield beside
                if type(bound) is int and abs(bound) < 2**53:
                    yield float(bound)
        for value in (*_TROUBLE, *hints):
            inside = (self._low is None or value >= self._low) and (self._high is None or value <= self._high)
            if inside and (self._step is None or (abs(value) < 2**54 and Fraction(value) % self._step == 0)):
                yield value


def _fraction(value: int | float) -> Fraction:
    """The decimal that a contract's text says, and not the float beside it."""
    return Fraction(str(value)) or Fraction(1)


def _plain(value: Fraction) -> int | float:
    return int(value) if value.denominator == 1 else float(value)
