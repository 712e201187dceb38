"""Conversions to and from text: join, split, format."""

from __future__ import annotations

from typing import Any

from stepdown_adapters import paths
from stepdown_adapters.codec import PLAIN
from stepdown_adapters.contract.keywords import Schema
from stepdown_adapters.errors import PathError, Refusal
from stepdown_adapters.json_values import kind, require_array
from stepdown_adapters.operations.base import Loss
from stepdown_adapters.operations.convert import Row, Scalar
from stepdown_adapters.operations.members import need
from stepdown_adapters.operations.options import Options, is_name
from stepdown_adapters.operations.scalars import to_string
from stepdown_adapters.paths import Member, Path


def text(value: Any) -> str:
    """The value, if it is a string."""
    if isinstance(value, str):
        return value
    raise Refusal(f"{kind(value)} is not a string")


def text_effect(_schema: Schema) -> Schema:
    """Whatever there was becomes a string."""
    return {"type": "string"}


def _join(options: Options) -> Scalar:
    separator = options.get("separator", "a string", is_name, "")

    def convert(value: Any) -> str:
        array = require_array(value)
        for index, item in enumerate(array):
            if not isinstance(item, str):
                raise Refusal(f"item {index} is {kind(item)}, not a string")
        return str(separator.join(array))

    return Scalar(convert, effect=text_effect)


def _split(options: Options) -> Scalar:
    separator = options.need("separator", "a string that is not empty", lambda v: is_name(v) and bool(v), " ")

    def effect(_schema: Schema) -> Schema:
        return {"type": "array", "items": {"type": "string"}, "minItems": 1}

    return Scalar(lambda value: text(value).split(separator), effect=effect)


def _format(options: Options) -> Scalar:
    template = options.need("template", "a text such as {label}: {score}", is_name, "")
    parts = _parts(options, template)

    def convert(value: Any) -> str:
        return "".join(part if isinstance(part, str) else _shown(value, part) for part in parts)

    return Scalar(convert, effect=text_effect)


def _shown(value: Any, path: Path) -> str:
    found = need(value, path, PLAIN, "for the template")
    if found is None or isinstance(found, list | dict):
        raise Refusal(f"{path or 'the value'} is {kind(found)}, and a template takes strings, numbers and booleans")
    return to_string(found)


def _parts(options: Options, template: str) -> list[str | Path]:
    """The template's texts and fields, in order: `{}` is the value, `{name}` a member, `{/a/b}` a path."""
    parts: list[str | Path] = []
    at = 0
    while at < len(template):
        character = template[at]
        if template[at : at + 2] in ("{{", "}}"):
            parts.append(character)
            at += 2
        elif character == "{":
            end = template.find("}", at)
            if end < 0:
                options.problem("template", f"the brace at character {at + 1} is not closed; a brace itself is {{{{")
                return parts
            parts.append(_field(options, template[at + 1 : end]))
            at = end + 1
        elif character == "}":
            options.problem("template", f"the brace at character {at + 1} closes nothing; a brace itself is }}}}")
            return parts
        else:
            end = min((found for found in (template.find("{", at), template.find("}", at)) if found >= 0), default=-1)
            parts.append(template[at:] if end < 0 else template[at:end])
            at = len(template) if end < 0 else end
    return parts


def _field(options: Options, name: str) -> Path:
    if name and not name.startswith("/"):
        return Path((Member(name),))
    try:
        path = paths.parse(name)
    except PathError as error:
        options.problem("template", f"the field {{{name}}}: {error}")
        return paths.ROOT
    if path.many:
        options.problem("template", f"the field {{{name}}} is one value, so * cannot stand in it")
    return path


ROWS = (
    Row("join", _join, Loss.LOSSY, "where an item ends is lost, unless no item holds the separator"),
    Row("split", _split, Loss.LOSSLESS, "join undoes it"),
    Row("format", _format, Loss.LOSSY, "members become one text, and those that it does not show are lost"),
)
