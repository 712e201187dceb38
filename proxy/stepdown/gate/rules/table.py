"""All rules: id, what it asks, why, and what to do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from stepdown.gate.rules import allowances, contracts, locking, proofs, support, ways
from stepdown.gate.rules.case import Case, Observation


@dataclass(frozen=True, slots=True)
class Rule:
    """One row."""

    id: str
    title: str
    help: str
    fix: str
    judge: Callable[[Case], Iterator[Observation]]
    can_be_waived: bool = True


RULES = (
    Rule(
        "breaking-unadapted",
        "A version that breaks its predecessor steps down to every supported version",
        "Clients that were built for an older version get its shape whichever server answers. Where a new version's "
        "contract breaks the one before it, or its MAJOR rose, an adapter has to lead down, or a refusal has to say "
        "why there is none.",
        "declare the missing adapter, or refuse the step and keep an old server routed",
        contracts.breaking_unadapted,
    ),
    Rule(
        "bump-too-small",
        "A version's number rises as much as its contract changes",
        "Clients pin ranges such as ^1.2 and trust the number. In 0.y.z the MINOR counts for MAJOR "
        "(SemVer 2.0, section 4).",
        "publish the change under a higher number",
        contracts.bump_too_small,
    ),
    Rule(
        "contract-missing",
        "Every release declares a contract",
        "Nothing can be compared with a version that declares no schema.",
        "declare a schema for it",
        contracts.contract_missing,
    ),
    Rule(
        "contract-edited",
        "A published contract is not edited",
        "Clients were built for the contract as it was published. Titles, descriptions and examples may be edited.",
        "restore it and publish the change as a new version, or accept it: stepdown gate --write-lock --accept-edit "
        "MODEL/VERSION --reason TEXT",
        contracts.contract_edited,
    ),
    Rule(
        "contract-annotated",
        "A published contract was explained in other words",
        "Edits that change no promise are allowed; they are told so that reviewers see them.",
        "nothing to do",
        contracts.contract_annotated,
    ),
    Rule(
        "lock-behind",
        "The lock has a line for every release",
        "The lock file remembers what was published, also where the base does not reach back to it.",
        "run stepdown gate --write-lock (with --base after an edit of annotations) and commit the file",
        locking.lock_behind,
    ),
    Rule(
        "lock-edited",
        "The lock is not edited by hand",
        "A line of the lock changes by an accepted edit only, and is never removed.",
        "restore the line from the base",
        locking.lock_edited,
    ),
    Rule(
        "version-removed",
        "A supported version stays until its sunset",
        "Clients that ask for a version that is gone get 400 or 410. Announce its end with `deprecated` and "
        "`sunset` first.",
        "keep it without endpoints until its sunset; old shapes cost no server",
        ways.version_removed,
    ),
    Rule(
        "path-lost",
        "A supported version that could be had can still be had",
        "Each route that could give a shape in the base has to give it until the shape's sunset.",
        "restore the adapter, or name a version that can give the shape in a rule of the route",
        ways.path_lost,
    ),
    Rule(
        "promise-broken",
        "Every server of a route gives what is promised",
        "The default version and the pins of clients have to be reachable from every version that may answer; "
        "`stepdown check` refuses the file otherwise.",
        "declare the missing adapter, or take the version out of the route's rules",
        ways.promise_broken,
    ),
    Rule(
        "refusal-unserved",
        "A refused step keeps an old server routed",
        "`refuse:` says that no answer of the newer version can be turned into the older shape. Its clients then need "
        "a server that computes it, on every route.",
        "name a version that gives the shape in a rule of the route",
        ways.refusal_unserved,
    ),
    Rule(
        "proof-too-weak",
        "Every chain to a supported version is as well proved as the policy says",
        "The policy's `proof` says whether each chain has to be proved, or to have been tested with a number of "
        "documents. One that is refuted gives clients what breaks their contract.",
        "stepdown prove shows the grades, what stands in the way, and counterexamples",
        proofs.proof_too_weak,
    ),
    Rule(
        "notice-too-short",
        "The end of a version is announced early enough",
        "The policy's `notice` is the time between `deprecated` and `sunset`, and between announcing a sunset "
        "and the day.",
        "a later sunset",
        support.notice_too_short,
    ),
    Rule(
        "support-too-short",
        "A MAJOR is supported as long as the policy says",
        "The policy's `support` says how many MAJORs are supported, and how long one is after the next was published.",
        "keep the last release of the MAJOR, with a later sunset",
        support.support_too_short,
    ),
    Rule(
        "waiver-expired",
        "A waiver ends on its day",
        "An exception is made for a time. When it is over, the finding counts again and the waiver has to go.",
        "remove the waiver and repair what it was for, or have it approved anew",
        allowances.waiver_expired,
        can_be_waived=False,
    ),
    Rule(
        "approval-missing",
        "Exceptions are made by those who may",
        "The policy's `approvals` name who may waive which rule.",
        "have it approved by one of them",
        allowances.approval_missing,
        can_be_waived=False,
    ),
)

UNUSED = Rule(
    "waiver-unused",
    "A waiver is needed",
    "A waiver without a finding would hide the next one.",
    "remove the waiver",
    lambda case: iter(()),  # only `judging` knows what was waived
    can_be_waived=False,
)

BY_ID = {rule.id: rule for rule in (*RULES, UNUSED)}
WAIVABLE = tuple(rule.id for rule in RULES if rule.can_be_waived)
