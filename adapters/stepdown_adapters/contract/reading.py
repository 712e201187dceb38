"""JSON and YAML files read strictly: no duplicate names, no NaN, YAML 1.2 scalars, bounds on size."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from stepdown_adapters.errors import ContractError

MAX_BYTES = 1024 * 1024
MAX_VALUES = 1_000_000
"""A YAML file's aliases may stand for more than its bytes; no file of that size has more values without them."""
YAML_SUFFIXES = frozenset({".yaml", ".yml"})


def read(path: Path, place: str, most_bytes: int = MAX_BYTES) -> Any:
    """The value in a `.json`, `.yaml` or `.yml` file; raises `ContractError` naming `place`, line and column."""
    data = read_bytes(path, place, most_bytes)
    try:
        text = data.decode("utf-8-sig")
        if path.suffix.lower() in YAML_SUFFIXES:
            return _bounded(yaml.load(text, _StrictLoader))  # noqa: S506 - a SafeLoader with fewer types
        return json.loads(text, object_pairs_hook=_pairs, parse_constant=_constant)
    except UnicodeDecodeError as error:
        raise ContractError(place, f"is not UTF-8 at byte {error.start}") from error
    except RecursionError as error:
        raise ContractError(place, "is nested too deeply") from error
    except json.JSONDecodeError as error:
        raise ContractError(f"{place}:{error.lineno}:{error.colno}", f"is not JSON: {error.msg}") from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        spot = f"{place}:{mark.line + 1}:{mark.column + 1}" if mark else place
        raise ContractError(spot, f"is not YAML: {error.problem}") from error
    except (yaml.YAMLError, ValueError) as error:
        raise ContractError(place, str(error)) from error


def read_bytes(path: Path, place: str, most_bytes: int = MAX_BYTES) -> bytes:
    """A file's bytes; raises `ContractError` when there is none, or more than `most_bytes`."""
    try:
        with path.open("rb") as file:
            data = file.read(most_bytes + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise ContractError(place, f"cannot be read: {reason}") from error
    if len(data) > most_bytes:
        raise ContractError(place, f"is over the limit of {most_bytes} bytes")
    return data


class Lines:
    """The lines that a file's values stand in, for messages about them; of a file that cannot be read none is known."""

    __slots__ = ("_root",)

    def __init__(self, path: Path) -> None:
        try:
            self._root: yaml.Node | None = yaml.compose(read_bytes(path, str(path)).decode("utf-8-sig"), _StrictLoader)
        except (yaml.YAMLError, ContractError, UnicodeDecodeError, RecursionError):
            self._root = None

    def of(self, steps: Sequence[str | int]) -> int | None:
        """The line, from 1, of the value at the end of these names and indices, or of the last that is there."""
        node, line = self._root, None
        for step in steps:
            if isinstance(node, yaml.MappingNode):
                found = [(key, value) for key, value in node.value if key.value == str(step)]
                mark, node = (found[0][0].start_mark, found[0][1]) if found else (None, None)
            elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
                node = node.value[step]
                mark = node.start_mark
            else:
                break
            line = mark.line + 1 if mark is not None else line
        return line


def _bounded(value: Any) -> Any:
    """The value itself, unless its aliases unfold to more than `MAX_VALUES`."""
    waiting = [value]
    count = 0
    while waiting:
        inner = waiting.pop()
        children = inner.values() if isinstance(inner, dict) else inner if isinstance(inner, list) else ()
        count += 1 + len(children)
        if count > MAX_VALUES:
            raise ValueError(f"its aliases stand for more than {MAX_VALUES} values")
        waiting += children
    return value


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the member {twice!r} is there twice")
    return members


def _constant(text: str) -> Any:
    raise ValueError(f"{text} is not JSON")


class _StrictLoader(yaml.SafeLoader):
    """YAML 1.2's core scalars (`no` is a string), and an error for a duplicate key."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode) or key.tag == "tag:yaml.org,2002:merge":
                raise yaml.constructor.ConstructorError(None, None, "a key is a plain scalar", key.start_mark)
            if key.value in seen:
                raise yaml.constructor.ConstructorError(None, None, f"duplicate key {key.value!r}", key.start_mark)
            seen.add(key.value)
            key.tag = "tag:yaml.org,2002:str"
        return super().construct_mapping(node, deep=True)


def _integer(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> int:
    """A leading zero is decimal in YAML 1.2; SafeLoader's own constructor reads it as octal."""
    return int(str(loader.construct_scalar(node)))


_CORE_SCALARS = (  # YAML 1.2, section 10.3.2: type, pattern, first characters ("" stands for an empty scalar)
    ("null", r"null|Null|NULL|~|", ["n", "N", "~", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("int", r"[-+]?[0-9]+", list("-+0123456789")),
    ("float", r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?", list("-+.0123456789")),
)
_StrictLoader.yaml_implicit_resolvers = {}
for _type, _pattern, _first in _CORE_SCALARS:
    _StrictLoader.add_implicit_resolver(f"tag:yaml.org,2002:{_type}", re.compile(rf"(?:{_pattern})\Z"), _first)
_StrictLoader.add_constructor("tag:yaml.org,2002:int", _integer)
