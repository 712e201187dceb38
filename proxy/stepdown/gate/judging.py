"""Runs all rules over a change, applies the waivers, and sums up what becomes of each version."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from stepdown.gate.facts import Facts, ModelFacts, Place, VersionFacts
from stepdown.gate.lock import Lock
from stepdown.gate.policy import Policy, Waiver
from stepdown.gate.rules.case import Case, Severity
from stepdown.gate.rules.table import RULES, UNUSED
from stepdown.gate.steps import edits_of, steps_of
from stepdown_adapters.contract.sides import Side
from stepdown_adapters.diff import Bump, Change
from stepdown_adapters.proof.grading import Grading

_GRAVITY: tuple[Severity, ...] = ("error", "warning", "note")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a rule found."""

    rule: str
    severity: Severity
    model: str
    """Empty where it is about the whole."""
    version: str
    place: Place
    sentence: str
    fix: str
    waiver: Waiver | None = None
    """Who answers for it, where somebody does."""

    @property
    def fails(self) -> bool:
        """Whether the gate fails for it."""
        return self.severity == "error" and self.waiver is None


@dataclass(frozen=True, slots=True)
class VersionRow:
    """What became of one version."""

    version: str
    older: str | None
    """The release before it."""
    declared: Bump | None
    needed: Bump | None
    changes: tuple[tuple[Side, Change], ...]
    is_new: bool
    ways: tuple[tuple[str, str], ...]
    """For each supported version below it, how its shape comes about: `adapted`, `projected`, `refused`, `none`."""
    passes: bool
    grades: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = ()
    """For each of those versions to which the chain was graded: `response` and, where it was, `request`."""


@dataclass(frozen=True, slots=True)
class ModelTable:
    """The versions of one model, newest first."""

    model: str
    rows: tuple[VersionRow, ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """Everything that the gate says."""

    findings: tuple[Finding, ...]
    """Failures first, then by place."""
    tables: tuple[ModelTable, ...]
    today: datetime.date

    @property
    def passes(self) -> bool:
        """Whether the change may be published."""
        return not any(finding.fails for finding in self.findings)


def case_of(  # noqa: PLR0917 - the two states with their locks
    head: Facts,
    base: Facts,
    policy: Policy,
    today: datetime.date,
    lock: Lock | None = None,
    base_lock: Lock | None = None,
    lock_file: str = "stepdown.lock",
    grades: Mapping[tuple[str, str, str], tuple[Grading, ...]] | None = None,
) -> Case:
    """A change, with all contracts compared once."""
    steps, edits = steps_of(head, policy), edits_of(head, base, policy)
    return Case(head, base, policy, today, lock, base_lock, lock_file, steps, edits, grades or {})


def judge(case: Case) -> Verdict:
    """Everything that is wrong with a change."""
    found = [_waived(finding, case) for finding in _found(case)]
    found += _unused(case, found)
    order = sorted(
        dict.fromkeys(found),
        key=lambda one: (not one.fails, _GRAVITY.index(one.severity), one.place, one.rule, one.version, one.sentence),
    )
    failing = {(one.model, one.version) for one in order if one.fails}
    tables = tuple(_table(model, case, failing) for model in case.head.models.values())
    return Verdict(tuple(order), tables, case.today)


def _found(case: Case) -> Iterator[Finding]:
    for rule in RULES:
        for one in rule.judge(case):
            fix = one.fix or rule.fix
            yield Finding(rule.id, one.severity, one.model, one.version, one.place, one.sentence, fix)


def _waived(finding: Finding, case: Case) -> Finding:
    if finding.severity != "error" or not any(rule.id == finding.rule and rule.can_be_waived for rule in RULES):
        return finding
    for waiver in case.policy.waivers:
        holds = waiver.until >= case.today and case.policy.approves(waiver.rule, waiver.by)
        if holds and waiver.covers(finding.rule, finding.model, finding.version):
            return replace(finding, waiver=waiver)
    return finding


def _unused(case: Case, found: list[Finding]) -> Iterator[Finding]:
    used = {finding.waiver for finding in found}
    for one in case.policy.waivers:
        if one not in used and one.until >= case.today and case.policy.approves(one.rule, one.by):
            sentence = f"nothing is found that the waiver of {one.rule} for {one.model} {one.version} is about"
            yield Finding(UNUSED.id, "warning", one.model, one.version, one.place, sentence, UNUSED.fix)


def _table(model: ModelFacts, case: Case, failing: set[tuple[str, str]]) -> ModelTable:
    rows = []
    for one in reversed(tuple(model.versions.values())):
        step = case.steps.get((model.name, one.id))
        rows.append(
            VersionRow(
                version=one.id,
                older=step.older.id if step else None,
                declared=step.declared if step else None,
                needed=step.needed if step else None,
                changes=step.changes if step else (),
                is_new=case.base.find(model.name, one.id) is None,
                ways=tuple(
                    (older.id, _way(model, one, older))
                    for older in model.supported(case.today)
                    if older.version < one.version
                ),
                passes=(model.name, one.id) not in failing,
                grades=tuple(
                    (older, tuple((grading.question.side, str(grading)) for grading in gradings))
                    for (name, newer, older), gradings in case.grades.items()
                    if (name, newer) == (model.name, one.id)
                ),
            )
        )
    return ModelTable(model.name, tuple(rows))


def _way(model: ModelFacts, newer: VersionFacts, older: VersionFacts) -> str:
    chain = model.plan.chains.get((newer.id, older.id))
    if chain is None:
        return "refused" if model.plan.refused(newer.id, older.id) else "none"
    pairs = [(edge.source, edge.target) for edge in chain]
    kind = "projected" if all(pair in model.projections for pair in pairs) else "adapted"
    between = " ".join(target for _, target in pairs[:-1])
    return f"{kind} via {between}" if between else kind
