"""What a company has agreed on about versions: how long they live, who may allow what, and what is allowed for now."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from stepdown.gate.facts import Place
from stepdown_adapters.diff.policy import Client, Enums, Formats

EVERY_RULE = "*"


@dataclass(frozen=True, slots=True)
class Waiver:
    """One finding that somebody answers for until a day."""

    rule: str
    model: str
    version: str
    by: str
    reason: str
    until: datetime.date
    """The last day on which it holds."""
    place: Place

    def covers(self, rule: str, model: str, version: str) -> bool:
        """Whether it is about such a finding."""
        return (self.rule, self.model, self.version) == (rule, model, version)


@dataclass(frozen=True, slots=True)
class Approval:
    """Who may waive a rule; for `contract-edited` also who may accept an edit."""

    rule: str
    by: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ProofDemand:
    """How well every chain has to be proved."""

    tested: int | None
    """How many documents have to have been adapted rightly; `None`: nothing less than a proof will do."""
    documents: int
    """How many are tried."""
    keep: str | None = None
    """The folder in which counterexamples are kept, relative to the policy's."""
    needs_contracts: bool = True
    """Whether a chain fails of which nothing can be shown, because a version at its end declares no contract."""


UNSAID = ProofDemand(tested=100, documents=200, needs_contracts=False)
"""Where nothing was agreed on: few documents, so that the gate is quick, and enough to refute most of what is wrong."""


@dataclass(frozen=True, slots=True)
class Policy:
    """The agreement; the default is to have none, and to remove nothing before its sunset."""

    majors: int | None = None
    """How many MAJORs are supported, the newest included."""
    at_least: int | None = None
    """Days for which a MAJOR is supported after the next one was published."""
    notice: int | None = None
    """Days between `deprecated` and `sunset`."""
    remove_before_sunset: bool = False
    client: Client = "strict"
    enums: Enums = "closed"
    formats: Formats = "annotation"
    proof: ProofDemand = UNSAID
    approvals: tuple[Approval, ...] = ()
    waivers: tuple[Waiver, ...] = ()

    def approvers(self, rule: str) -> tuple[str, ...] | None:
        """Who may allow what a rule forbids; `None` is anybody. What is said of a rule goes before `*`."""
        for named in (rule, EVERY_RULE):
            names = tuple(name for one in self.approvals if one.rule == named for name in one.by)
            if names:
                return names
        return None

    def approves(self, rule: str, by: str | None) -> bool:
        """Whether `by` may allow what a rule forbids."""
        names = self.approvers(rule)
        return names is None or by in names
