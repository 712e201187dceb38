"""The table of all operations, by name."""

from __future__ import annotations

from stepdown_adapters.operations import (
    boxes,
    error_envelopes,
    logarithms,
    multiples,
    quantised,
    raw_tensors,
    scalars,
    shapes,
    tensors,
    vectors,
)
from stepdown_adapters.operations.carry import Carry
from stepdown_adapters.operations.convert import Row
from stepdown_adapters.operations.edits import Add, Remove, Replace, Test
from stepdown_adapters.operations.envelope import HEAD_EDITS
from stepdown_adapters.operations.moves import Copy, Move, Unzip, Zip

EDITS = {kind.name: kind for kind in (Add, Remove, Replace, Test, Move, Copy, Zip, Unzip, Carry)}
_ROWS = (
    *scalars.ROWS,
    *shapes.ROWS,
    *tensors.ROWS,
    *logarithms.ROWS,
    *multiples.ROWS,
    *vectors.ROWS,
    *quantised.ROWS,
    *raw_tensors.ROWS,
    *boxes.ROWS,
    *error_envelopes.ROWS,
)
CONVERSIONS: dict[str, Row] = {row.name: row for row in _ROWS}
NAMES = ("in", *EDITS, *CONVERSIONS, *HEAD_EDITS)
