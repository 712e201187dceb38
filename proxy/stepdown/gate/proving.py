"""Grades the chains of a state: what `stepdown prove` shows, and what the gate asks for where the policy says so."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from stepdown.gate.cases import keep, kept
from stepdown.gate.facts import Facts, ModelFacts
from stepdown.gate.policy import Policy
from stepdown_adapters.proof.grading import SEED, Grading, graded
from stepdown_adapters.proof.questions import Question, Side

Way = tuple[str, str, str]
"""Model, newer and older version of a chain."""
Tell = Callable[[Question, int], None]
"""Told how many documents of a question have passed."""
SIDE_WORDS: Mapping[Side, str] = {"response": "answers", "request": "requests"}
"""What goes through a chain, for people."""


def questions(model: ModelFacts, newer: str, older: str, *, formats: bool = False) -> Iterator[Question]:
    """What is to be proved of the chain between two versions, which must be there.

    Of its answers always; of its requests where both versions declare what they are asked. `formats`: whether who gets
    them checks `format`.
    """
    chain = model.plan.chains[newer, older]
    steps = tuple(model.steps[edge.source, edge.target] for edge in chain)
    above, below = model.versions[newer].contracts, model.versions[older].contracts
    schemas = {
        (side, end): contracts[side].schema
        for end, contracts in (("above", above), ("below", below))
        for side in contracts
    }
    asked, understood = schemas.get(("input", "below")), schemas.get(("input", "above"))
    given, made = schemas.get(("output", "above")), schemas.get(("output", "below"))
    yield Question(model.name, newer, older, "response", steps, given, made, asked, formats)
    if asked is not None and understood is not None:
        yield Question(model.name, newer, older, "request", steps, asked, understood, None, formats)


def paths(facts: Facts, today: datetime.date) -> Iterator[tuple[ModelFacts, str, str]]:
    """Every chain that clients may rely on: from a version that may answer to a supported one below it."""
    for model in facts.models.values():
        for newer in model.versions.values():
            if newer.has_endpoints or newer.is_supported(today):
                for older in model.supported(today):
                    if (newer.id, older.id) in model.plan.chains:
                        yield model, newer.id, older.id


def grades_of(facts: Facts, policy: Policy, today: datetime.date, folder: Path) -> Mapping[Way, tuple[Grading, ...]]:
    """The grades of all chains that clients may rely on; `folder` is that of the policy, which may keep cases.

    Raises:
        RefusedError: a kept case cannot be read.
        OSError: one cannot be written.
    """
    demand, formats = policy.proof, policy.formats == "asserted"
    cases = folder / demand.keep if demand.keep is not None else None
    return {
        (model.name, newer, older): tuple(
            grade(question, demand.documents, SEED, cases)
            for question in questions(model, newer, older, formats=formats)
        )
        for model, newer, older in paths(facts, today)
    }


def grade(
    question: Question, documents: int, seed: int, cases: Path | None = None, tell: Tell | None = None
) -> Grading:
    """The grade of one question; a counterexample is kept in the folder `cases`, and those in it are run first.

    Raises:
        RefusedError: a kept case cannot be read.
        OSError: one cannot be written.
    """
    known = kept(cases, question) if cases is not None else ()
    progress = None if tell is None else lambda passed: tell(question, passed)
    found = graded(question, documents=documents, seed=seed, kept=known, progress=progress)
    if cases is not None and found.counterexample is not None:
        keep(cases, question, found.counterexample)
    return found
