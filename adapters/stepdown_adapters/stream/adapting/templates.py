"""The document of an emitted event, written as it shall look, with references in the places of values.

    data:
      object: chat.completion.chunk
      id: {carried: id}
      choices: [{index: 0, delta: {content: {field: /delta}}, finish_reason: null}]

A reference is one as everywhere (`operations.operand`): a mapping with just that member, and perhaps a default. It may
stand at any depth. `{literal: ...}` is a constant that would be taken for one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from stepdown_adapters.code import Code, literal
from stepdown_adapters.context import Scene
from stepdown_adapters.operations.base import Loss, Operation, Use
from stepdown_adapters.operations.operand import Constant, Operand, Reference, read
from stepdown_adapters.operations.options import Options

Node = Operand | dict[str, Any] | list[Any]
"""An operand, or an object or array with nodes in it."""


@dataclass(frozen=True, kw_only=True)
class Make(Operation):
    """Puts what a template says in the place of the document."""

    name: ClassVar[str] = "data"
    loss: ClassVar[Loss] = Loss.LOSSY
    note: ClassVar[str] = "what the template does not refer to is lost"
    template: Node

    def apply(self, container: Any, key: Any, scene: Scene) -> None:
        """See the base."""
        container[key] = _made(self.template, container, key, scene)

    def emit(self, code: Code, spot: str) -> None:
        """See the base."""
        code.assign(spot, _expression(self.template, code, spot))

    def uses(self) -> Iterator[Use]:
        """See the base."""
        for operand in self.operands:
            yield from operand.uses()

    @property
    def operands(self) -> tuple[Operand, ...]:
        """See the base."""
        return tuple(_references(self.template))


def template(options: Options, key: str) -> Node:
    """The template of an option; mistakes in it are noted."""
    return _node(options, key, options.value(key))


def _node(options: Options, key: str, raw: Any) -> Node:
    if isinstance(raw, list):
        return [_node(options, key, item) for item in raw]
    operand = read(options, key, raw)
    if isinstance(operand, Reference) or not isinstance(raw, dict) or operand.value is not raw:
        return operand
    return {name: _node(options, key, member) for name, member in raw.items()}


def _made(node: Node, container: Any, key: Any, scene: Scene) -> Any:
    if isinstance(node, dict):
        return {name: _made(member, container, key, scene) for name, member in node.items()}
    if isinstance(node, list):
        return [_made(item, container, key, scene) for item in node]
    return node.get(container, key, scene)


def _expression(node: Node, code: Code, spot: str) -> str:
    if isinstance(node, dict):
        return "{" + ", ".join(f"{literal(name)}: {_expression(one, code, spot)}" for name, one in node.items()) + "}"
    if isinstance(node, list):
        return "[" + ", ".join(_expression(item, code, spot) for item in node) + "]"
    return node.emit(code, spot)


def _references(node: Node) -> Iterator[Reference]:
    if isinstance(node, dict | list):
        for inner in node.values() if isinstance(node, dict) else node:
            yield from _references(inner)
    elif not isinstance(node, Constant):
        yield node
