"""Conversions of single values: map_values, cast, linear, clamp, round, sigmoid, logit, threshold."""

from __future__ import annotations

import re
from math import exp, isfinite, log
from typing import Any

from stepdown_adapters.code import literal
from stepdown_adapters.effects import scalars as effects
from stepdown_adapters.errors import Refusal
from stepdown_adapters.json_values import kind
from stepdown_adapters.operations.base import Loss
from stepdown_adapters.operations.convert import Row, Scalar
from stepdown_adapters.operations.options import Options, is_count, is_name, is_number
from stepdown_adapters.runtime import MISSING, copied

_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_UNMAPPED = ("fail", "default", "remove")
_LONGEST_NUMBER = 400
"""Characters; int() of unbounded digits is a denial of service."""
_INTEGERS = range(-(2**63), 2**64)
"""What a JSON integer may be so that every decoder of 64-bit integers reads it."""


def number(value: Any) -> int | float:
    """The value, if it is a number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Refusal(f"{kind(value)} is not a number")
    if isinstance(value, float) and not isfinite(value):  # 1e999, where its text was kept
        raise Refusal("the number is too large for floating point")
    return value


def as_float(value: Any) -> float:
    """The value as a float, if it is a number that fits."""
    try:
        return float(number(value))
    except OverflowError:
        raise Refusal("the number is too large for floating point") from None


def finite(value: int | float) -> int | float:
    """The value, if it has a JSON form."""
    if not isfinite(value):
        raise Refusal("the result is not a finite number")
    return value


def _map_values(options: Options) -> Scalar:
    table = options.need("table", "a mapping of old values to new ones", _is_table, {})
    policy = options.choice("on_unmapped", _UNMAPPED, "default" if options.has("default") else "fail")
    default = options.value("default") if policy == "default" else None

    def convert(value: Any) -> Any:
        new = table.get(table_key(value), MISSING)
        if new is MISSING:
            if policy == "fail":
                raise Refusal(f"the table has nothing for {_shown(value)}")
            return copied(default) if policy == "default" else MISSING
        return copied(new)

    effect = effects.mapped(table, [default] if policy == "default" else [])
    inline, constants = "", {}
    if not any(isinstance(new, dict | list) for new in table.values()):  # those would have to be copied
        inline, constants = "<table>[x] if x in <table> else convert(x)", {"table": table}
    return Scalar(convert, inline, constants, effect, str, removes=policy == "remove")


def _is_table(value: Any) -> bool:
    return isinstance(value, dict) and bool(value) and all(map(is_name, value))


def table_key(value: Any) -> str:
    """The name under which a table holds a scalar: a string itself, else its JSON text (`1.0` counts as `1`)."""
    if isinstance(value, str):
        return value
    if value is None or isinstance(value, bool):
        return literal(value).lower().replace("none", "null")
    if isinstance(value, int | float):
        return str(int(value)) if value == int(value) else repr(value)
    raise Refusal(f"{kind(value)} is not a value that a table maps")


def _shown(value: Any) -> str:
    text = literal(value)
    return text if len(text) <= 40 else text[:37] + "..."


def _cast(options: Options) -> Scalar:
    to = options.choice("to", ("string", "integer", "number", "boolean"))
    functions = {"string": to_string, "integer": to_integer, "number": to_number, "boolean": to_boolean}
    return Scalar(functions[to], effect=effects.cast(to))


def to_string(value: Any) -> str:
    """A scalar's text; a number's JSON text."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr(number(value))


def to_number(value: Any) -> int | float:
    """A number, the number that a string reads as, or 0 and 1 for a boolean."""
    if isinstance(value, bool):
        return int(value)
    if not isinstance(value, str):
        return number(value)
    found = _NUMBER.fullmatch(value) if len(value) <= _LONGEST_NUMBER else None
    if not found:
        raise Refusal(f"the string {_shown(value)} is not a number")
    return finite(float(value)) if found[1] or found[2] else in_range(int(value))


def to_integer(value: Any) -> int:
    """A number that has no fraction, as an integer."""
    read = to_number(value)
    if read != int(read):
        raise Refusal("the number has a fraction; round it first")
    return in_range(int(read)) if isinstance(read, float) else read


def to_boolean(value: Any) -> bool:
    """A boolean, 0 or 1, or the text of a boolean."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        if value in ("true", "false"):
            return value == "true"
        raise Refusal(f"the string {_shown(value)} is neither true nor false")
    if number(value) in (0, 1):
        return bool(value == 1)
    raise Refusal("the number is neither 0 nor 1")


def in_range(value: int) -> int:
    """The integer, if 64 bits hold it."""
    if value not in _INTEGERS:
        raise Refusal("the integer is over 64 bits")
    return value


def _linear(options: Options) -> Scalar:
    scale = options.get("scale", "a number", is_number, 1)
    offset = options.get("offset", "a number", is_number, 0)
    if not options.has("scale") and not options.has("offset"):
        options.problem(None, "needs scale or offset")
    if scale == 0:
        options.problem("scale", "a scale of 0 loses every value; use replace")

    def convert(value: Any) -> int | float:
        read = number(value)
        try:
            return finite(read * scale + offset)
        except OverflowError:
            raise Refusal("the result is too large for floating point") from None

    line = f"x * {literal(scale)} + {literal(offset)}"
    # A comparison with infinities also refuses NaN, and costs less than a call of isfinite.
    inline = f"y if -1e309 < (y := {line}) < 1e309 else convert(x)"
    return Scalar(convert, inline, effect=effects.linear(scale, offset))


def _clamp(options: Options) -> Scalar:
    low: int | float | None = options.get("min", "a number", is_number, None)
    high: int | float | None = options.get("max", "a number", is_number, None)
    if low is None and high is None:
        options.problem(None, "needs min or max")
    if low is not None and high is not None and low > high:
        options.problem("min", "min is over max")

    def convert(value: Any) -> int | float:
        read = number(value)
        if low is not None and read < low:
            return low
        return high if high is not None and read > high else read

    inline = "x"
    if high is not None:
        inline = f"{literal(high)} if x > {literal(high)} else {inline}"
    if low is not None:
        inline = f"{literal(low)} if x < {literal(low)} else {inline}"
    return Scalar(convert, inline, effect=effects.clamp(low, high))


def _round(options: Options) -> Scalar:
    digits = options.get("digits", "a whole number from 0 to 15", lambda v: is_count(v) and v <= 15, 0)

    def convert(value: Any) -> int | float:
        read = number(value)
        if isinstance(read, int):
            return read
        return in_range(round(read)) if digits == 0 else round(read, digits)

    inline = f"round(x, {digits})" if digits else f"round(x) if -{2**53} < x < {2**53} else convert(x)"
    return Scalar(convert, inline, effect=effects.rounded(digits))


def sigmoid(value: Any) -> float:
    """`1 / (1 + e^-x)`, in the form that cannot overflow."""
    x = as_float(value)
    if x >= 0.0:
        return 1.0 / (1.0 + exp(-x))
    y = exp(x)
    return y / (1.0 + y)


def _sigmoid(_options: Options) -> Scalar:
    inline = "1.0 / (1.0 + <exp>(-x)) if x >= 0.0 else (y := <exp>(x)) / (1.0 + y)"
    return Scalar(sigmoid, inline, {"exp": exp}, effects.of_numbers(effects.probability))


def _logit(options: Options) -> Scalar:
    epsilon = options.get("epsilon", "a number between 0 and 0.5", lambda v: is_number(v) and 0 < v < 0.5, 0)

    def convert(value: Any) -> float:
        x = as_float(value)
        if not 0.0 <= x <= 1.0:
            raise Refusal("the number is no probability from 0 to 1")
        x = min(max(x, epsilon), 1.0 - epsilon)
        if x in (0.0, 1.0):
            raise Refusal(f"the logit of {x:.0f} is infinite; give an epsilon")
        return log(x / (1.0 - x))

    low = epsilon if epsilon else 0.0
    inline = f"<log>(x / (1.0 - x)) if {low!r} < x < {1.0 - low!r} else convert(x)"
    return Scalar(convert, inline, {"log": log}, effects.of_numbers(effects.any_number))


def _threshold(options: Options) -> Scalar:
    at = options.need("at", "a number", is_number, 0.0)
    above = options.value("above") if options.has("above") else True
    below = options.value("below") if options.has("below") else False

    def convert(value: Any) -> Any:
        return copied(above if number(value) >= at else below)

    try:
        inline = f"{literal(above)} if x >= {literal(at)} else {literal(below)}"
    except ValueError:  # noted as a problem by `value`
        inline = ""
    return Scalar(convert, inline, effect=effects.threshold(at, above, below))


ROWS = (
    Row("map_values", _map_values, Loss.LOSSY, "lossless only where no two values map to one", fills=False),
    Row("cast", _cast, Loss.LOSSLESS, "refuses what would lose something; the text of a number may change"),
    Row(
        "linear",
        _linear,
        Loss.LOSSLESS,
        "but for floating-point rounding",
        operands={"scale": 1, "offset": 0},
        late_effect=effects.any_number,
    ),
    Row(
        "clamp",
        _clamp,
        Loss.LOSSY,
        "values over a bound become the bound",
        operands={"min": -1.7e308, "max": 1.7e308},
        late_effect=effects.any_number,
    ),
    Row("round", _round, Loss.LOSSY, "digits are lost; half goes to even"),
    Row("sigmoid", _sigmoid, Loss.LOSSLESS, "but where probabilities get as near to 0 or 1 as floats do"),
    Row("logit", _logit, Loss.LOSSLESS, "but for the values that epsilon holds apart from 0 and 1"),
    Row("threshold", _threshold, Loss.LOSSY, "scores become labels", operands={"at": 0.5, "above": 1, "below": 0}),
)
