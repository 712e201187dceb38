"""Conditions on a measured `result`, in the part of Argo Rollouts' expression language that analyses are written in.

    either     = both { ("||" | "or") both }
    both       = term { ("&&" | "and") term }
    term       = ("!" | "not") term | comparison
    comparison = value [ ("==" | "!=" | "<" | "<=" | ">" | ">=") value ]
    value      = number | "nil" | "true" | "false" | "result" | value "[" number "]" | function "(" values ")"
               | "(" either ")"
    function   = "isNaN" | "isInf" | "isNil" | "len" | "default" | "asFloat" | "asInt"

`||` and `&&` look at their right side only where the left one does not decide, so that a list can be asked for its
length first. What cannot be compared (a number with nil, an item that is not there) is an error, never false.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import NoReturn

Value = float | bool | None | tuple[float, ...]
Condition = Callable[[Value], bool]
_Node = Callable[[Value], Value]

_TOKEN = re.compile(r"\s*(?:(\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|\.\d+)|([A-Za-z]+)|(\|\||&&|[=!<>]=|[<>!()\[\],-]))")
_COMPARE: Mapping[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_NAMES: Mapping[str, Value] = {"nil": None, "true": True, "false": False}


class ConditionError(ValueError):
    """A condition that cannot be read, or that cannot be answered for this result."""


@lru_cache(maxsize=256)
def condition(text: str) -> Condition:
    """The condition as a function; it raises `ConditionError` for a result for which there is no answer."""
    reader = _Reader(text)
    node = reader.either()
    reader.end()

    def holds(result: Value) -> bool:
        found = node(result)
        if not isinstance(found, bool):
            raise ConditionError(f"`{text}` is {_kind(found)}, not true or false")
        return found

    return holds


_DEALS = re.compile(r"\b(?:isNaN|isInf|isNil|len|default|nil)\b").search


def deals_with_anything(text: str) -> bool:
    """Whether a condition looks by itself for `NaN`, for infinities, for nothing, or how many values there are."""
    return _DEALS(text) is not None


class _Reader:
    """Reads one condition from left to right."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens: list[str] = []
        at = 0
        while at < len(text.rstrip()):
            found = _TOKEN.match(text, at)
            if found is None:
                raise ConditionError(f"`{text}` cannot be read from `{text[at:].strip()}` on")
            self.tokens.append(found[0].strip())
            at = found.end()
        self.tokens.reverse()

    def either(self) -> _Node:
        node = self.both()
        while self.takes("||", "or"):
            node = _or(node, self.both())
        return node

    def both(self) -> _Node:
        node = self.term()
        while self.takes("&&", "and"):
            node = _and(node, self.term())
        return node

    def term(self) -> _Node:
        if self.takes("!", "not"):
            inner = self.term()
            return lambda result: not _truth(inner(result))
        return self.comparison()

    def comparison(self) -> _Node:
        left = self.value()
        if self.takes("=="):
            right = self.value()
            return lambda result: left(result) == right(result)
        if self.takes("!="):
            right = self.value()
            return lambda result: left(result) != right(result)
        if self.tokens and self.tokens[-1] in _COMPARE:
            compare, bound = _COMPARE[self.tokens.pop()], self.value()
            return lambda result: compare(_number(left(result)), _number(bound(result)))
        return left

    def value(self) -> _Node:
        node = self.single()
        while self.takes("["):
            node = _item(node, self.value())
            self.expects("]")
        return node

    def single(self) -> _Node:
        if self.takes("("):
            node = self.either()
            self.expects(")")
            return node
        if self.takes("-"):
            inner = self.value()
            return lambda result: -_number(inner(result))
        word = self.tokens.pop() if self.tokens else self.fails("its end")
        if word == "result":
            return lambda result: result
        if word in _FUNCTIONS:
            return self.call(word)
        if word in _NAMES:
            return _constant(_NAMES[word])
        if word[0].isdigit() or word[0] == ".":
            return _constant(float(word))
        return self.fails(f"`{word}`")

    def call(self, name: str) -> _Node:
        function, wanted = _FUNCTIONS[name]
        self.expects("(")
        arguments = [self.either()]
        while self.takes(","):
            arguments.append(self.either())
        self.expects(")")
        if len(arguments) != wanted:
            raise ConditionError(f"`{self.text}`: {name} takes {wanted}, not {len(arguments)}")
        return lambda result: function(*(argument(result) for argument in arguments))

    def takes(self, *tokens: str) -> bool:
        if self.tokens and self.tokens[-1] in tokens:
            self.tokens.pop()
            return True
        return False

    def expects(self, token: str) -> None:
        if not self.takes(token):
            self.fails(f"`{self.tokens[-1]}` instead of `{token}`" if self.tokens else f"its end instead of `{token}`")

    def end(self) -> None:
        if self.tokens:
            self.fails(f"`{self.tokens[-1]}`")

    def fails(self, what: str) -> NoReturn:
        raise ConditionError(f"`{self.text}` cannot be read: {what} is not expected")


def _constant(value: Value) -> _Node:
    return lambda _: value


def _or(left: _Node, right: _Node) -> _Node:
    return lambda result: _truth(left(result)) or _truth(right(result))


def _and(left: _Node, right: _Node) -> _Node:
    return lambda result: _truth(left(result)) and _truth(right(result))


def _item(node: _Node, place: _Node) -> _Node:
    def item(result: Value) -> Value:
        found, at = node(result), int(_number(place(result)))
        if not isinstance(found, tuple):
            raise ConditionError(f"{_kind(found)} has no items")
        if not 0 <= at < len(found):
            raise ConditionError(f"there is no item {at} among {len(found)}")
        return found[at]

    return item


def _truth(value: Value) -> bool:
    if not isinstance(value, bool):
        raise ConditionError(f"{_kind(value)} is not true or false")
    return value


def _number(value: Value) -> float:
    if not isinstance(value, float):
        raise ConditionError(f"{_kind(value)} is no number")
    return value


def _length(value: Value) -> Value:
    if not isinstance(value, tuple):
        raise ConditionError(f"{_kind(value)} has no length")
    return float(len(value))


def _kind(value: Value) -> str:
    if value is None:
        return "nil"
    return {bool: "true or false", tuple: "a list"}.get(type(value), "a number")


_FUNCTIONS: Mapping[str, tuple[Callable[..., Value], int]] = {
    "isNaN": (lambda value: math.isnan(_number(value)), 1),
    "isInf": (lambda value: math.isinf(_number(value)), 1),
    "isNil": (lambda value: value is None, 1),
    "len": (_length, 1),
    "default": (lambda value, otherwise: otherwise if value is None else value, 2),
    "asFloat": (_number, 1),
    "asInt": (lambda value: float(math.trunc(_number(value))), 1),
}
