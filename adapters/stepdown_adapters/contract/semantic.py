"""The vocabulary of `x-semantic`: what the values of a contract mean, which no type says.

A probability and a logit are both numbers; a model that turns one into the other breaks its clients although every
schema agrees. `x-semantic` is an object beside the schema's other keywords:

    {"type": "number", "x-semantic": {"kind": "probability", "calibration": "isotonic"}}

`kind` is one of `KINDS`, the other members are those of `MEMBERS`; both tables are what the documentation is made of.
A known member of the wrong form and an unknown kind are mistakes. An unknown member is kept, compared as text like any
other, and warned about: it is either the user's own word (write it as `x-...`, then nothing is said) or a slip.

`x-extensible-enum: true` beside an `enum` says that more values may come, and that clients have to bear with them. As
a list, without an `enum`, it names the values so far and lets all others be valid too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from stepdown_adapters.contract.keywords import Schema, at
from stepdown_adapters.contract.mistakes import Mistakes, listed
from stepdown_adapters.errors import nearest
from stepdown_adapters.json_values import kind as kind_of
from stepdown_adapters.paths import Member

KINDS: Mapping[str, str] = {
    "probability": "a number from 0 to 1; `normalised_over` says what sums to 1",
    "logit": "the argument of a sigmoid or of a softmax, unbounded",
    "log-prob": "the natural logarithm of a probability, at most 0",
    "score": "a number of which only the order is promised",
    "distance": "0 is the same, more is further; `unit` or `scale` says the metric",
    "similarity": "more is more alike; `scale` says between which ends",
    "rank": "a position, the best first",
    "label": "a class's name; `label_set` says of which set",
    "class-index": "a class's number in `label_set`",
    "embedding": "a vector of `embedding_space`",
    "box": "a rectangle in an image; `box_format` and `coordinate_system` say how it is written",
    "mask": "a segmentation of an image",
    "keypoint": "a point in an image, in `coordinate_system`",
    "tensor": "numbers of `dtype` in `shape`",
    "text": "natural language; `language_tag` says which kind of tag names it elsewhere",
    "token-ids": "numbers of a `tokenizer`",
    "token-count": "how many tokens of a `tokenizer`",
    "language": "the name of a language, as `language_tag` writes it",
    "timestamp": "a point in time, in `time_unit` since 1970 or as RFC 3339 text",
    "duration": "a span of time, in `time_unit`",
    "quantity": "a physical quantity in `unit`",
    "count": "how many of something",
    "identifier": "names something, and has no order",
    "decision": "what was decided, by `threshold`",
}
"""Each kind of value, with what it means."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """One member of `x-semantic`."""

    form: str
    """What its value is: a key of `_FORMS`."""
    sentence: str
    choices: tuple[str, ...] = ()
    """All values, where they are listed."""


MEMBERS: Mapping[str, Meaning] = {
    "kind": Meaning("text", "what kind of value this is", tuple(KINDS)),
    "unit": Meaning("text", "the unit of a quantity, as UCUM writes it: `ms`, `Cel`, `USD`"),
    "scale": Meaning("text or ends", "`linear`, `log`, `percent`, or the two ends: `[0, 100]`"),
    "calibration": Meaning("text", "how probabilities were calibrated: `none`, `platt`, `isotonic`, `temperature`"),
    "normalised_over": Meaning("text", "what sums to 1: `classes`, `row`, `top-k`, `none`"),
    "coordinate_system": Meaning(
        "text", "in pixels, or relative to the image's size", ("pixel", "relative", "relative-1000")
    ),
    "box_format": Meaning("text", "which four numbers a box is", ("xyxy", "xywh", "cxcywh", "yxyx")),
    "language_tag": Meaning("text", "how languages are named", ("bcp-47", "iso-639-1", "iso-639-3", "name")),
    "time_unit": Meaning("text", "what a number of time counts", ("s", "ms", "us", "ns", "min", "h", "d", "rfc3339")),
    "dtype": Meaning("text", "the type of a tensor's numbers: `FP32`, `int8`, `bfloat16`"),
    "shape": Meaning("shape", "a tensor's lengths, -1 for any: `[-1, 512]`"),
    "label_set": Meaning("label set", "the classes: an `id`, and optionally a `hash` of their names in order"),
    "tokenizer": Meaning("text", "which tokenizer: `cl100k_base`"),
    "embedding_space": Meaning("text", "which space a vector is of; vectors of two spaces never compare"),
    "metric": Meaning("text", "what distances mean", ("cosine", "dot", "euclidean", "manhattan", "hamming")),
    "threshold": Meaning("number", "from which score on a decision is positive"),
}
"""Each member, with its form and what it says."""


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_ends(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(map(_is_number, value))


def _is_shape(value: Any) -> bool:
    return isinstance(value, list) and all(type(length) is int and length >= -1 for length in value)


def _is_label_set(value: Any) -> bool:
    if not isinstance(value, dict) or not value.keys() <= {"id", "hash"}:
        return False
    return "id" in value and all(isinstance(part, str) and part for part in value.values())


_FORMS: Mapping[str, tuple[Callable[[Any], bool], str]] = {
    "text": (_is_text, "a text"),
    "text or ends": (lambda value: _is_text(value) or _is_ends(value), "a text or two numbers"),
    "number": (_is_number, "a number"),
    "shape": (_is_shape, "an array of lengths, -1 for any"),
    "label set": (_is_label_set, "an object with a text 'id' and optionally a text 'hash'"),
}


def check(schema: Mapping[str, Any], place: str, mistakes: Mistakes) -> None:
    """Notes what is wrong with the `x-semantic` and `x-extensible-enum` of one schema that stands at `place`."""
    if "x-semantic" in schema:
        _check_members(schema["x-semantic"], f"{place}/x-semantic", mistakes)
    if "x-extensible-enum" in schema:
        at_enum, extensible = f"{place}/x-extensible-enum", schema["x-extensible-enum"]
        if not isinstance(extensible, bool | list):
            mistakes.add(at_enum, f"is true beside an 'enum', or lists the values itself; it is {kind_of(extensible)}")
        elif extensible is True and "enum" not in schema:
            mistakes.warn(at_enum, "there is no 'enum' beside it, so it says nothing")
        elif isinstance(extensible, list) and "enum" in schema:
            mistakes.warn(at_enum, "'enum' beside it lists values too, and is what counts; write true")


def _check_members(semantic: Any, place: str, mistakes: Mistakes) -> None:
    if not isinstance(semantic, dict):
        mistakes.add(place, f"is an object such as {{'kind': 'probability'}}, not {kind_of(semantic)}")
        return
    for name, value in semantic.items():
        here = f"{place}/{name}"
        if name not in MEMBERS:
            if not name.startswith("x-"):
                close = nearest(name, MEMBERS)
                hint = f"; did you mean {close!r}?" if close else f"; known are {listed(MEMBERS, 20)}"
                mistakes.warn(here, f"{name!r} is no known member of x-semantic, and is kept as it is{hint}")
            continue
        meaning = MEMBERS[name]
        fits, form = _FORMS[meaning.form]
        if not fits(value):
            mistakes.add(here, f"is {form}; {kind_of(value)} was given")
        elif meaning.choices and value not in meaning.choices:
            close = nearest(value, meaning.choices)
            hint = f"did you mean {close!r}?" if close else f"there is {listed(meaning.choices, 30)}"
            mistakes.add(here, f"there is no {name} {value!r}; {hint}")


def semantics(schema: Schema) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Each `x-semantic` of a contract's schema with the path of the values that it is about.

    Paths are as adapters write them: `/outputs/*/data/*`; an item of `prefixItems` has its index, an undeclared
    member is `*`. All branches of `anyOf`, `oneOf`, `allOf`, `then` and `else` count. A recursive schema is gone
    into once. The same pair comes once.
    """
    seen: list[tuple[str, Any]] = []
    for path, semantic in _walk(schema, schema, "", frozenset()):
        if (path, semantic) not in seen:
            seen.append((path, semantic))
            yield path, semantic


def _walk(schema: Any, document: Schema, path: str, above: frozenset[int]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    if not isinstance(schema, dict) or id(schema) in above:
        return
    above |= {id(schema)}
    if isinstance(schema.get("x-semantic"), dict):
        yield path, schema["x-semantic"]
    if "$ref" in schema:
        yield from _walk(at(document, schema["$ref"].removeprefix("#")), document, path, above)
    for keyword in ("allOf", "anyOf", "oneOf"):
        for branch in schema.get(keyword, ()):
            yield from _walk(branch, document, path, above)
    for keyword in ("then", "else"):
        yield from _walk(schema.get(keyword), document, path, above)
    for dependent in schema.get("dependentSchemas", {}).values():
        yield from _walk(dependent, document, path, above)
    for name, member in schema.get("properties", {}).items():
        yield from _walk(member, document, f"{path}/{Member(name)}", above)
    for index, item in enumerate(schema.get("prefixItems", ())):
        yield from _walk(item, document, f"{path}/{index}", above)
    for pattern in schema.get("patternProperties", {}).values():
        yield from _walk(pattern, document, f"{path}/*", above)
    for keyword in ("items", "additionalProperties", "contains", "unevaluatedItems", "unevaluatedProperties"):
        yield from _walk(schema.get(keyword), document, f"{path}/*", above)


def vocabulary() -> str:
    """The vocabulary as Markdown tables, as docs/contracts.md has it."""
    lines = ["| `kind` | the values are |", "|---|---|"]
    lines += [f"| `{name}` | {sentence} |" for name, sentence in KINDS.items()]
    lines += ["", "| member | form | what it says |", "|---|---|---|"]
    for name, meaning in MEMBERS.items():
        listed_here = name != "kind" and meaning.choices
        form = ", ".join(f"`{choice}`" for choice in meaning.choices) if listed_here else _FORMS[meaning.form][1]
        lines.append(f"| `{name}` | {form} | {meaning.sentence} |")
    return "\n".join(lines) + "\n"
