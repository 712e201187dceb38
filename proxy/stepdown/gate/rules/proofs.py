"""The rule about proofs: every chain that clients may rely on has the grade that was agreed on."""

from __future__ import annotations

import json
from collections.abc import Iterator

from stepdown.gate.policy import ProofDemand
from stepdown.gate.rules.case import Case, Observation
from stepdown_adapters.proof.grading import Grade, Grading

_LONGEST = 300


def proof_too_weak(case: Case) -> Iterator[Observation]:
    """A chain from a version that may answer to a supported one that is less than proved, or tested too little."""
    demand = case.policy.proof
    for (name, newer, older), gradings in case.grades.items():
        model = case.head.models[name]
        edges = [(edge.source, edge.target) for edge in model.plan.chains[newer, older]]
        place = next((model.places[edge] for edge in edges if edge in model.places), model.versions[newer].place)
        for one in gradings:
            if not is_enough(one, demand):
                fix = f"stepdown prove --model {name} --from {newer} --to {older} shows it all"
                if one.grade is Grade.CONTRADICTION:
                    fix = "report it to Stepdown with both contracts and the adapter: its proof is wrong, or its trial"
                yield Observation(place, _sentence(one, demand), name, newer, fix=fix)


def is_enough(grading: Grading, demand: ProofDemand) -> bool:
    """Whether a grade is what was agreed on, or better."""
    if grading.grade is Grade.PROVED or (grading.grade is Grade.UNGRADED and not demand.needs_contracts):
        return True
    tested = grading.trial.passed if grading.trial else 0
    return grading.grade is Grade.TESTED and demand.tested is not None and tested >= demand.tested


def _sentence(one: Grading, demand: ProofDemand) -> str:
    question = one.question
    agreed = "PROVED" if demand.tested is None else f"TESTED {demand.tested}"
    what = f"answers of {question.source} as {question.target}"
    if question.side == "request":
        what = f"requests for {question.target} to {question.source}"
    sentence = f"{what} are {one}, and {agreed} is agreed: {one.reason}"
    if one.counterexample is None:
        return sentence
    text = json.dumps(one.counterexample.sample.document, ensure_ascii=False)
    return f"{sentence}, as with {text if len(text) <= _LONGEST else text[: _LONGEST - 3] + '...'}"
