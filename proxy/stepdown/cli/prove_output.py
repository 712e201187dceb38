"""What `stepdown prove` found: a table of grades, then what is not proved and why, with counterexamples as JSON."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from typing import Any

from stepdown.cli.output import aligned
from stepdown.cli.prove_recording import Played
from stepdown.cli.summary import Table
from stepdown.gate.proving import SIDE_WORDS
from stepdown_adapters.proof.drawing.coverage import WORDS, Coverage
from stepdown_adapters.proof.grading import Grade, Grading
from stepdown_adapters.proof.questions import Question, Sample
from stepdown_adapters.proof.trials import Trial

FORMAT = 1
_HEAD = ("chain", "of", "grade", "documents", "refused", "coverage")
_COLOURS = {Grade.PROVED: "green", Grade.TESTED: "cyan", Grade.CONTRADICTION: "bold magenta"}
_MOST_MISSED = 5


def show(gradings: Sequence[Grading], played: Sequence[Played], *, passes: bool, total: bool) -> None:
    """Print everything as text, coloured in a terminal."""
    for model in dict.fromkeys(one.question.model for one in gradings):
        _show_table(model, [one for one in gradings if one.question.model == model])
    for one in gradings:
        lines = list(_details(one, total=total))
        if lines:
            print("\n" + "\n".join(lines))
    for recording in played:
        print("\n" + "\n".join(_recorded(recording)))
    counts = {grade: sum(one.grade is grade for one in gradings) for grade in Grade}
    told = ", ".join(f"{count} {grade.value}" for grade, count in counts.items() if count)
    print(f"\n{'passed' if passes else 'failed'}: {told or 'there is no chain, so nothing is to be proved'}")


def _show_table(model: str, gradings: Sequence[Grading]) -> None:
    rows = [_row(one) for one in gradings]
    if not sys.stdout.isatty():
        print(f"\nmodel {model}\n{aligned(Table('', (_HEAD, *rows)))}")
        return
    from rich.box import SIMPLE_HEAD  # noqa: PLC0415 - only terminals want it
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table as RichTable  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    shown = RichTable(*_HEAD, title=f"model {model}", title_justify="left", title_style="bold", box=SIMPLE_HEAD)
    for grading, row in zip(gradings, rows, strict=True):
        colour = _COLOURS.get(grading.grade, "red")
        shown.add_row(*(Text(cell, style=colour if cell == str(grading) else "") for cell in row))
    Console(highlight=False).print(shown)


def _row(one: Grading) -> tuple[str, ...]:
    trial = one.trial
    figures = (str(trial.distinct), str(trial.refused), _percent(trial.coverage)) if trial else ("", "", "")
    return (_way(one.question), SIDE_WORDS[one.question.side], str(one), *figures)


def _way(question: Question) -> str:
    return " -> ".join(question.passed)


def _percent(coverage: Coverage) -> str:
    return f"{int(coverage.share * 100)} %"


def _details(one: Grading, *, total: bool) -> Iterator[str]:
    """What is to be known besides the grade; nothing of what is proved and refuses nothing."""
    trial = one.trial
    if one.grade is Grade.PROVED and not (trial and (trial.refused or trial.disputed or trial.stale)):
        return
    yield f"{one.question.model} {_way(one.question)} {SIDE_WORDS[one.question.side]}: {one}: {one.reason}"
    if one.grade is Grade.CONTRADICTION:
        yield "    a bug of Stepdown: its proof says that this cannot be. Please report it with both contracts."
    if one.counterexample is not None:
        yield from _counterexample(one)
    elif one.proof is not None and one.proof.has_witness:
        yield f"    not excluded: {_compact(one.proof.witness)}, which no document that was tried became"
    yield from (f"    {detail}" for detail in (one.proof.details if one.proof else ()))
    if trial is not None:
        yield from _tried(trial, one.grade, total=total)


def _counterexample(one: Grading) -> Iterator[str]:
    assert one.counterexample is not None
    given, made = one.question.ends
    yield f"    {given}: {_compact(one.counterexample.sample.document)}"
    yield from (f"    {line}" for line in _beside(one.counterexample.sample))
    yield f"    {made}: {_compact(one.counterexample.adapted)}"
    yield f"    breaks {made}: {one.counterexample.rule}"


def _beside(sample: Sample) -> Iterator[str]:
    """What of the request the chain read."""
    if sample.has_request:
        yield f"request: {_compact(sample.request)}"
    for name, values in (("params", sample.params), ("headers", sample.headers)):
        if values:
            yield f"{name}: {_compact(values)}"


def _tried(trial: Trial, grade: Grade, *, total: bool) -> Iterator[str]:
    if grade in (Grade.TESTED, Grade.VACUOUS):
        yield f"    coverage: {trial.coverage}"
        missed = trial.coverage.missed
        more = f", and {len(missed) - _MOST_MISSED} more" if len(missed) > _MOST_MISSED else ""
        if missed:
            named = ", ".join(f"{WORDS[kind]} {place or 'the top'}" for kind, place in missed[:_MOST_MISSED])
            yield f"    never shown: {named}{more}"
    if trial.refused:
        fails = ", which --total forbids" if total else ""
        yield f"    refused: {trial.refused} of {trial.distinct} documents{fails}"
        yield from (f"      {count} {reason}" for reason, count in trial.reasons)
        if trial.first_refused is not None and total:
            yield f"      such as {_compact(trial.first_refused.document)}"
    if trial.disputed:
        yield f"    not counted: {trial.disputed} documents about which two validators disagree"
    if trial.stale:
        yield f"    kept cases: {trial.stale} of {trial.replayed} are no documents of the contract any more"


def _recorded(one: Played) -> Iterator[str]:
    lines = one.kept + one.errors + sum(one.refused.values()) + len(one.broken)
    figures = [f"{one.kept} keep the contract", f"{len(one.broken)} break it", f"{sum(one.refused.values())} refused"]
    figures += [f"{one.errors} errors, which are not adapted"] if one.errors else []
    yield f"recorded answers, {one.question.model} {_way(one.question)}: {lines} ({', '.join(figures)})"
    for place, answer, adapted, rule in one.shown:
        yield f"    {place}: {_compact(answer)}"
        yield f"      becomes {_compact(adapted)}"
        yield f"      breaks {one.question.target}: {rule}"
    yield from (f"    refused: {count} {reason}" for reason, count in one.refused.most_common(3))
    if one.strays:
        place, reason = one.strays[0]
        count = len(one.strays)
        yield f"    {count} of them are no answers of {one.question.source}: {place}, {reason}"
    if one.left_out:
        yield "    left out: " + ", ".join(f"{count} {reason}" for reason, count in one.left_out.most_common())


def _compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def as_json(gradings: Sequence[Grading], played: Sequence[Played], *, passes: bool, total: bool) -> dict[str, Any]:
    """The same for machines; fields may be added within a format."""
    return {
        "format": FORMAT,
        "passes": passes,
        "total": total,
        "gradings": [_grading(one) for one in gradings],
        "recordings": [_played(one) for one in played],
    }


def _about(question: Question) -> dict[str, Any]:
    return {"model": question.model, "from": question.source, "to": question.target, "side": question.side}


def _grading(one: Grading) -> dict[str, Any]:
    found: dict[str, Any] = {
        **_about(one.question),
        "via": list(one.question.passed[1:-1]),
        "grade": one.grade.value,
        "reason": one.reason,
    }
    if one.proof is not None:
        found["proof"] = {"holds": one.proof.holds, "reason": one.proof.reason, "details": list(one.proof.details)}
        if one.proof.has_witness:
            found["proof"]["not_excluded"] = one.proof.witness
    if one.trial is not None:
        found["trial"] = _trial(one.trial)
    if one.counterexample is not None:
        sample = one.counterexample.sample
        found["counterexample"] = {
            "document": sample.document,
            "adapted": one.counterexample.adapted,
            "breaks": one.counterexample.rule,
            **({"request": sample.request} if sample.has_request else {}),
            **({"params": sample.params} if sample.params else {}),
            **({"headers": sample.headers} if sample.headers else {}),
        }
    return found


def _trial(trial: Trial) -> dict[str, Any]:
    coverage = trial.coverage
    return {
        "seed": trial.seed,
        "passed": trial.passed,
        "distinct": trial.distinct,
        "refused": trial.refused,
        "refusals": [{"reason": reason, "documents": count} for reason, count in trial.reasons],
        "disputed": trial.disputed,
        "kept_cases": {"replayed": trial.replayed, "stale": trial.stale},
        "coverage": {
            "share": round(coverage.share, 4),
            "goals": dict(coverage.goals),
            "met": dict(coverage.met),
            "missed": [{"kind": kind, "place": place} for kind, place in coverage.missed],
        },
    }


def _played(one: Played) -> dict[str, Any]:
    return {
        **_about(one.question),
        "passes": one.passes,
        "kept": one.kept,
        "errors": one.errors,
        "refused": dict(one.refused),
        "left_out": dict(one.left_out),
        "strays": [{"file": place.file, "line": place.number, "reason": reason} for place, reason in one.strays],
        "broken": [
            {"file": place.file, "line": place.number, "document": answer, "adapted": adapted, "breaks": rule}
            for place, answer, adapted, rule in one.broken
        ],
    }
