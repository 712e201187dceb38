"""Pydantic models whose contracts are read by import path."""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, computed_field


class Plan(enum.Enum):
    """An enumeration."""

    FREE = "free"
    PAID = 2


class Label(BaseModel):
    """One side of a union."""

    kind: Literal["label"] = "label"
    name: str


class Box(BaseModel):
    """The other side."""

    kind: Literal["box"] = "box"
    corners: Annotated[
        tuple[float, float, float, float],
        Field(json_schema_extra={"x-semantic": {"kind": "box", "box_format": "xyxy"}}),
    ]


class Tree(BaseModel):
    """Recursion."""

    children: list[Tree] = []


class Answer(BaseModel):
    """Many kinds of fields."""

    model_config = ConfigDict(extra="forbid")

    score: Annotated[float, Field(ge=0, le=1, json_schema_extra={"x-semantic": {"kind": "probability"}})]
    found: list[Annotated[Label | Box, Field(discriminator="kind")]]
    at: datetime = datetime(2026, 1, 1, tzinfo=UTC)
    took: timedelta | None = None
    price: Decimal = Decimal("1.5")
    ident: UUID | None = None
    plan: Plan = Plan.FREE
    counts: dict[int, int] = {}
    tree: Tree = Tree()
    version: int = Field(default=1, alias="modelVersion")
    anything: Any = None

    @computed_field  # type: ignore[prop-decorator]
    @property
    def certain(self) -> bool:
        """In answers only."""
        return self.score > 0.9


class Wrong(BaseModel):
    """Has a meaning that there is not."""

    score: Annotated[float, Field(json_schema_extra={"x-semantic": {"kind": "probabilty", "unitt": "ms"}})]


class Doubtful(BaseModel):
    """Pydantic itself warns about its default."""

    model_config = ConfigDict(arbitrary_types_allowed=True)
    score: float = object()  # type: ignore[assignment]


class Unknowable(BaseModel):
    """A type without a JSON Schema."""

    call: Callable[[int], int]


def _raise(schema: dict[str, Any]) -> None:
    raise RuntimeError("no schema today")


class Raising(BaseModel):
    """Fails when it is asked for its schema."""

    model_config = ConfigDict(json_schema_extra=_raise)


@dataclass
class Point:
    """A dataclass."""

    x: float
    y: float = 0.0


POINTS = TypeAdapter(list[Point])
PERCENT = Annotated[int, Field(ge=0, le=100)]


class Outer:
    """Holds a model."""

    class Inner(BaseModel):
        """The model."""

        n: int


def function(x: int) -> int:
    """No type."""
    return x
