"""Recorded answers sent through chains: what clients would have got."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stepdown_adapters.proof.examining import Broken, Examiner, Kept, Refused
from stepdown_adapters.proof.questions import Question, Sample

_MOST_SHOWN = 3
_FIRST_ERROR = 400


class RecordingError(Exception):
    """A recording cannot be used; the message names the line."""


@dataclass(slots=True)
class Played:
    """What became of a recording's answers in one chain."""

    question: Question
    kept: int = 0
    """Answers that became ones that keep the older contract."""
    errors: int = 0
    """Answers that are errors, which chains do not adapt."""
    strays: list[tuple[int, str]] = field(default_factory=list)
    """Lines whose answer breaks the newer contract, and how; they are adapted all the same."""
    refused: Counter[str] = field(default_factory=Counter)
    """Reasons with their numbers."""
    broken: list[tuple[int, Any, Any, str]] = field(default_factory=list)
    """Line, answer, what became of it, and the rule that this breaks."""

    @property
    def passes(self) -> bool:
        """Whether nobody would have got what breaks the contract."""
        return not self.broken

    @property
    def shown(self) -> Sequence[tuple[int, Any, Any, str]]:
        """The first of what is broken."""
        return self.broken[:_MOST_SHOWN]


def played(file: Path, questions: Sequence[Question]) -> list[Played]:
    """Sends every answer of a recording through every chain; raises `RecordingError`."""
    found = [Played(question) for question in questions]
    examiners = [Examiner(question) for question in questions]
    lines = 0
    for number, line in _lines(file):
        lines += 1
        for one, examiner in zip(found, examiners, strict=True):
            _play(number, line, one, examiner)
    if not lines:
        raise RecordingError(f"{file}: has no line")
    return found


def _play(number: int, line: Any, one: Played, examiner: Examiner) -> None:
    plain = examiner.strays(line) is None
    sample, status = (Sample(line), 200) if plain else _exchange(line)
    if status >= _FIRST_ERROR:
        one.errors += 1
        return
    stray = None if plain else examiner.strays(sample.document)
    if stray is not None:
        one.strays.append((number, stray))
    match examiner.judge(sample):
        case Kept():
            one.kept += 1
        case Refused(site=site):
            one.refused[site] += 1
        case Broken(adapted=adapted, rule=rule):
            one.broken.append((number, sample.document, adapted, rule))


def _lines(file: Path) -> Iterator[tuple[int, Any]]:
    try:
        with file.open("rb") as stream:
            for number, text in enumerate(stream, 1):
                if text.strip():
                    try:
                        yield number, json.loads(text)
                    except ValueError as error:
                        raise RecordingError(f"{file}:{number}: is no JSON: {error}") from None
    except OSError as error:
        raise RecordingError(f"{file}: cannot be read: {error.strerror}") from None


def _exchange(line: Any) -> tuple[Sample, int]:
    """The answer of a line that is none itself, with its request and its status."""
    if not isinstance(line, dict):
        return Sample(line), 200
    response = line.get("response")
    holder = response if isinstance(response, dict) and "body" in response else line
    if "body" not in holder:
        return Sample(line), 200
    status = holder.get("status", line.get("status", 200))
    request = line.get("request")
    asked = request["body"] if isinstance(request, dict) and "body" in request else request
    sample = Sample(_document(holder["body"]), _document(asked), request is not None)
    return sample, status if isinstance(status, int) else 200


def _document(body: Any) -> Any:
    """A body as a document; recorders write it as text or as JSON."""
    if not isinstance(body, str):
        return body
    try:
        return json.loads(body)
    except ValueError:
        return body
