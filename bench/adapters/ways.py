"""The ways that are timed, by name, as calls without arguments; each must first give the document that is expected."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import orjson

from bench.adapters import chain, loop, tensors
from stepdown_adapters.context import Context
from stepdown_adapters.generate import compile_chain
from stepdown_adapters.interpret import run
from stepdown_adapters.operations import parse

Ways = dict[str, Callable[[], bytes]]

COMPILED = "stepdown, compiled chain"
INTERPRETED = "stepdown, reference interpreter"
BY_HAND = "by hand"
LOOP = "a loop over the operations"
COPY = "orjson loads + dumps"
TOLERANCE = 1e-12
"""How far two ways to compute the same number may lie apart."""


def of_chain(others: Mapping[str, Callable[[bytes], bytes]]) -> Ways:
    """Three steps over an answer of 1 KB; `others` are more functions from body to body that do the same.

    Raises `ValueError` if one of them does something else than the code by hand.
    """
    operations = [operation for step in chain.STEPS for operation in step.response]
    ways: Ways = {
        COMPILED: partial(compile_chain(chain.STEPS).response, chain.BODY, Context()),
        BY_HAND: partial(chain.by_hand, chain.BODY),
        LOOP: partial(loop.convert, chain.BODY, operations),
        INTERPRETED: partial(_interpreted, parse(operations), chain.BODY),
        **{name: partial(convert, chain.BODY) for name, convert in others.items()},
    }
    expected = orjson.loads(chain.by_hand(chain.BODY))
    for name, way in ways.items():
        _require(name, expected, way)
    return {**ways, COPY: partial(chain.copied, chain.BODY)}


def of_tensor(shape: tuple[int, int]) -> Ways:
    """One tensor of `shape` to predictions, and a mere copy; raises `ValueError` if the predictions are wrong."""
    body = tensors.body(shape)
    convert = partial(compile_chain([tensors.STEP]).response, body, Context())
    _require(f"a tensor of {list(shape)}", tensors.predictions(shape), convert)
    return {COMPILED: convert, COPY: partial(chain.copied, body)}


def _interpreted(operations: Any, body: bytes) -> bytes:
    return orjson.dumps(run(operations, orjson.loads(body)))


def _require(name: str, expected: Any, way: Callable[[], bytes]) -> None:
    found = orjson.loads(way())
    if not alike(found, expected):
        raise ValueError(f"{name}: {found!r}, but {expected!r} is expected")


def alike(one: Any, other: Any) -> bool:
    """Whether two documents say the same; floats may lie `TOLERANCE` apart."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(alike(one[name], other[name]) for name in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(alike, one, other))
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=TOLERANCE)
    return type(one) is type(other) and bool(one == other)
