"""The reference interpreter: what a list of operations means, on plain values and without generated code.

It defines the meaning and serves tests, `explain` and proof; live documents go through `generate`.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from stepdown_adapters.context import Context, Scene

if TYPE_CHECKING:
    from stepdown_adapters.operations.base import Operation


def run(operations: Sequence[Operation], document: Any, context: Context | None = None) -> Any:
    """The document after all operations; the one given stays as it was. Raises `Refusal`."""
    holder = [copy.deepcopy(document)]
    scene = Scene(holder, Context() if context is None else context)
    for operation in operations:
        operation.apply(holder, 0, scene)
    return holder[0]
