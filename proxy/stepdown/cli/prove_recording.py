"""Recorded answers sent through chains: what clients would have got."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from stepdown.decide.records import Value
from stepdown.recordings.entry import LONGEST, MARK, Entry, read
from stepdown.recordings.lines import Line, Lines, RecordingError
from stepdown_adapters.proof.examining import Broken, Examiner, Kept, Refused
from stepdown_adapters.proof.questions import Question, Sample

__all__ = ["Played", "RecordingError", "played"]

_MOST_SHOWN = 3
_FIRST_ERROR = 400

_AMBIGUOUS = "does not say what version answered: say it with --from (and --model)"

NO_DOCUMENT, REDACTED, UNANSWERED = "without a JSON body", "redacted", "not answered by a server"
"""Why an exchange of the right version says nothing about a chain."""


class Place(NamedTuple):
    """Where an answer is."""

    file: str
    """Empty where there is but one."""
    number: int
    """Of the line."""

    def __str__(self) -> str:
        return f"line {self.number}" + (f" of {self.file}" if self.file else "")


@dataclass(slots=True)
class Played:
    """What became of a recording's answers in one chain."""

    question: Question
    kept: int = 0
    """Answers that became ones that keep the older contract."""
    errors: int = 0
    """Answers that are errors, which chains do not adapt."""
    strays: list[tuple[Place, str]] = field(default_factory=list)
    """Lines whose answer breaks the newer contract, and how; they are adapted all the same."""
    refused: Counter[str] = field(default_factory=Counter)
    """Reasons with their numbers."""
    broken: list[tuple[Place, Any, Any, str]] = field(default_factory=list)
    """Line, answer, what became of it, and the rule that this breaks."""
    left_out: Counter[str] = field(default_factory=Counter)
    """Exchanges of which nothing can be said here, by the reason."""

    @property
    def passes(self) -> bool:
        """Whether nobody would have got what breaks the contract."""
        return not self.broken

    @property
    def shown(self) -> Sequence[tuple[Place, Any, Any, str]]:
        """The first of what is broken."""
        return self.broken[:_MOST_SHOWN]

    @property
    def looked_at(self) -> int:
        """Answers of which something can be said."""
        return self.kept + self.errors + self.refused.total() + len(self.broken)


def played(recording: Path, questions: Sequence[Question]) -> list[Played]:
    """Sends the answers of a recording through the chains; raises `RecordingError`.

    An exchange that Stepdown recorded says which version answered, and is sent through the chains that begin there; an
    answer that somebody else recorded is sent through all of them, which have to begin at one version.
    """
    found = [Played(question) for question in questions]
    examiners = [Examiner(question) for question in questions]
    ambiguous = len({(question.model, question.source) for question in questions}) > 1
    lines = Lines([recording])
    empty, others = True, Counter[str]()
    for line, document, entry in _read(lines):
        empty = False
        if entry is None and ambiguous:
            raise RecordingError(f"{line.place}: {_AMBIGUOUS}")
        place = Place(line.file.name if len(lines.files) > 1 else "", line.number)
        known = False
        for one, examiner in zip(found, examiners, strict=True):
            if entry is None:
                _play(place, document, one, examiner)
            elif (entry.model, entry.served or entry.chosen) == (one.question.model, one.question.source):
                known = True
                _play_entry(place, entry, one, examiner)
        if entry is not None and not known:
            others[f"{entry.model} {entry.served or entry.chosen}"] += 1
    if empty:
        raise RecordingError(f"{recording}: has no line")
    if found and not any(one.looked_at for one in found):
        raise RecordingError(f"{recording}: nothing in it can be judged: {_why_nothing(found, others)}")
    return found


def _read(lines: Lines) -> Iterator[tuple[Line, Any, Entry | None]]:
    """Each line as what Stepdown recorded, or else as a document."""
    recorded: Path | None = None
    for line in lines:
        if line.too_long:
            raise RecordingError(f"{line.place}: is longer than {LONGEST:,} bytes")
        marked = line.text.startswith(MARK)
        try:
            document = None if marked else json.loads(line.text)
            entry = read(line.text) if marked else None
        except ValueError as error:
            if not line.ends and (recorded == line.file or line.file in lines.cut):
                continue  # whoever recorded it was interrupted
            what = "is no recorded exchange" if marked else "is no JSON"
            raise RecordingError(f"{line.place}: {what}: {error}") from None
        if marked:
            recorded = line.file
        yield line, document, entry


def _why_nothing(found: Sequence[Played], others: Counter[str]) -> str:
    left_out = sum((one.left_out for one in found), Counter[str]())
    reasons = [f"{count} {reason}" for reason, count in left_out.most_common()]
    return ", ".join([*reasons, *(f"{count} of {version}" for version, count in others.most_common())])


def _play(place: Place, line: Any, one: Played, examiner: Examiner) -> None:
    plain = examiner.strays(line) is None
    sample, status = (Sample(line), 200) if plain else _exchange(line)
    if status >= _FIRST_ERROR:
        one.errors += 1
        return
    _judge(place, sample, one, examiner, is_known=plain)


def _play_entry(place: Place, entry: Entry, one: Played, examiner: Examiner) -> None:
    answer, request = entry.response, entry.request
    if answer is None:
        one.left_out[UNANSWERED] += 1
    elif answer.status >= _FIRST_ERROR:
        one.errors += 1
    elif answer.redacted:
        one.left_out[REDACTED] += 1
    elif answer.form != "json":
        one.left_out[NO_DOCUMENT] += 1
    else:
        # What the chain reads of a request it reads of one in the older shape, and as it was.
        fits = entry.pinned == one.question.target and request.form == "json" and not request.redacted
        sample = Sample(
            json.loads(answer.content or b"null"),
            json.loads(request.content or b"null") if fits else None,
            fits,
            headers=_plain(request.headers),
        )
        _judge(place, sample, one, examiner, is_known=False)


def _plain(headers: dict[str, Value]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if isinstance(value, str)}


def _judge(place: Place, sample: Sample, one: Played, examiner: Examiner, *, is_known: bool) -> None:
    stray = None if is_known else examiner.strays(sample.document)
    if stray is not None:
        one.strays.append((place, stray))
    match examiner.judge(sample):
        case Kept():
            one.kept += 1
        case Refused(site=site):
            one.refused[site] += 1
        case Broken(adapted=adapted, rule=rule):
            one.broken.append((place, sample.document, adapted, rule))


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
