"""Rules about what was allowed as an exception: by whom, and for how long."""

from __future__ import annotations

from collections.abc import Iterator

from stepdown.gate.rules.case import Case, Observation, listed


def waiver_expired(case: Case) -> Iterator[Observation]:
    """An exception whose day has passed."""
    for one in case.policy.waivers:
        if one.until < case.today:
            sentence = (
                f"the waiver of {one.rule} for {one.model} {one.version} ended on {one.until} ({one.by}: {one.reason})"
            )
            yield Observation(one.place, sentence, one.model, one.version)


def approval_missing(case: Case) -> Iterator[Observation]:
    """An exception by somebody who cannot make it."""
    for one in case.policy.waivers:
        if not case.policy.approves(one.rule, one.by):
            names = listed(case.policy.approvers(one.rule) or ())
            sentence = f"{one.by} cannot waive {one.rule}: {names} can"
            yield Observation(one.place, sentence, one.model, one.version)
    for (model, version), entry in (case.lock.entries if case.lock else {}).items():
        before = case.base_entry(model, version)
        for edit in entry.edits:
            known = before is not None and edit in before.edits
            if not known and not case.policy.approves("contract-edited", edit.by):
                names = listed(case.policy.approvers("contract-edited") or ())
                sentence = f"the edit of {version} was accepted by {edit.by or 'nobody'}: {names} can"
                yield Observation(case.lock_place(model, version), sentence, model, version)
