"""The operation `carry`: puts a value of a request aside for the adapters of its answer.

What is carried belongs to one exchange. A response list reads it by `{carried: NAME}`, and only what some request list
of the same chain carries, which is held against each other when a chain is compiled.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from stepdown_adapters import navigate, places
from stepdown_adapters.code import Code, literal
from stepdown_adapters.context import Scene
from stepdown_adapters.contract.keywords import Schema
from stepdown_adapters.effects.study import Study
from stepdown_adapters.errors import Problem, nearest
from stepdown_adapters.operations.base import Loss, Operation, Use
from stepdown_adapters.operations.operand import Reference
from stepdown_adapters.operations.options import OnMissing, Options, is_name
from stepdown_adapters.paths import Path
from stepdown_adapters.runtime import MISSING, copied


@dataclass(frozen=True, kw_only=True)
class Carry(Operation):
    """Puts a copy of a value aside under a name; the document stays as it is."""

    name: ClassVar[str] = "carry"
    loss: ClassVar[Loss] = Loss.LOSSLESS
    note: ClassVar[str] = "nothing changes"
    source: Path
    target: str
    on_missing: OnMissing

    @classmethod
    def parse(cls, options: Options) -> Carry:
        """From `{from, as, on_missing, default}`."""
        source = options.path("from")
        if source.many:
            options.problem("from", "carries one value, so * cannot stand in its path")
        target = options.need("as", "the name of what is carried", lambda v: is_name(v) and bool(v), "")
        return cls(where=options.where, source=source, target=target, on_missing=options.on_missing())

    def apply(self, container: Any, key: Any, scene: Scene) -> None:
        """See the base."""
        spot = places.only(container, key, self.source, fails=self.on_missing.fails)
        if spot is not None:
            scene.context.carried[self.target] = copied(spot[0][spot[1]])
        elif self.on_missing.fills:
            scene.context.carried[self.target] = copied(self.on_missing.default)

    def emit(self, code: Code, spot: str) -> None:
        """See the base."""
        carried = f"context.carried[{literal(self.target)}]"
        if self.on_missing.fills:
            code.line(f"{carried} = {literal(self.on_missing.default)}")

        def visit(place: str) -> None:
            code.line(f"{carried} = plain({place})")

        navigate.single(code, spot, self.source, visit, fails=self.on_missing.fails)

    def effect(self, schema: Schema, study: Study) -> Schema:
        """See the base: nothing changes."""
        return schema

    def uses(self) -> Iterator[Use]:
        """See the base."""
        yield Use(self.source, keeps=True)

    @property
    def needs(self) -> frozenset[str]:
        """See the base."""
        return frozenset({"carried"})


def names(operations: Iterable[Operation]) -> set[str]:
    """What these operations, those inside of others included, carry."""
    found: set[str] = set()
    for operation in operations:
        found |= {operation.target} if isinstance(operation, Carry) else names(operation.inner())
    return found


def uncarried(operations: Sequence[Operation], known: set[str]) -> list[Problem]:
    """The references to what is not carried, where they have no default; `known` is carried before."""
    problems: list[Problem] = []
    for operation in operations:
        for operand in operation.operands:
            if not isinstance(operand, Reference) or operand.source != "carried" or operand.default is not MISSING:
                continue
            if operand.name not in known:
                sentence = (
                    f"nothing is carried as {operand.name!r}: a request list of the chain needs "
                    f"{{carry: {{from: ..., as: {operand.name}}}}}, or the reference a default"
                )
                problems.append(Problem(operation.where, sentence, nearest(operand.name, known)))
        problems += uncarried(operation.inner(), known)
        known = known | names([operation])
    return problems


class Lists(Protocol):
    """The operations of one adapter of a chain."""

    @property
    def request(self) -> Sequence[Operation]:
        """Those on the request."""
        ...

    @property
    def response(self) -> Sequence[Operation]:
        """Those on the answer."""
        ...

    @property
    def errors(self) -> Sequence[Operation]:
        """Those on an answer that is an error."""
        ...


def uncarried_in(chain: Sequence[Lists]) -> Iterator[tuple[int, str, Problem]]:
    """What the adapters of a chain read and nothing in it carries: index of the adapter, name of its list, problem.

    Requests run through the chain from its last adapter up, answers from its first one down.
    """
    known: set[str] = set()
    for index in reversed(range(len(chain))):
        for problem in uncarried(chain[index].request, known):
            yield index, "request", problem
        known |= names(chain[index].request)
    for name in ("response", "errors"):
        carried = set(known)
        for index, one in enumerate(chain):
            listed = one.response if name == "response" else one.errors
            for problem in uncarried(listed, carried):
                yield index, name, problem
            carried |= names(listed)
