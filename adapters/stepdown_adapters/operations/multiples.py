"""The operation round_to: to the nearest multiple of a decimal, such as 0.05, so that the text is exactly one."""

from __future__ import annotations

from fractions import Fraction
from math import inf
from typing import Any

from stepdown_adapters.contract.keywords import Schema
from stepdown_adapters.errors import Refusal
from stepdown_adapters.operations.base import Loss
from stepdown_adapters.operations.convert import Row, Scalar
from stepdown_adapters.operations.intervals import interval, monotone, within
from stepdown_adapters.operations.options import Options, is_number
from stepdown_adapters.operations.scalars import in_range, number

_PLAIN = 2.0**30
"""Quotients under which a float division is right to a millionth, so that ties can be told."""
_DIGITS = 1e15
"""Integers under which all of the decimal digits survive in a float."""


def _round_to(options: Options) -> Scalar:
    multiple: int | float = options.need("multiple", "a number from 1e-15 to 1e9", _is_multiple, 1)
    # What counts is the text that people wrote and clients read: 0.05 is five hundredths, not the nearest float.
    exact = Fraction(repr(multiple))
    whole = exact.denominator == 1
    certain = min(_PLAIN, _DIGITS / exact.numerator - 1)

    def convert(value: Any) -> int | float:
        read = number(value)
        # Python rounds a fraction half to even, and divides two integers to the nearest float.
        count = round((Fraction(float.__repr__(read)) if isinstance(read, float) else read) / exact)
        if whole:
            return in_range(count * exact.numerator)
        if abs(count) * exact.numerator >= _DIGITS:
            raise Refusal(f"the number has more digits than a float keeps for multiples of {multiple}")
        return count * exact.numerator / exact.denominator

    def effect(schema: Schema) -> Schema:
        bounds = monotone(convert, interval(schema), -inf, inf)
        kind = "integer" if whole else "number"
        numbers = within(*bounds, kind)
        # Validators divide floats, and then not every multiple of 0.3 in decimals is one: only whole ones are certain.
        return {**numbers, "multipleOf": multiple} if whole else numbers

    # Near a tie, and for large quotients, the exact way decides.
    near = f"-{certain!r} < (y := x / {multiple!r}) < {certain!r} and (-0.499999 < y - (y := round(y)) < 0.499999)"
    result = f"y * {exact.numerator}" + ("" if whole else f" / {exact.denominator}")
    return Scalar(convert, f"{result} if {near} else convert(x)", effect=effect)


def _is_multiple(value: Any) -> bool:
    return is_number(value) and 1e-15 <= value <= 1e9


ROWS = (Row("round_to", _round_to, Loss.LOSSY, "what is between two multiples is lost; half goes to even"),)
