"""Tells a diff to machines and to readers of a changelog: JSON values, Markdown, and the verdict in one line."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from stepdown_adapters.diff.catalogue import BUMPS, KINDS, NOT_OF_REQUESTS, Outcome
from stepdown_adapters.diff.change import Change, Diff
from stepdown_adapters.diff.shown import shown_document
from stepdown_adapters.proof.verdicts import Excluded, Inclusion, Undecided

_TITLES = {"major": "Breaking", "minor": "Compatible", "patch": "Without effect"}


def verdict(diff: Diff) -> str:
    """`MAJOR: 3 breaking of 5 changes; 2 repairable`."""
    total = len(diff.changes)
    if not total:
        return "NONE: nothing changed"
    breaking = diff.breaking
    repairable = sum(change.repair is not None for change in breaking)
    line = f"{diff.bump.upper()}: {len(breaking)} breaking of {counted(total, 'change')}"
    return f"{line}; {repairable} repairable" if breaking else line


def counted(number: int, word: str) -> str:
    """`1 change`, `2 changes`."""
    return f"{number} {word}{'' if number == 1 else 's'}"


def ordered(changes: Iterable[Change]) -> list[Change]:
    """The gravest first; else as they were found."""
    return sorted(changes, key=lambda change: (-BUMPS.index(change.bump), change.compatible))


def as_json(diff: Diff) -> dict[str, Any]:
    """The whole as JSON values."""
    return {
        "bump": diff.bump,
        "compatible": diff.compatible,
        "inclusion": diff.inclusion,
        "counterexample": _counterexample(diff.proved),
        "undecided": diff.proved.reason if isinstance(diff.proved, Undecided) else None,
        "verdict": verdict(diff),
        "policy": {
            "direction": diff.policy.direction,
            "client": diff.policy.client,
            "enums": diff.policy.enums,
            "formats": diff.policy.formats,
        },
        "changes": [_change(change) for change in ordered(diff.changes)],
        "repairs": [dict(repair) for repair in diff.repairs],
    }


def whole(diff: Diff) -> str:
    """What is known of the contracts as wholes and the verdict does not say; policies and meaning are left aside."""
    responds = diff.policy.direction == "response"
    match diff.proved:
        case Excluded(witness=witness, reason=reason):
            story = "is valid now and was not" if responds else "was valid and is not now"
            return f"for example {shown_document(witness)} {story}: {reason}"
        case Undecided(reason=reason) if not diff.compatible:
            story = "is valid now that was not" if responds else "was valid that is not now"
            return f"whether anything {story} is undecided: {reason}"
        case _:
            return ""


def _counterexample(proved: Inclusion) -> dict[str, Any] | None:
    return {"document": proved.witness, "breaks": proved.reason} if isinstance(proved, Excluded) else None


def _change(change: Change) -> dict[str, Any]:
    return {
        "kind": change.kind,
        "place": change.place,
        "path": change.path,
        "before": change.before,
        "after": change.after,
        "compatible": change.compatible,
        "strict": change.strict,
        "tolerant": change.tolerant,
        "bump": change.bump,
        "sentence": change.sentence,
        "reason": change.reason,
        "guess": change.guess,
        "repair": None if change.repair is None else dict(change.repair),
    }


def markdown(diff: Diff, older: str, newer: str) -> str:
    """An entry of a changelog, from the heading down."""
    lines = [f"## {older} to {newer}", "", f"**{verdict(diff)}**"]
    for bump, title in _TITLES.items():
        changes = [change for change in diff.changes if change.bump == bump]
        if changes:
            lines += ["", f"### {title} ({bump.upper()})", ""]
            lines += [_line(change) for change in changes]
    return "\n".join(lines) + "\n"


def _line(change: Change) -> str:
    where = " ".join(part for part in (change.place, change.path) if part) or "the document"
    line = f"- `{where}` {_escaped(change.sentence)}"
    if change.reason:
        line += f"; {_escaped(change.reason)}"
    return f"{line}. Repair: `{one_line(change.repair)}`" if change.repair is not None else line


def _escaped(text: str) -> str:
    """Markdown takes `<`, `*` and `_` for its own; what a contract says is shown as it is."""
    return "".join(f"\\{character}" if character in "\\`*_<>[]|" else character for character in text)


def one_line(operation: Mapping[str, Any]) -> str:
    """An operation in one line of JSON, which YAML reads as well."""
    return json.dumps(dict(operation), ensure_ascii=False)


def catalogue() -> str:
    """The catalogue as Markdown tables, as docs/diff.md has it."""
    lines: list[str] = []
    section = ""
    for kind in KINDS.values():
        if kind.section != section:
            section = kind.section
            lines += ["", f"### {section}", "", "| kind | the place ... | of a response | of a request | source |"]
            lines.append("|---|---|---|---|---|")
        sentence = _escaped(kind.sentence.format_map({"before": "x", "after": "y", "keyword": "k"}))
        request = "-" if kind.id in NOT_OF_REQUESTS else _cell(kind.request)
        lines.append(f"| `{kind.id}` | {sentence} | {_cell(kind.response)} | {request} | {_escaped(kind.source)} |")
    return "\n".join(lines[1:]) + "\n"


def _cell(outcome: Outcome) -> str:
    """`B/C MAJOR/MINOR`: strict and tolerant."""
    bump = outcome.bump.upper()
    if outcome.tolerant_bump != outcome.bump:
        bump += f"/{outcome.tolerant_bump.upper()}"
    return f"{outcome.strict[0].upper()}/{outcome.tolerant[0].upper()} {bump}"
