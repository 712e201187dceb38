"""Folds: values that events of a stream leave behind for events that follow, each under a name.

    id:     {on: response.created, last: /response/id}
    text:   {on: response.output_text.delta, join: /delta}
    finish:
      - {start: stop, on: response.output_item.added, where: {path: /item/type, equals: function_call}, set: tool_calls}
      - {on: response.incomplete, set: length}

A rule looks at the events that its selectors are for, and at its path in them: where that leads nowhere, nothing
changes. What is folded is read as `{carried: NAME}`, by the rules of the same adapter only, and belongs to one stream.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from stepdown_adapters.codec import Codec
from stepdown_adapters.operations.conditions import Condition
from stepdown_adapters.operations.members import look
from stepdown_adapters.paths import Path
from stepdown_adapters.runtime import MISSING
from stepdown_adapters.stream.adapting.selectors import Selector

HOWS = ("last", "first", "set", "sum", "count", "join", "list", "number")
"""What becomes of the values that a rule finds:

`last`, `first`: that one. `set`: a constant in its place. `sum`, `count`, `join`, `list`: of numbers, of whatever is
there, of texts, of anything. `number`: each different value gets the next number, from 0 on, and the fold is the number
of the value that came last: which tool call this event is about, say.
"""


@dataclass(frozen=True, slots=True)
class Fold:
    """One rule of one name."""

    name: str
    where: str
    selectors: tuple[Selector, ...]
    how: str
    path: Path
    constant: Any
    """What `set` puts there."""
    conditions: tuple[Condition, ...]

    def value(self, document: Any, codec: Codec) -> Any:
        """The event's value, plain; `MISSING` where it has none. Raises `Refusal`."""
        if not all(condition.holds(document, codec) for condition in self.conditions):
            return MISSING
        if self.how == "set":
            return self.constant
        found = look(document, self.path, codec)
        if found is MISSING:
            return MISSING
        return True if self.how == "count" else codec.plain(found)
