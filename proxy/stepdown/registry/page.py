"""SCHEMA.md of a version: what its documents hold, for people, and what changed since the release before."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from stepdown.registry.bump import Judgement
from stepdown.registry.fields import MOST, Field, fields
from stepdown.registry.manifest import Artifact, Code
from stepdown.registry.names import PICKLES, SIDES, Side
from stepdown_adapters.contract.model import Contract

_HEAD = ("field", "type", "values", "always there", "meaning")


def page(
    model: str,
    version: str,
    contracts: Mapping[Side, Contract],
    judgement: Judgement | None,
    *,
    allowed: str | None,
    artifact: Artifact,
    preprocessing: Code | None,
    training: Mapping[str, Any],
) -> str:
    """The page as Markdown."""
    parts = [f"# {model} {version}"]
    for side in SIDES:
        if side in contracts:
            parts += [f"## {side.capitalize()}", *_contract(contracts[side])]
    parts += ["## Changes", *_changes(judgement, allowed), "## Artifact", "\n".join(_artifact(artifact, preprocessing))]
    if training:
        parts += ["## Training", "\n".join(_training(training))]
    return "\n\n".join(parts) + "\n"


def _contract(contract: Contract) -> Iterator[str]:
    schema = contract.schema
    if isinstance(schema, dict):
        yield from (_cell(str(schema[name])) for name in ("title", "description") if name in schema)
    listed = fields(schema)
    if listed:
        rows = [_HEAD, ("---",) * len(_HEAD), *map(_row, listed)]
        yield "\n".join(f"| {' | '.join(row)} |" for row in rows)
    else:
        yield "The contract names no fields."
    if len(listed) == MOST:
        yield f"(The list ends after {MOST} fields.)"


def _row(field: Field) -> tuple[str, ...]:
    told = ". ".join(filter(None, (field.meaning, field.description)))
    required = {True: "yes", False: "no", None: ""}[field.required]
    return (f"`{_cell(field.path or '/')}`", _cell(field.type), _cell(field.values), required, _cell(told))


def _changes(judgement: Judgement | None, allowed: str | None) -> Iterator[str]:
    if judgement is None:
        yield "The first release."
        return
    yield f"{_cell(str(judgement))}."
    if judgement.changes:
        yield "\n".join(f"- {_cell(change)}" for change in judgement.changes)
    else:
        yield "The contracts did not change."
    if allowed is not None:
        yield f"The step is smaller than needed; it was allowed because: {_cell(allowed)}"


def _artifact(artifact: Artifact, preprocessing: Code | None) -> Iterator[str]:
    risk = "; unpickling it runs whatever code it names" if artifact.kind in PICKLES else ""
    yield f"- `{artifact.name}` ({artifact.kind}{risk})"
    yield f"- SHA-256 `{artifact.sha256}`"
    if preprocessing is not None:
        yield f"- preprocessing: `{_cell(preprocessing.source)}`, SHA-256 `{preprocessing.sha256}`"


def _training(training: Mapping[str, Any]) -> Iterator[str]:
    for name, value in training.items():
        shown = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        yield f"- {_cell(name)}: {_cell(shown)}"


def _cell(text: str) -> str:
    """A text that neither ends a line nor a cell, nor becomes HTML."""
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")
