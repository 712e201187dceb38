"""What every operation is: parsed options, a concrete function, emitted code, and a word on what it loses.

An operation acts on one *spot*: a container and a key in it. The whole document is the spot `([document], 0)`, so that
replacing it is nothing special. `apply` works on plain values and defines what the operation means; `emit` writes code
that does the same to a lazy document, and is tested to be equal on generated documents.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, ClassVar

from stepdown_adapters.code import Code
from stepdown_adapters.context import Scene
from stepdown_adapters.contract.keywords import Schema
from stepdown_adapters.effects.study import Study
from stepdown_adapters.paths import Path

if TYPE_CHECKING:
    from stepdown_adapters.operations.operand import Operand


class Loss(Enum):
    """Whether the newer document could be told from the older one."""

    LOSSLESS = "lossless"
    LOSSY = "lossy"


@dataclass(frozen=True, slots=True)
class Use:
    """One path that an operation uses, for the check against contracts."""

    path: Path
    writes: bool = False
    """Whether the path is where something new comes to be, rather than where something is read."""
    keeps: bool = False
    """Whether what is at the path is afterwards as it was."""
    absolute: bool = False
    """Whether the path starts at the document's root, even inside of `in`."""


@dataclass(frozen=True, kw_only=True)
class Operation(ABC):
    """One step of an adapter."""

    name: ClassVar[str]
    loss: ClassVar[Loss]
    note: ClassVar[str]
    """Half a sentence on what is lost, or why nothing is."""

    where: str
    """Index path in the list that it was parsed from, such as `[1]/do/0`."""

    @abstractmethod
    def apply(self, container: Any, key: Any, scene: Scene) -> None:
        """Changes the plain value `container[key]`; raises `Refusal` where it cannot.

        `scene` has the whole document and the request, for the operations that look beyond their spot.
        """

    @abstractmethod
    def emit(self, code: Code, spot: str) -> None:
        """Writes code for the lazy value that the expression `spot` (a name or a subscript) stands for."""

    def effect(self, schema: Schema, study: Study) -> Schema:
        """A schema of every value that `apply` can leave where a value of `schema` was; `False` if it always refuses.

        References are into the contract of `study`. Nothing is known of an operation that does not say.
        """
        return True

    @abstractmethod
    def uses(self) -> Iterator[Use]:
        """The paths that it reads and writes."""

    @property
    def about(self) -> Path:
        """The path that its errors name."""
        return next((use.path for use in self.uses()), Path())

    @property
    def refuses(self) -> bool:
        """Whether it is there to refuse documents."""
        return False

    @property
    def reads_whole(self) -> bool:
        """Whether it wants the document unopened, because it decodes it faster as a whole."""
        return False

    def likely(self, document: Any) -> Any:
        """A document like this one that it refuses more rarely, where it knows one; for who draws documents."""
        return document

    def inner(self) -> tuple[Operation, ...]:
        """Operations inside this one."""
        return ()

    @property
    def inside(self) -> Path:
        """Where the paths of the operations inside this one start."""
        return self.about

    @property
    def operands(self) -> tuple[Operand, ...]:
        """What it takes its values from."""
        return ()

    @property
    def needs(self) -> frozenset[str]:
        """What of the request has to be kept for it and those inside: `body`, `params`, `headers`, `carried`."""
        return frozenset().union(*(part.needs for part in (*self.operands, *self.inner())))
