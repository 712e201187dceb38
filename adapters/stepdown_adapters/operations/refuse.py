"""The operation `refuse`: says openly that what is there, or all of it, cannot be had in the older shape."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from stepdown_adapters.code import Code, literal
from stepdown_adapters.codec import PLAIN
from stepdown_adapters.context import Scene
from stepdown_adapters.contract.keywords import Schema
from stepdown_adapters.effects.study import Study
from stepdown_adapters.errors import Refusal
from stepdown_adapters.operations.base import Loss, Operation, Use
from stepdown_adapters.operations.conditions import Condition, conditions
from stepdown_adapters.operations.options import Options, is_name
from stepdown_adapters.paths import Path


@dataclass(frozen=True, kw_only=True)
class Refuse(Operation):
    """Refuses every document, or those for which all conditions hold; without any, no adapter can exist."""

    name: ClassVar[str] = "refuse"
    loss: ClassVar[Loss] = Loss.LOSSY
    note: ClassVar[str] = "what is refused has no older shape"
    reason: str
    conditions: tuple[Condition, ...]

    @classmethod
    def parse(cls, options: Options) -> Refuse:
        """From `{reason, when}`."""
        reason = options.need("reason", "a sentence that says why", lambda v: is_name(v) and bool(v.strip()), "")
        found = conditions(options, "when") if options.has("when") else ()
        return cls(where=options.where, reason=reason, conditions=found)

    @property
    def refuses(self) -> bool:
        """See the base."""
        return True

    @property
    def always(self) -> bool:
        """Whether no document gets by: the step is impossible, and only old servers can answer old clients."""
        return not self.conditions

    def apply(self, container: Any, key: Any, scene: Scene) -> None:
        """See the base."""
        if all(condition.holds(container[key], PLAIN) for condition in self.conditions):
            raise Refusal(self.reason)

    def emit(self, code: Code, spot: str) -> None:
        """See the base."""
        tests = [f"{code.constant(condition.holds, 'holds')}({spot}, codec)" for condition in self.conditions]
        with code.block(f"if {' and '.join(tests) or 'True'}:"):
            code.line(f"raise Refusal({literal(self.reason)})")

    def effect(self, schema: Schema, study: Study) -> Schema:
        """See the base: what gets by is as it was."""
        return False if self.always else schema

    def uses(self) -> Iterator[Use]:
        """See the base."""
        for condition in self.conditions:
            yield Use(condition.path, keeps=True)

    @property
    def about(self) -> Path:
        """The first place that is tested."""
        return self.conditions[0].path if self.conditions else Path()
