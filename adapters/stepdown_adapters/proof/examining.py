"""Sends one document through the chain as it runs in production, and judges it before and after.

The judge of both is the validator that judges live answers. Before something is called a counterexample, the evaluator
of the proof, which was written independently, has to agree or not to know; where the two disagree nothing is claimed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec

from stepdown_adapters.context import Context
from stepdown_adapters.contract.validator import Validator
from stepdown_adapters.errors import AdaptError
from stepdown_adapters.generate import CompiledChain, compile_chain
from stepdown_adapters.proof.evaluate import valid
from stepdown_adapters.proof.questions import Question, Sample
from stepdown_adapters.proof.schemas import Document
from stepdown_adapters.proof.violation import sentence


@dataclass(frozen=True, slots=True)
class Kept:
    """What came out keeps its contract."""


@dataclass(frozen=True, slots=True)
class Stray:
    """The document is none of the contract that it should be of."""

    reason: str


@dataclass(frozen=True, slots=True)
class Refused:
    """The chain refused the document, so that nothing came out."""

    reason: str
    """Which operation, and why."""
    site: str
    """The same without the sentence, to count by."""


@dataclass(frozen=True, slots=True)
class Broken:
    """What came out breaks its contract."""

    adapted: Any
    rule: str
    """The rule of the contract: `at /note: 5 breaks type "string"`."""


@dataclass(frozen=True, slots=True)
class Disputed:
    """The two judges disagree."""


Outcome = Kept | Stray | Refused | Broken | Disputed


class Examiner:
    """The chain and the judges of one question."""

    __slots__ = ("_after", "_before", "_given", "_made", "_question", "chain")

    def __init__(self, question: Question) -> None:
        """Compiles the chain and both contracts, which must be there; raises `OperationError`."""
        assert question.given is not None
        assert question.made is not None
        self._question = question
        self.chain: CompiledChain = compile_chain(question.steps)
        formats = question.formats
        self._before, self._after = (Validator(one, formats=formats) for one in (question.given, question.made))
        self._given = Document(question.given, 1, formats=formats)
        self._made = Document(question.made, 2, formats=formats)

    def strays(self, document: Any) -> str | None:
        """Why a document is none that is to be adapted; `None` where it is one."""
        found = self._before.violations(document, 1, exact=True)
        return f"at {found[0].path or 'the top'}: {found[0].message}" if found else None

    def examine(self, sample: Sample, *, is_known: bool = False) -> Outcome:
        """What becomes of a sample; with `is_known` the document was found to be valid."""
        if not is_known and (reason := self.strays(sample.document)) is not None:
            return Stray(reason)
        outcome = self.judge(sample)
        if isinstance(outcome, Broken) and valid(self._question.given, sample.document, self._given) is False:
            return Disputed()
        return outcome

    def judge(self, sample: Sample) -> Kept | Refused | Broken | Disputed:
        """What becomes of a sample, whether or not its document is one that should come."""
        try:
            body = self._converted(sample)
        except AdaptError as error:
            site = f"{error.step}: {error.operation} at {error.path or 'the document'}"
            return Refused(str(error), site)
        found = self._after.violations(body, 1, exact=True)
        if not found:
            return Kept()
        adapted = msgspec.json.decode(body)
        made = self._question.made
        verdict = valid(made, adapted, self._made)
        if verdict is True:
            return Disputed()
        told = f"at {found[0].path or 'the top'}: {found[0].message}"
        return Broken(adapted, sentence(made, adapted, self._made) if verdict is False else told)

    def _converted(self, sample: Sample) -> bytes:
        body = msgspec.json.encode(sample.document)
        chain = self.chain
        if self._question.side == "request":
            return chain.request(body, Context(params=sample.params, body=body, headers=sample.headers))
        if not chain.response_needs:
            return chain.response(body, Context())
        asked = msgspec.json.encode(sample.request) if sample.has_request else None
        context = Context(params=sample.params, body=asked, headers=sample.headers)
        if "carried" in chain.response_needs and asked is not None:
            chain.request(asked, context)  # for what it puts aside
        return chain.response(body, context)
