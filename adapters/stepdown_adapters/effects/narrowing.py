"""What is left of a schema when its values are known to equal one value."""

from __future__ import annotations

from typing import Any

from stepdown_adapters.contract.keywords import Schema
from stepdown_adapters.effects.references import References
from stepdown_adapters.effects.shapes import MEANING, opened
from stepdown_adapters.effects.values import may_hold


def equal_to(schema: Schema, value: Any, references: References) -> Schema:
    """The value alone, with what the schema says that it means; `False` where no value of the schema equals it."""
    holding = [shape for shape in opened(schema, references) if may_hold(shape, value)]
    if not holding:
        return False
    meaning = holding[0].get(MEANING) if len(holding) == 1 else None
    return {"const": value, MEANING: meaning} if meaning else {"const": value}
