"""The table of all operations, by name."""

from __future__ import annotations

from stepdown_adapters.operations import scalars, shapes, tensors
from stepdown_adapters.operations.carry import Carry
from stepdown_adapters.operations.convert import Row
from stepdown_adapters.operations.edits import Add, Remove, Replace, Test
from stepdown_adapters.operations.envelope import HEAD_EDITS
from stepdown_adapters.operations.moves import Copy, Move, Unzip, Zip

EDITS = {kind.name: kind for kind in (Add, Remove, Replace, Test, Move, Copy, Zip, Unzip, Carry)}
CONVERSIONS: dict[str, Row] = {row.name: row for row in (*scalars.ROWS, *shapes.ROWS, *tensors.ROWS)}
NAMES = ("in", *EDITS, *CONVERSIONS, *HEAD_EDITS)
