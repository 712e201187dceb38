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
from stepdown_adapters.diff.meaning import SEMANTIC
from stepdown_adapters.diff.policy import KEPT, Client, Direction, Enums, Formats, Policy
from stepdown_adapters.diff.repair import repair
from stepdown_adapters.diff.shown import shown, shown_document, shown_value
from stepdown_adapters.diff.values import lower, upper
from stepdown_adapters.diff.walk import Walk
from stepdown_adapters.paths import ROOT
from stepdown_adapters.proof.inclusion import Excluded, Included, Inclusion, Undecided, included


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
    found, proved = _schemas(older.schema, newer.schema, policy)
    found += protobuf.compare(older.schema, newer.schema)
    if direction == "response":
        for place, old, new in envelope.bodies(older, newer):
            found += [replace(one, place=place) for one in _schemas(old, new, policy)[0]]
        found += envelope.compare(older.envelope, newer.envelope)
    changes = tuple(judged(one, policy) for one in found)
    return Diff(_converted(changes), policy, proved)


def _converted(changes: tuple[Change, ...]) -> tuple[Change, ...]:
    """Where the meaning of a number is converted, that repairs its bounds as well: a sigmoid needs no clamp."""
    conversions = {
        change.path: change.repair
        for change in changes
        if change.kind == "semantic-changed" and change.repair is not None
    }
    return tuple(
        replace(change, repair=conversions[change.path])
        if change.kind == "bound-loosened" and change.path in conversions
        else change
        for change in changes
    )


def judged(found: Found, policy: Policy) -> Change:
    """What a difference means under a policy."""
    outcome = KEPT if found.proved is True else policy.outcome(found.kind)
    verdict = outcome.strict if policy.client == "strict" else outcome.tolerant
    bump = outcome.bump if policy.client == "strict" else outcome.tolerant_bump
    compatible = verdict == "compatible"
    as_text = shown_value if found.keyword in ("const", "enum") else shown
    words = {"before": as_text(found.before), "after": as_text(found.after), "keyword": found.keyword}
    if found.guess:  # paths, which are no JSON
        words |= {"before": str(found.before), "after": str(found.after)}
    sentence = KINDS[found.kind].sentence.format_map(words)
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
        reason="" if compatible and found.proved is False else _reason(found),
    )


def _reason(found: Found) -> str:
    """What decided, or what no schema shows and a reader has to know."""
    if found.proved is True:
        return "proved to allow nothing new"
    if found.kind == "bound-loosened" and _became_any_number(found):
        return "a probability that became a logit looks like this: if the meaning changed, convert and do not clamp"
    return f"for example {shown_document(found.witness)}" if found.proved is False else ""


def _became_any_number(found: Found) -> bool:
    """Whether numbers from 0 to 1, of which nobody says what they mean, lost a bound."""
    ends = [(bound.value if bound is not None else None) for bound in (lower(found.older), upper(found.older))]
    open_ended = lower(found.newer) is None or upper(found.newer) is None
    return ends == [0, 1] and open_ended and SEMANTIC not in found.newer


def _schemas(older: Schema, newer: Schema, policy: Policy) -> tuple[list[Found], Inclusion]:
    """The differences of two schemas, and what is proved of them as wholes."""
    arbiter = Arbiter(older, newer, _asked)
    walk = Walk(older, newer, policy, arbiter)
    walk.compare(older, newer, ROOT)
    answer = walk.ask(older, newer)
    strictly = replace(policy, client="strict", enums="closed")
    holds = all(one.proved is True or strictly.holds(one.kind) for one in walk.found if walk.about_values(one))
    found = guessed(walk)
    if answer.included and not any(one.guess for one in found):
        for one in found:
            one.proved = one.proved or walk.provable(one) or None
    if answer.included is False and holds:
        # The walk's rules and the proof contradict each other; the document that was found counts.
        found.append(Found("undecided", ROOT, keyword="the whole", proved=False, witness=answer.witness))
    return found, _as_whole(answer)


def _as_whole(answer: Answer) -> Inclusion:
    if answer.included is None:
        return Undecided(answer.reason)
    return Included() if answer.included else Excluded(answer.witness, answer.reason)


def _asked(inner: Schema, outer: Schema, steps: int) -> Answer:
    verdict = included(inner, outer, budget=steps)
    if isinstance(verdict, Included):
        return Answer(True)
    if isinstance(verdict, Excluded):
        return Answer(False, verdict.witness, verdict.reason)
    return Answer(None, reason=verdict.reason)
