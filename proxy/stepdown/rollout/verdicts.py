"""What a rollout comes to in one word, for deployment tools that ask: success, failure or inconclusive.

*Of what* is asked goes with the question:

    step      the step where it stands now: what a tool asks that lets each step on itself (`manual` steps)
    rollout   the whole walk: what a tool asks that waits for its end
    2         one step, from 1: it has passed once the rollout is beyond it

The first line that holds counts:

    inconclusive  it ended with another candidate than the one it has now
    success       promoted
    failure       rolled back, aborted; or what is known is enough to be rolled back with the next word
    inconclusive  its state cannot be stored or is missing
    success       of a step: it was passed; or it is *gated*; or all that it takes to pass is there
    inconclusive  everything else: pending, too early, too few, paused, frozen, a guard that cannot be read

**Argo Rollouts** (`metricproviders/webmetric`) asks by HTTP and takes a member of the answer by `jsonPath`: `score` is
1, 0 or -1, so `successCondition: result > 0` and `failureCondition: result < 0` make of it a measurement that is
Successful, Failed, or, where neither holds, Inconclusive. An analysis that waits has an `inconclusiveLimit` as great as
its `count`, ends with the first success by `consecutiveSuccessLimit: 1`, and with the first failure by `failureLimit:
0`; one that counts to its end is Inconclusive, which pauses for a person. An answer that is none (401, 404, 503,
nothing) is an Error: never a pass.

**Flagger** knows no such provider: its MetricTemplate asks Prometheus for the same number
(`stepdown_rollout_verdict`), which must not be below 0; no value halts and counts as a failed check. Its webhooks take
2xx for yes; what they call may ask for `outcome` (config/flagger).
"""

from __future__ import annotations

from typing import Literal

import msgspec

from stepdown.decide.rollout_spec import Step
from stepdown.rollout import sentences
from stepdown.rollout.judge import decide, explain
from stepdown.rollout.phases import ENDED, JUDGED, RUNNING
from stepdown.rollout.position import Position
from stepdown.rollout.waiting import Look, waits

Outcome = Literal["success", "failure", "inconclusive"]
SCORES: dict[Outcome, int] = {"success": 1, "inconclusive": 0, "failure": -1}
NOW, WHOLE = "step", "rollout"


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """One word, and why."""

    outcome: Outcome
    score: int
    """1, 0 or -1, for conditions that know numbers only."""
    sentence: str
    of: str
    """`step`, `rollout`, or the number of a step."""


def asked_of(text: str, steps: int) -> str:
    """What a verdict is asked of; raises `ValueError` with a sentence."""
    if text in (NOW, WHOLE):
        return text
    if text.isascii() and text.isdigit() and 1 <= int(text) <= steps:
        return str(int(text))
    raise ValueError(f'of: found "{text}"; allowed "step", "rollout" or a step from 1 to {steps}')


def verdict(look: Look, of: str = NOW) -> Verdict:
    """Of what `of` says (`asked_of`)."""
    outcome, sentence = _decided(look, of)
    return Verdict(outcome=outcome, score=SCORES[outcome], sentence=sentence, of=of)


def _decided(look: Look, of: str) -> tuple[Outcome, str]:
    position, at, candidate = look.position, look.at, look.position.candidate.version
    if position.phase in ENDED:
        return _ended(position)
    if position.phase in JUDGED and at is not None and decide(*at) == "worse":
        return "failure", f"{candidate} is worse: {explain('worse', *at)}"
    if look.store == "lost" or position.phase == "blind":
        return "inconclusive", "its state cannot be stored, so nothing advances"
    if look.store == "missing":
        return "inconclusive", f"there is no state of it: {candidate} has nothing until a person starts it"
    if of != WHOLE and position.phase in RUNNING and (found := _passed(look, of)):
        return "success", found
    waiting = "; ".join(waits(look))
    if position.phase not in RUNNING:
        return "inconclusive", f"{position.phase}: waits for {waiting}"
    return "inconclusive", f"{position.phase} at {_named(look, position.step)}: waits for {waiting}"


def _ended(position: Position) -> tuple[Outcome, str]:
    candidate = position.candidate
    known = {"promoted": position.good == candidate.version, "rolled back": candidate in position.quarantined}
    if not known.get(position.phase, True):
        return "inconclusive", f"{candidate.version} was not started; the rollout before it was {position.phase}"
    if position.phase == "promoted":
        return "success", f"{candidate.version} was promoted and has all traffic"
    return "failure", f"{candidate.version} was {position.phase}, and {position.stable} has all traffic"


def _passed(look: Look, of: str) -> str:
    """Why a step counts as passed; empty where it does not."""
    position, at = look.position, look.at
    asked = position.step if of == NOW else int(of) - 1
    if asked < position.step:
        return f"{_named(look, asked)} has passed"
    if asked > position.step or at is None:
        return ""
    if position.phase == "gated":
        return f"{_named(look, asked)} has passed and waits for a person to let it on"
    if position.phase == "stepping" and decide(*at) == "passed":
        return f"{_named(look, asked)} passes: {explain('passed', *at)}"
    return ""


def _named(look: Look, step: int) -> str:
    steps = look.rollout.steps
    found = steps[step] if step < len(steps) else Step(weight=look.position.weight)
    return sentences.step(step, len(steps), found.weight, found.segment)
