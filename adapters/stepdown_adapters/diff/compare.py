"""Compares two contracts and says of every difference what it means: whom it breaks, which bump, which repair."""

from __future__ import annotations

from dataclasses import replace

from stepdown_adapters.contract.keywords import Schema
from stepdown_adapters.contract.model import Contract
from stepdown_adapters.diff import envelope, protobuf
from stepdown_adapters.diff.arbiter import Answer, Arbiter
from stepdown_adapters.diff.catalogue import KINDS
from stepdown_adapters.diff.change import Change, Diff
from stepdown_adapters.diff.found import Found
from stepdown_adapters.diff.guesses import guessed
from stepdown_adapters.diff.policy import KEPT, Client, Direction, Enums, Formats, Policy
from stepdown_adapters.diff.repair import repair
from stepdown_adapters.diff.shown import shown
from stepdown_adapters.diff.walk import Walk
from stepdown_adapters.paths import ROOT
from stepdown_adapters.proof.inclusion import Excluded, Included, included


def compare(
    older: Contract,
    newer: Contract,
    *,
    direction: Direction = "response",
    client: Client = "strict",
    enums: Enums = "closed",
    formats: Formats = "annotation",
) -> Diff:
    """Every difference between two contracts, judged for one direction and one sort of client."""
    policy = Policy(direction, client, enums, formats)
    found, inclusion = _schemas(older.schema, newer.schema, policy)
    found += protobuf.compare(older.schema, newer.schema)
    if direction == "response":
        for place, old, new in envelope.bodies(older, newer):
            found += [replace(one, place=place) for one in _schemas(old, new, policy)[0]]
        found += envelope.compare(older.envelope, newer.envelope)
    return Diff(tuple(judged(one, policy) for one in found), policy, inclusion)


def judged(found: Found, policy: Policy) -> Change:
    """What a difference means under a policy."""
    outcome = KEPT if found.proved is True else policy.outcome(found.kind)
    verdict = outcome.strict if policy.client == "strict" else outcome.tolerant
    bump = outcome.bump if policy.client == "strict" else outcome.tolerant_bump
    compatible = verdict == "compatible"
    words = {"before": shown(found.before), "after": shown(found.after), "keyword": found.keyword}
    sentence = KINDS[found.kind].sentence.format_map(words)
    reason = ""
    if found.proved is True:
        reason = "proved to allow nothing new"
    elif found.proved is False:
        reason = f"for example {shown(found.witness)}"
    return Change(
        kind=found.kind,
        path=str(found.path),
        before=found.before,
        after=found.after,
        compatible=compatible,
        strict=outcome.strict,
        tolerant=outcome.tolerant,
        bump=bump,
        sentence=f"{sentence} (a guess)" if found.guess else sentence,
        repair=None if found.place or (compatible and bump != "major") else repair(found, policy.direction),
        guess=found.guess,
        place=found.place,
        reason=reason,
    )


def _schemas(older: Schema, newer: Schema, policy: Policy) -> tuple[list[Found], str]:
    """The differences of two schemas, and what is proved of them as wholes."""
    arbiter = Arbiter(older, newer, _asked)
    walk = Walk(older, newer, policy, arbiter)
    walk.compare(older, newer, ROOT)
    answer = walk.ask(older, newer)
    found = guessed(walk)
    if answer.included and not any(one.guess for one in found):
        for one in found:
            one.proved = one.proved or walk.provable(one) or None
    if answer.included is False and walk.holds([one for one in found if walk.about_values(one)]):
        # The walk's rules and the proof contradict each other; the document that was found counts.
        found.append(Found("undecided", ROOT, keyword="the whole", proved=False, witness=answer.witness))
    return found, {True: "included", False: "excluded", None: "undecided"}[answer.included]


def _asked(inner: Schema, outer: Schema) -> Answer:
    verdict = included(inner, outer)
    if isinstance(verdict, Included):
        return Answer(True)
    return Answer(False, verdict.witness) if isinstance(verdict, Excluded) else Answer(None)
