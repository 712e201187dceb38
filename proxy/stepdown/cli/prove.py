"""`stepdown prove FILE`: whether adapters keep what contracts promise, by proof and by trial."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from stepdown.cli.diff import Formats
from stepdown.cli.output import show_findings
from stepdown.config import RefusedError

if TYPE_CHECKING:
    from stepdown.cli.prove_recording import Played
    from stepdown.gate.facts import ModelFacts
    from stepdown_adapters.proof.grading import Grading
    from stepdown_adapters.proof.questions import Question

EXIT_REFUTED = 1
EXIT_UNUSABLE = 2
EXIT_CONTRADICTION = 3


def prove(
    file: Annotated[Path, typer.Argument(metavar="[FILE]", help="The configuration file.")] = Path("stepdown.yaml"),
    *,
    model: Annotated[str | None, typer.Option("--model", metavar="NAME", help="This model only.")] = None,
    source: Annotated[
        str | None, typer.Option("--from", metavar="VERSION", help="Only chains from this newer version.")
    ] = None,
    target: Annotated[
        str | None, typer.Option("--to", metavar="VERSION", help="Only chains to this older version.")
    ] = None,
    documents: Annotated[
        int, typer.Option("--documents", min=1, max=1_000_000, help="How many distinct documents are to come through.")
    ] = 5000,
    seed: Annotated[int, typer.Option("--seed", help="Another seed draws other documents; one draws the same.")] = 1,
    keep: Annotated[
        Path | None,
        typer.Option("--keep", metavar="DIR", help="Keep counterexamples there, and replay those that are there."),
    ] = None,
    recording: Annotated[
        Path | None,
        typer.Option("--from-recording", metavar="PATH", help="Recorded answers, as JSON lines: a file or a folder."),
    ] = None,
    formats: Annotated[
        Formats, typer.Option("--formats", help="`asserted`: who gets the documents checks `format`.")
    ] = Formats.annotation,
    total: Annotated[bool, typer.Option("--total", help="Fail when a chain refuses a valid document.")] = False,
    as_json_: Annotated[bool, typer.Option("--json", help="Everything as JSON, for machines.")] = False,
) -> None:
    """Grade every adapter, and every chain of several: PROVED, TESTED or REFUTED.

    Two things are done for each, always both. A proof: what the operations can make of the newer contract, as a
    schema, is held against the older contract. A trial: documents of the newer contract are generated, sent through
    the chain as it runs in production, and judged.

    \b
      PROVED         no document that is adapted can break the older contract
      TESTED n       not proved, and n distinct documents kept the contract
      REFUTED        a document becomes one that breaks it: the smallest that was found is shown
      VACUOUS        nothing was shown: too few distinct documents came through, or all were refused
      UNGRADED       a contract is missing
      CONTRADICTION  PROVED and REFUTED: a bug of Stepdown; please report it

    Documents that a chain refuses break no contract, and no client gets anything: they are counted, and --total makes
    them failures. Of a chain with a hook nothing is proved. Requests are graded where both versions declare `input`.

    \b
    Examples:
      stepdown prove stepdown.yaml
      stepdown prove --from 2.0.0 --to 1.0.0 --documents 50000 --seed 7
      stepdown prove --keep tests/proof-cases               what was wrong once stays repaired
      stepdown prove --from 2.0.0 --from-recording answers.jsonl
      stepdown prove --json | jq '.gradings[] | select(.grade == "REFUTED") | .counterexample'

    A line of a recording is an exchange that Stepdown recorded, which says what version answered; or an answer of
    --from; or an object with `response: {body: ...}` or `body`, and perhaps the `request` that it answers. Files may be
    compressed (.zst).

    \b
    Exits with
      0  everything is PROVED or TESTED
      1  something is not, a recorded answer becomes one that breaks its contract, or a refusal with --total
      2  the file, a version, a kept case or the recording cannot be used
      3  Stepdown contradicts itself
    """
    try:
        chosen = _chosen(file, model, source, target, formats)
        gradings = list(_graded(chosen, documents, seed, keep))
        played = _played(chosen, recording)
        if keep is not None and (model, source, target) == (None, None, None):
            _tell_forgotten(keep, chosen)
    except RefusedError as refused:
        show_findings(refused.findings)
        print(f"{file}: nothing is proved, because of what is wrong above")
        raise typer.Exit(EXIT_UNUSABLE) from None
    except OSError as error:
        _give_up(f"a counterexample cannot be kept: {error}")
    from stepdown.cli import prove_output  # noqa: PLC0415 - the other commands do not pay for it
    from stepdown_adapters.proof.grading import Grade  # noqa: PLC0415

    fails = any(_fails(one, total=total) for one in gradings) or any(not one.passes for one in played)
    if as_json_:
        report = prove_output.as_json(gradings, played, passes=not fails, total=total)
        print(json.dumps(report, indent=2, ensure_ascii=False))
    else:
        prove_output.show(gradings, played, passes=not fails, total=total)
    if any(one.grade is Grade.CONTRADICTION for one in gradings):
        raise typer.Exit(EXIT_CONTRADICTION)
    raise typer.Exit(EXIT_REFUTED if fails else 0)


def _fails(grading: Grading, *, total: bool) -> bool:
    refused = grading.trial.refused if grading.trial else 0
    return not grading.passes or (total and refused > 0)


def _chosen(file: Path, model: str | None, source: str | None, target: str | None, formats: Formats) -> list[Question]:
    """Everything that is to be proved: single steps first, newest first, then chains of several."""
    from stepdown.gate import reading  # noqa: PLC0415
    from stepdown.gate.proving import questions  # noqa: PLC0415

    facts = reading.head_facts(file, os.environ)
    if model is not None and model not in facts.models:
        _give_up(f"--model {model}: allowed {', '.join(facts.models) or 'none, for the file has no models'}")
    models = [one for name, one in facts.models.items() if model in (None, name)]
    newer, older = (_version(models, *one) for one in (("--from", source), ("--to", target)))
    found = []
    for one in models:
        order = list(one.versions)
        pairs = [
            pair
            for pair in one.plan.chains
            if newer in (None, pair[0]) and older in (None, pair[1]) and {*pair} <= {*order}
        ]
        newest_first = sorted(pairs, key=lambda pair: (-order.index(pair[0]), -order.index(pair[1])))
        single_first = sorted(newest_first, key=lambda pair, one=one: len(one.plan.chains[pair]) > 1)  # type: ignore[misc]
        checked = formats == Formats.asserted
        found += [question for pair in single_first for question in questions(one, *pair, formats=checked)]
    if not found and (newer is not None or older is not None):
        _give_up(_nothing_between(models, newer, older))
    return found


def _nothing_between(models: list[ModelFacts], newer: str | None, older: str | None) -> str:
    """Why there is no chain, where one was asked for."""
    if newer is None or older is None:
        return f"no chain leads to {older}" if newer is None else f"no chain leads from {newer}"
    missing = "; ".join(one.plan.missing(newer, older) for one in models if newer in one.versions)
    return f"{older} cannot be had from {newer}: {missing or 'no model has both'}"


def _version(models: list[ModelFacts], option: str, text: str | None) -> str | None:
    """The canonical text of a version that some model has."""
    from stepdown_adapters.versions import Version, VersionError  # noqa: PLC0415

    if text is None:
        return None
    known = sorted({one for model in models for one in model.versions}, key=Version.parse)
    try:
        version = str(Version.parse(text))
    except VersionError as error:
        _give_up(f"{option} {text}: {error}")
    if version not in known:
        _give_up(f"{option} {text}: allowed {', '.join(known)}")
    return version


def _graded(chosen: list[Question], documents: int, seed: int, keep: Path | None) -> Iterator[Grading]:
    from stepdown.gate.proving import SIDE_WORDS, grade  # noqa: PLC0415

    shows = sys.stderr.isatty()

    def tell(question: Question, passed: int) -> None:
        what = f"{question.model} {question.source} -> {question.target} {SIDE_WORDS[question.side]}"
        print(f"\r\x1b[K{what}: {passed} of {documents}", end="", file=sys.stderr, flush=True)

    for question in chosen:
        yield grade(question, documents, seed, keep, tell if shows else None)
    if shows:
        print("\r\x1b[K", end="", file=sys.stderr, flush=True)


def _tell_forgotten(keep: Path, every: list[Question]) -> None:
    """Tell of kept cases that are about no chain any more: they guard nothing."""
    from stepdown.gate.cases import forgotten  # noqa: PLC0415

    names = forgotten(keep, every)
    if names:
        print(f"{keep}: not replayed, for it is about no chain here: {', '.join(names)}", file=sys.stderr)


def _played(chosen: list[Question], recording: Path | None) -> list[Played]:
    if recording is None:
        return []
    from stepdown.cli import prove_recording  # noqa: PLC0415

    answers = [one for one in chosen if one.side == "response" and one.given is not None and one.made is not None]
    try:
        return prove_recording.played(recording, answers)
    except prove_recording.RecordingError as error:
        _give_up(str(error))


def _give_up(sentence: str) -> NoReturn:
    print(sentence, file=sys.stderr)
    raise typer.Exit(EXIT_UNUSABLE)
