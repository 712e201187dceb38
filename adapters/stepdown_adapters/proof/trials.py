"""The other half of a proof: generated documents sent through the chain, until one breaks the contract."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import reduce
from itertools import islice
from typing import Any

import msgspec

from stepdown_adapters.proof.drawing.coverage import Coverage
from stepdown_adapters.proof.drawing.dice import Dice
from stepdown_adapters.proof.drawing.documents import Documents
from stepdown_adapters.proof.examining import Broken, Examiner, Kept, Refused, Stray
from stepdown_adapters.proof.questions import Clues, Question, Sample, clues, references
from stepdown_adapters.proof.shrinking import shrunk
from stepdown_adapters.proof.static import Proof

Progress = Callable[[int], None]
"""Told from time to time how many documents have passed."""
_HINTED = 60
_REASONS = 3
_HEADS = ("1", "0", "0.5", "text", "")


@dataclass(frozen=True, slots=True)
class Counterexample:
    """A document that the chain makes one of that breaks the contract."""

    sample: Sample
    """The smallest that was found."""
    adapted: Any
    rule: str
    """The rule that it breaks: `at /note: 5 breaks type "string"`."""


@dataclass(frozen=True, slots=True)
class Trial:
    """What became of the documents of one question."""

    passed: int
    """Distinct documents that were adapted and kept the contract."""
    distinct: int
    """All distinct valid documents, the refused ones included."""
    refused: int
    reasons: tuple[tuple[str, int], ...]
    """The most frequent refusals with their numbers."""
    coverage: Coverage
    seed: int
    disputed: int = 0
    """Documents about which the two judges disagree; they count for nothing."""
    counterexample: Counterexample | None = None
    first_refused: Sample | None = None
    """The smallest of the first refused documents."""
    replayed: int = 0
    """Kept cases that were run first."""
    stale: int = 0
    """Kept cases whose document is none of the contract any more."""


@dataclass(slots=True)
class _Count:
    """A trial under way."""

    passed: int = 0
    distinct: int = 0
    refused: int = 0
    disputed: int = 0
    replayed: int = 0
    stale: int = 0
    counterexample: Counterexample | None = None


class Trials:
    """The trial of one question."""

    def __init__(self, question: Question, seed: int) -> None:
        """Raises `OperationError`."""
        assert question.given is not None
        self._examiner = Examiner(question)
        self._seed = seed
        self._dice = Dice(seed)
        hints = clues(question)
        self._operations = question.operations()
        self._documents = Documents(question.given, self._dice, hints.names, hints.words, hints.numbers)
        self._requests = self._drawn_requests(question, hints)
        self._reasons: Counter[str] = Counter()
        self._sentences: dict[str, str] = {}
        self._smallest: tuple[int, Sample] | None = None

    def run(
        self, documents: int, proof: Proof | None = None, kept: Iterable[Sample] = (), progress: Progress | None = None
    ) -> Trial:
        """Runs until `documents` distinct ones passed, one broke the contract, or no more can be found.

        The samples of `kept` go first. What `proof` could not exclude is tried out as well.
        """
        count = _Count()
        self._replay(kept, count)
        seen: set[int] = set()
        for sample, goals in islice(self._samples(proof), 4 * documents + 1000):
            if count.counterexample or count.passed >= documents or count.distinct >= 2 * documents:
                break
            if sample is None or not self._is_new(sample, seen):
                continue
            self._documents.ledger.meet(goals)
            self._judge(sample, count)
            if progress is not None and count.distinct % 100 == 0:
                progress(count.passed)
        return Trial(
            passed=count.passed,
            distinct=count.distinct,
            refused=count.refused,
            reasons=tuple((self._sentences[site], often) for site, often in self._reasons.most_common(_REASONS)),
            coverage=self._documents.ledger.coverage(),
            seed=self._seed,
            disputed=count.disputed,
            counterexample=count.counterexample,
            first_refused=self._smallest[1] if self._smallest else None,
            replayed=count.replayed,
            stale=count.stale,
        )

    def _replay(self, kept: Iterable[Sample], count: _Count) -> None:
        for sample in kept:
            count.replayed += 1
            outcome = self._examiner.examine(sample)
            count.stale += isinstance(outcome, Stray)
            if isinstance(outcome, Broken):
                count.counterexample = self._least(sample)
                return

    def _judge(self, sample: Sample, count: _Count) -> None:
        count.distinct += 1
        match self._examiner.examine(sample, is_known=True):
            case Kept():
                count.passed += 1
            case Refused() as refusal:
                count.refused += 1
                self._note(refusal, sample)
            case Broken():
                count.counterexample = self._least(sample)
            case _:
                count.disputed += 1

    def _samples(self, proof: Proof | None) -> Iterator[tuple[Sample | None, Iterable[int]]]:
        """Samples without end; the first ones are changed into what the static half could not exclude."""
        hinted = _HINTED if proof is not None and proof.has_witness else 0
        while True:
            drawn = self._documents.draw()
            if drawn is None:
                yield None, ()
                continue
            document, goals = drawn
            yield self._asked(document), tuple(goals)
            # Of some operations next to no document fulfils what they ask for and no contract says.
            likely = reduce(lambda one, operation: operation.likely(one), self._operations, document)
            if likely is not document:
                yield self._asked(likely), ()
            if hinted and proof is not None:
                hinted -= 1
                yield from ((self._asked(one), ()) for one in _changed(document, proof.witness))

    def _is_new(self, sample: Sample, seen: set[int]) -> bool:
        """Whether a sample is valid and has not been seen."""
        try:
            text = hash(msgspec.json.encode((sample.document, sample.request, sample.params, sample.headers)))
        except (msgspec.MsgspecError, OverflowError, UnicodeEncodeError):
            return False
        if text in seen:
            return False
        seen.add(text)
        return self._examiner.strays(sample.document) is None

    def _drawn_requests(self, question: Question, hints: Clues) -> Documents | None:
        """What draws the requests to which answers belong, where the chain reads them."""
        self._heads: dict[str, tuple[str, ...]] = {"param": (), "header": ()}
        needs = self._examiner.chain.response_needs if question.side == "response" else frozenset()
        every = question.operations()
        for one in references(every):
            if one.source in self._heads:
                self._heads[one.source] = (*self._heads[one.source], one.name)
        if not needs & {"body", "carried"}:
            return None
        paths = [str(one.path) for one in references(every) if one.source == "request"]
        names = [segment for path in paths for segment in path.split("/")]
        asked = {"type": "object"} if question.asked is None else question.asked
        return Documents(asked, self._dice, filter(None, names), hints.words, hints.numbers)

    def _asked(self, document: Any) -> Sample:
        """The document with a request that fits the contract of requests."""
        params = {name: self._dice.choice(_HEADS) for name in self._heads["param"]}
        headers = {name.lower(): self._dice.choice(_HEADS) for name in self._heads["header"]}
        drawn = self._requests.draw() if self._requests is not None else None
        if drawn is None:
            return Sample(document, params=params, headers=headers)
        return Sample(document, drawn[0], True, params, headers)

    def _note(self, outcome: Refused, sample: Sample) -> None:
        self._reasons[outcome.site] += 1
        self._sentences.setdefault(outcome.site, outcome.reason)
        size = len(msgspec.json.encode(sample.document))
        if self._smallest is None or size < self._smallest[0]:
            self._smallest = (size, sample)

    def _least(self, sample: Sample) -> Counterexample:
        small = shrunk(sample, lambda one: isinstance(self._examiner.examine(one), Broken))
        outcome = self._examiner.examine(small)
        assert isinstance(outcome, Broken)
        return Counterexample(small, outcome.adapted, outcome.rule)


def _changed(document: Any, witness: Any) -> Iterator[Any]:
    """The document made more like something that may not come out."""
    yield witness
    if isinstance(document, dict) and isinstance(witness, dict):
        yield {**document, **witness}
        yield {**witness, **document}
        for name, member in witness.items():
            yield {**document, name: member}
