"""Counterexamples kept as files, which later runs replay before anything else: what was wrong once stays repaired.

Each is one JSON file, named by what it is about and a digest of its document, so that the same one is kept once.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from stepdown.config import Finding, Place, RefusedError
from stepdown_adapters.proof.questions import Question, Sample
from stepdown_adapters.proof.trials import Counterexample

_FORMAT = 1
_LONGEST = 16 * 1024 * 1024


def kept(folder: Path, question: Question) -> tuple[Sample, ...]:
    """The kept samples of a question, in the order of their names.

    Raises:
        RefusedError: a file cannot be read, or is no case.
    """
    files = sorted(folder.glob(f"{_stem(question)}-*.json")) if folder.is_dir() else []
    found = (_read(file, question) for file in files)
    return tuple(sample for sample in found if sample is not None)


def forgotten(folder: Path, questions: Iterable[Question]) -> list[str]:
    """The names of files that no question asks for, such as those of a model that was renamed: nobody replays them."""
    stems = tuple(f"{_stem(question)}-" for question in questions)
    files = sorted(folder.glob("*.json")) if folder.is_dir() else []
    return [file.name for file in files if not file.name.startswith(stems)]


def keep(folder: Path, question: Question, found: Counterexample) -> Path:
    """Write a counterexample, if it is not there; raises `OSError`."""
    sample = found.sample
    case: dict[str, Any] = {
        "format": _FORMAT,
        "model": question.model,
        "from": question.source,
        "to": question.target,
        "side": question.side,
        "document": sample.document,
        "adapted": found.adapted,
        "breaks": found.rule,
    }
    if sample.has_request:
        case["request"] = sample.request
    case |= {name: value for name, value in (("params", sample.params), ("headers", sample.headers)) if value}
    asked = [sample.document, sample.request, sample.params, sample.headers]
    digest = hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:12]
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{_stem(question)}-{digest}.json"
    if not file.exists():
        file.write_text(json.dumps(case, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return file


def _stem(question: Question) -> str:
    name = "".join(letter if letter.isalnum() or letter in "._-" else "_" for letter in question.model)
    return f"{name}-{question.source}-{question.target}-{question.side}"


def _read(file: Path, question: Question) -> Sample | None:
    """The sample of a file; `None` where a name that is alike is about something else."""
    try:
        if file.stat().st_size > _LONGEST:
            raise ValueError(f"is longer than {_LONGEST} bytes")
        case = json.loads(file.read_text(encoding="utf-8"))
        if case["format"] != _FORMAT:
            raise ValueError(f"has the format {case['format']!r}, and {_FORMAT} is what is read")
        about = (case["model"], case["from"], case["to"], case["side"])
        if about != (question.model, question.source, question.target, question.side):
            return None
        params, headers = dict(case.get("params", {})), dict(case.get("headers", {}))
        return Sample(case["document"], case.get("request"), "request" in case, params, headers)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        told = f"lacks {error}" if isinstance(error, KeyError) else str(error)
        problem = f"the kept case cannot be used: {told}"
        raise RefusedError([Finding(Place(str(file), 1, 1), "", problem, "one that was kept, or none")]) from None
