"""Log-probabilities to probabilities and back: exp and log, to any base over 1."""

from __future__ import annotations

from collections.abc import Callable
from math import e, exp, inf, log, log2, log10
from typing import Any

from stepdown_adapters.contract.keywords import Schema
from stepdown_adapters.errors import Refusal
from stepdown_adapters.operations.base import Loss
from stepdown_adapters.operations.convert import Row, Scalar
from stepdown_adapters.operations.intervals import Interval, interval, monotone, widened, within
from stepdown_adapters.operations.options import Options, is_number
from stepdown_adapters.operations.scalars import as_float

_LARGEST = log(1.797e308)
"""The natural logarithm of nearly the largest float."""


def _base(options: Options) -> float:
    base = options.get("base", "e or a number over 1", lambda v: v == "e" or (is_number(v) and v > 1), "e")
    return e if base == "e" else float(base)


def _exp(options: Options) -> Scalar:
    base = _base(options)
    power: Callable[[float], float] = exp if base == e else lambda x: base**x

    def convert(value: Any) -> float:
        x = as_float(value)
        try:
            return power(x)
        except OverflowError:
            raise Refusal(f"the power of {x!r} is too large for floating point") from None

    def effect(schema: Schema) -> Schema:
        bounds = monotone(power, interval(schema), 0.0, inf)
        return within(*widened(bounds, (0.0, 1.0)))

    limit = 0.999 * _LARGEST / log(base)
    inline = f"{'<exp>(x)' if base == e else f'{base!r} ** x'} if x < {limit!r} else convert(x)"
    return Scalar(convert, inline, {"exp": exp}, effect)


def _log(options: Options) -> Scalar:
    base = _base(options)
    epsilon = float(options.get("epsilon", "a number over 0", lambda v: is_number(v) and v > 0, 0))
    function, inline = _logarithm(base)

    def convert(value: Any) -> float:
        x = as_float(value)
        if x < 0.0:
            raise Refusal("a number below 0 has no logarithm")
        if x == epsilon == 0.0:
            raise Refusal("the logarithm of 0 is infinite; give an epsilon")
        return function(max(x, epsilon))

    def effect(schema: Schema) -> Schema:
        low, high = interval(schema)
        bounds = monotone(function, Interval(max(low, epsilon), max(high, epsilon)), -inf, inf)
        return within(*widened(bounds, (0.0,)))

    names = {"log": log, "log2": log2, "log10": log10}
    return Scalar(convert, f"{inline} if x > {epsilon!r} else convert(x)", names, effect)


def _logarithm(base: float) -> tuple[Callable[[float], float], str]:
    """The function, and its expression over `x`."""
    if base == e:
        return log, "<log>(x)"
    if base == 2:
        return log2, "<log2>(x)"
    if base == 10:
        return log10, "<log10>(x)"
    divisor = log(base)
    return lambda x: log(x) / divisor, f"<log>(x) / {divisor!r}"


ROWS = (
    Row("exp", _exp, Loss.LOSSLESS, "but where the power is too small for a float, and becomes 0"),
    Row("log", _log, Loss.LOSSLESS, "but for the values under epsilon, and floating-point rounding"),
)
