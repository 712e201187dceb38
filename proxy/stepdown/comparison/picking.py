"""What is counted of a document whether it differs or not: its numbers by path, and its labels by place."""

from __future__ import annotations

import json
from collections.abc import Hashable, Iterator
from typing import Any

from stepdown.comparison import arrays
from stepdown.comparison.places import DEEPEST, LONGEST, escaped
from stepdown.comparison.rules import State
from stepdown.comparison.scalars import kind_of

NUMBERS = 1000
"""Numbers of one document that are taken."""
OF_ONE_ARRAY = 64
"""Items of one array whose numbers are taken: its first ones."""
LABELS = 1000
"""Labels of one document that are taken."""
LONGEST_LABEL = 64


def numbers(document: Any, rules: State) -> Iterator[tuple[str, float]]:
    """Each number of a document, up to a bound, with its path; none that is ignored or redacted."""
    stack: list[tuple[Any, State, str, int]] = [(document, rules, "", DEEPEST)]
    taken = 0
    while stack and taken < NUMBERS:
        value, state, path, depth = stack.pop()
        if state.ignored or state.secret:
            continue
        if isinstance(value, int | float) and not isinstance(value, bool):
            taken += 1
            yield path, value
        elif depth and len(path) < LONGEST:
            stack.extend(_below(value, state, path, depth - 1))


def _below(value: Any, state: State, path: str, depth: int) -> Iterator[tuple[Any, State, str, int]]:
    """What a value holds that may be a number, or hold some."""
    if isinstance(value, dict):
        for name, member in value.items():
            if isinstance(member, int | float | dict | list):
                yield member, state.member(name), f"{path}/{_name(name)}", depth
    elif isinstance(value, list):
        for index, item in enumerate(value[:OF_ONE_ARRAY]):
            if isinstance(item, int | float | dict | list):
                below, shown = state.item(index, item) if state.picky else (state.other, None)
                yield item, below, f"{path}/{shown or '*'}", depth


def _name(name: str) -> str:
    return escaped(name).encode("utf-8", "backslashreplace").decode()


Labels = dict[str, dict[Hashable, str]]
"""By the rule's path, then by place."""


def labels(document: Any, rules: State) -> Labels:
    """The labels of a document. Items of arrays that have a key are told apart by it, others by their index."""
    found: Labels = {}
    stack: list[tuple[Any, State, tuple[Hashable, ...]]] = [(document, rules, ())]
    taken = 0
    while stack and taken < LABELS:
        value, state, place = stack.pop()
        if not state.labelled or state.ignored or state.secret:
            continue
        if state.label is not None:
            taken += 1
            found.setdefault(state.label, {})[place] = label_text(value)
        if isinstance(value, dict):
            stack.extend((member, state.member(name), (*place, name)) for name, member in value.items())
        elif isinstance(value, list):
            key = state.unordered.key if state.unordered else None
            for index, item in enumerate(value[:LABELS]):
                step = arrays.key_of(item, key, state) if key is not None else None
                stack.append((item, state.item(index, item)[0], (*place, index if step is None else step)))
    return found


def label_text(value: Any) -> str:
    """What a label is counted as."""
    kind = kind_of(value)
    if kind in {"object", "array"}:
        return f"({kind})"
    if isinstance(value, int) and value.bit_length() > LONGEST_LABEL:
        return "(number)"
    text = value if isinstance(value, str) else json.dumps(value)
    return text[:LONGEST_LABEL].encode("utf-8", "backslashreplace").decode()
