"""Grades a chain: proved, tested, refuted, or nothing at all.

    PROVED         by inclusion: no document that the chain adapts can break the contract
    TESTED n       not proved, and n distinct generated documents kept the contract
    REFUTED        a document was found whose adapted form breaks it
    VACUOUS        nothing was shown: too few distinct documents, or all of them refused
    UNGRADED       there is no contract to hold it against
    CONTRADICTION  proved and refuted: one of the two halves is wrong, which is a bug of Stepdown

Both halves always run, so that each is a test of the other.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from stepdown_adapters.proof.inclusion import Included, inhabited
from stepdown_adapters.proof.questions import Question, Sample
from stepdown_adapters.proof.static import Proof, prove
from stepdown_adapters.proof.trials import Counterexample, Progress, Trial, Trials

DOCUMENTS = 5000
SEED = 1
_LEAST = 100


class Grade(Enum):
    """How far a chain can be relied on."""

    PROVED = "PROVED"
    TESTED = "TESTED"
    REFUTED = "REFUTED"
    VACUOUS = "VACUOUS"
    UNGRADED = "UNGRADED"
    CONTRADICTION = "CONTRADICTION"


@dataclass(frozen=True, slots=True)
class Grading:
    """A question's grade, and how it came about."""

    question: Question
    grade: Grade
    reason: str
    """Half a sentence."""
    proof: Proof | None = None
    trial: Trial | None = None

    @property
    def passes(self) -> bool:
        """Whether it is at least tested."""
        return self.grade in (Grade.PROVED, Grade.TESTED)

    @property
    def counterexample(self) -> Counterexample | None:
        """What refutes it."""
        return self.trial.counterexample if self.trial else None

    def __str__(self) -> str:
        """`PROVED`, `TESTED 5000`, ..."""
        tested = f" {self.trial.passed}" if self.grade is Grade.TESTED and self.trial else ""
        return f"{self.grade.value}{tested}"


def graded(
    question: Question,
    *,
    documents: int = DOCUMENTS,
    seed: int = SEED,
    kept: Iterable[Sample] = (),
    progress: Progress | None = None,
) -> Grading:
    """The grade of a question, with up to `documents` documents; raises `OperationError` on unusable steps."""
    for version, contract in zip(question.ends, (question.given, question.made), strict=True):
        if contract is None:
            what = "schema" if question.side == "response" else "input"
            return Grading(question, Grade.UNGRADED, f"{version} declares no {what!r}")
    proof = prove(question)
    trial = Trials(question, seed).run(documents, proof, kept, progress)
    grade, reason = _grade(question, proof, trial, documents)
    return Grading(question, grade, reason, proof, trial)


def _grade(question: Question, proof: Proof, trial: Trial, documents: int) -> tuple[Grade, str]:
    if trial.counterexample is not None:
        rule = trial.counterexample.rule
        return (Grade.CONTRADICTION if proof.holds else Grade.REFUTED), rule
    if trial.distinct and not trial.passed and trial.refused:
        return Grade.VACUOUS, f"all {trial.distinct} documents were refused"
    if proof.holds:
        if not trial.distinct and question.given is not None and isinstance(inhabited(question.given), Included):
            return Grade.VACUOUS, f"no document is valid under the contract of {question.ends[0]}"
        return Grade.PROVED, proof.reason
    least = min(_LEAST, max(1, documents // 10))
    if trial.passed < least:
        return Grade.VACUOUS, f"only {trial.passed} distinct documents came through, and {least} are the least"
    return Grade.TESTED, proof.reason
