"""Runs operations twice, by the reference interpreter and by generated code, and compares."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from stepdown_adapters.context import Context
from stepdown_adapters.errors import AdaptError, Refusal
from stepdown_adapters.generate import CompiledChain, compile_chain
from stepdown_adapters.interpret import run
from stepdown_adapters.json_values import equal
from stepdown_adapters.operations import parse

REFUSED = "<refused>"


@dataclass(frozen=True)
class Step:
    """A step as a configuration declares it."""

    response: Sequence[Any] = ()
    request: Sequence[Any] = ()
    source: str = "2.0.0"
    target: str = "1.0.0"
    errors: Sequence[Any] = ()
    hook: str | None = None
    pruning: Sequence[Any] = ()
    non_finite: str = "fail"
    fidelity: str = "normal"


def compiled(*operations: Any, fidelity: str = "normal") -> CompiledChain:
    """A chain of one step with these response operations."""
    return compile_chain([Step(operations, fidelity=fidelity)])


def adapted(
    operations: Sequence[Any], body: bytes, fidelity: str = "normal", context: Callable[[], Context] = Context
) -> bytes:
    """The body after these response operations, by generated code; what the context carries counts as carried."""
    known = context()
    request = [{"carry": {"from": "", "as": name}} for name in known.carried]
    return compile_chain([Step(operations, request, fidelity=fidelity)]).response(body, known)


def refusal(operations: Sequence[Any], body: bytes, context: Callable[[], Context] = Context) -> AdaptError:
    """The error that these operations end in."""
    try:
        result = adapted(operations, body, context=context)
    except AdaptError as error:
        return error
    raise AssertionError(f"not refused: {result!r}")


def both(operations: Sequence[Any], document: Any, context: Callable[[], Context] = Context) -> Any:
    """The document after these operations, or `REFUSED`; interpreter, normal and strict code must agree.

    The members of objects may come in another order only where JSON says that it does not matter.
    """
    try:
        expected = run(parse(operations), document, context())
    except Refusal:
        expected = REFUSED
    body = json.dumps(document, ensure_ascii=False).encode()
    for fidelity in ("normal", "strict"):
        try:
            found = json.loads(adapted(operations, body, fidelity, context))
        except AdaptError:
            found = REFUSED
        assert equal(found, expected), f"{fidelity}: {found!r}, but the interpreter says {expected!r}"
    return expected
