"""What references of a contract lead to, while the schema around them is being changed.

References are JSON Pointers from the root, and effects rebuild the root. Definitions are never changed, so references
into `$defs` stay right. A reference to anything else, such as `#` of a tree or `#/properties/x`, is first turned into
one to a copy of the whole contract among the definitions.
"""

from __future__ import annotations

from typing import Any

from stepdown_adapters.contract.keywords import Schema, at, children

_CONTAINERS = ("$defs", "definitions")
_STABLE = tuple(f"#/{container}/" for container in _CONTAINERS)


class References:
    """The definitions of one contract."""

    def __init__(self, definitions: dict[str, dict[str, Any]] | None = None) -> None:
        self._definitions = definitions or {}
        self._found: dict[str, Schema] = {}
        self.shapes: dict[int, tuple[Schema, list[dict[str, Any]]]] = {}
        """Shapes of schemas that were opened, by the schema's identity; each is kept, so that none gets another's."""

    def target(self, reference: Any) -> Schema:
        """The schema at a reference; `True` where it leads nowhere, for then nothing is known."""
        if not isinstance(reference, str):
            return True
        if reference not in self._found:
            try:
                found = at(self._definitions, reference.removeprefix("#"))
            except (LookupError, ValueError):
                found = True
            self._found[reference] = found if isinstance(found, dict | bool) else True
        return self._found[reference]

    def closed(self, schema: Schema) -> Schema:
        """The schema in one piece, with those definitions that it reaches."""
        if not isinstance(schema, dict) or not self._definitions:
            return schema
        reached: dict[str, dict[str, Any]] = {}
        waiting: list[Any] = [schema]
        while waiting:
            inner = waiting.pop()
            if not isinstance(inner, dict):
                continue
            reference = inner.get("$ref")
            if isinstance(reference, str) and reference.startswith(_STABLE):
                container, name = reference.split("/")[1:3]
                name = name.replace("~1", "/").replace("~0", "~")
                known = reached.setdefault(container, {})
                if name not in known and name in self._definitions.get(container, {}):
                    known[name] = self._definitions[container][name]
                    waiting.append(known[name])
            waiting += [child for _, child in children(inner)]
        return {**schema, **{container: known for container, known in reached.items() if known}}


def rooted(schema: Schema) -> tuple[Schema, References]:
    """The root without its definitions, and the references into them."""
    if not isinstance(schema, dict):
        return schema, References()
    if not _all_stable(schema):
        name = "contract"
        while name in schema.get("$defs", {}):
            name += "_"
        moved: dict[str, Any] = _moved(schema, f"#/$defs/{name}")
        copy = {keyword: value for keyword, value in moved.items() if keyword not in _CONTAINERS}
        schema = {**moved, "$defs": {**moved.get("$defs", {}), name: copy}}
    definitions = {container: schema[container] for container in _CONTAINERS if container in schema}
    return {keyword: value for keyword, value in schema.items() if keyword not in _CONTAINERS}, References(definitions)


def _all_stable(schema: dict[str, Any]) -> bool:
    waiting: list[Any] = [schema]
    while waiting:
        inner = waiting.pop()
        if isinstance(inner, dict):
            if "$ref" in inner and not str(inner["$ref"]).startswith(_STABLE):
                return False
            waiting += [child for _, child in children(inner)]
    return True


def _moved(schema: Any, home: str) -> Any:
    """A copy whose references to anything but definitions begin at `home`."""
    if not isinstance(schema, dict):
        return schema
    copy = dict(schema)
    for tokens, child in children(schema):
        if len(tokens) == 1:
            copy[tokens[0]] = _moved(child, home)
            continue
        if copy[tokens[0]] is schema[tokens[0]]:
            copy[tokens[0]] = schema[tokens[0]].copy()
        key = int(tokens[1]) if isinstance(copy[tokens[0]], list) else tokens[1]
        copy[tokens[0]][key] = _moved(child, home)
    reference = copy.get("$ref")
    if isinstance(reference, str) and not reference.startswith(_STABLE):
        copy["$ref"] = home + reference.removeprefix("#")
    return copy
