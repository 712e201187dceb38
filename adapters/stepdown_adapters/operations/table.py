"""The table of all operations, by name."""

from __future__ import annotations

from stepdown_adapters.operations import (
    boxes,
    encodings,
    error_envelopes,
    logarithms,
    multiples,
    quantised,
    raw_tensors,
    scalars,
    selecting,
    shapes,
    tensors,
    texts,
    times,
    vectors,
)
from stepdown_adapters.operations.carry import Carry
from stepdown_adapters.operations.convert import Row
from stepdown_adapters.operations.edits import Add, Remove, Replace, Test
from stepdown_adapters.operations.envelope import HEAD_EDITS
from stepdown_adapters.operations.gathering import Concat, Count, Sum
from stepdown_adapters.operations.moves import Copy, Move, Unzip, Zip
from stepdown_adapters.operations.refuse import Refuse

EDITS = {
    kind.name: kind for kind in (Add, Remove, Replace, Test, Move, Copy, Zip, Unzip, Concat, Sum, Count, Carry, Refuse)
}
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
    *selecting.ROWS,
    *texts.ROWS,
    *encodings.ROWS,
    *times.ROWS,
)
CONVERSIONS: dict[str, Row] = {row.name: row for row in _ROWS}
NAMES = ("in", "case", *EDITS, *CONVERSIONS, *HEAD_EDITS)
