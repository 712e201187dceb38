"""One error of pydantic's, told in the file's words: what was found, what is allowed, the nearest right name."""

from __future__ import annotations

import re
import types
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic_core import ErrorDetails

from stepdown.config.file import Section
from stepdown.config.file.section import REFUSED
from stepdown.config.findings import Finding, nearest_name
from stepdown.config.tree import Node, Path, Scalar, describe, dotted, find, place_of

UNSUPPORTED = frozenset({"state"})
"""Words of the design that this version does not know yet: refused, but not as if they were typing errors."""

_ALLOWED: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "string_type": lambda _: "a text",
    "int_type": lambda _: "a whole number",
    "int_from_float": lambda _: "a whole number",
    "float_type": lambda _: "a number",
    "bool_type": lambda _: "true or false",
    "list_type": lambda _: "a list",
    "dict_type": lambda _: "a mapping",
    "model_type": lambda _: "a mapping",
    "greater_than": lambda context: f"more than {context['gt']:g}",
    "greater_than_equal": lambda context: f"a number from {context['ge']:.15g} on",
    "less_than_equal": lambda context: f"a number up to {context['le']:.15g}",
    "too_long": lambda context: f"at most {context['max_length']}",
    "too_short": lambda context: f"at least {context['min_length']}",
    "string_too_long": lambda context: f"at most {context['max_length']} characters",
}


def told(error: ErrorDetails, path: Path, root: Node, model: type[Section]) -> Finding:
    """The finding for `error`, which is about the part of the file at `path`."""
    kind, context = error["type"], error.get("ctx", {})
    if kind == "extra_forbidden":
        return _unknown_key(path, root, model)
    if kind == "missing":
        return _missing_key(str(error["loc"][-1]), path, root, model)
    found = find(root, path)
    of_key = error["loc"][-1] == "[key]"
    place, key = place_of(root, path, of_key=of_key), dotted(path)
    problem = f"found {describe(found)}"
    if of_key:
        problem = f'found "{path[-1]}"'
    if kind == REFUSED:
        return Finding(place, key, context["problem"] or problem, context["allowed"])
    if kind == "literal_error":
        choices = re.findall(r"'([^']*)'|(\d+)|True", context["expected"])
        names = [name or number or "true" for name, number in choices]
        near = nearest_name(found.text, names) if isinstance(found, Scalar) else ""
        return Finding(place, key, problem, " or ".join(names), near)
    allowed = _ALLOWED[kind](context) if kind in _ALLOWED else error["msg"]
    if kind == "string_type" and isinstance(found, Scalar) and found.value is not None:
        allowed += f'; quote it: "{found.text}"'
    return Finding(place, key, problem, allowed)


def _unknown_key(path: Path, root: Node, model: type[Section]) -> Finding:
    name = str(path[-1])
    place = place_of(root, path, of_key=True)
    if name in UNSUPPORTED:
        return Finding(place, dotted(path), f'"{name}" is not supported by this version')
    section = section_at(model, path[:-1])
    names = [field.alias or key for key, field in section.model_fields.items()] if section else []
    return Finding(place, dotted(path), f'found the unknown key "{name}"', ", ".join(names), nearest_name(name, names))


def _missing_key(name: str, path: Path, root: Node, model: type[Section]) -> Finding:
    section = section_at(model, path)
    fields = section.model_fields.items() if section else ()
    meaning = next((field.description for key, field in fields if (field.alias or key) == name), None) or "a value"
    place = place_of(root, path, of_key=True)
    return Finding(place, dotted(path), f'found no "{name}"', meaning[0].lower() + meaning[1:].removesuffix("."))


def section_at(model: type[Section], path: Path) -> type[Section] | None:
    """The section that the file has at `path`, by the annotations of the models."""
    annotation: Any = model
    for key in path:
        if isinstance(annotation, type) and issubclass(annotation, Section):
            fields = annotation.model_fields.items()
            annotation = next((field.annotation for name, field in fields if (field.alias or name) == key), None)
        else:
            annotation = get_args(annotation)[-1] if get_args(annotation) else None
        annotation = _holder(annotation)
    return annotation if isinstance(annotation, type) and issubclass(annotation, Section) else None


def _holder(annotation: Any) -> Any:
    """Of an annotation's variants the one that has keys or items."""
    if get_origin(annotation) is Annotated:
        return _holder(get_args(annotation)[0])
    if get_origin(annotation) in {Union, types.UnionType}:
        variants = [_holder(variant) for variant in get_args(annotation)]
        holders = (one for one in variants if get_origin(one) or (isinstance(one, type) and issubclass(one, Section)))
        return next(holders, None)
    return annotation
