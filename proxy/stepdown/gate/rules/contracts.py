"""Rules about versions and their contracts: what a new version breaks, how far its number rose, what was edited."""

from __future__ import annotations

from collections.abc import Iterator

from stepdown.gate.facts import SIDES, ModelFacts, VersionFacts
from stepdown.gate.rules.case import Case, Observation, counted, listed
from stepdown.gate.steps import Edited, Step, is_enough_if_tolerated
from stepdown_adapters.contract.sides import Side
from stepdown_adapters.diff import next_version


def breaking_unadapted(case: Case) -> Iterator[Observation]:
    """A version that cannot be stepped down to every supported version below it, and no refusal says so."""
    for model in case.head.models.values():
        checked = [one for one in model.versions.values() if _is_checked(one, case)]
        for newer in checked:
            lost = [
                older.id
                for older in model.supported(case.today)
                if older.version < newer.version
                and _is_cut(model, newer, older)
                # Of several versions that cannot reach it, the oldest is where the way breaks off.
                and not any(
                    older.version < one.version < newer.version and _is_cut(model, one, older) for one in checked
                )
            ]
            step = case.steps.get((model.name, newer.id))
            if lost and step is not None:
                missing = model.plan.missing(newer.id, lost[-1])
                sentence = f"{_what_breaks(step)}, and nothing leads down to {listed(lost)}: {missing}"
                fix = (
                    f"declare an adapter from {newer.id} to {step.older.id} in models.{model.name}.adapters (`stepdown "
                    "diff` proposes its operations); where there can be none, say why with `refuse:` and keep an old "
                    "server routed"
                )
                yield Observation(newer.place, sentence, model.name, newer.id, fix=fix)


def _is_checked(one: VersionFacts, case: Case) -> bool:
    """Whether a version can answer somebody: it is served, or clients may count on it."""
    return one.has_endpoints or one.is_supported(case.today)


def _is_cut(model: ModelFacts, newer: VersionFacts, older: VersionFacts) -> bool:
    return not model.reaches(newer.id, older.id) and model.plan.refused(newer.id, older.id) is None


def _what_breaks(step: Step) -> str:
    pair = f"{step.newer.id} breaks clients of {step.older.id}"
    if step.unknown:
        return f"{pair} as far as anybody can tell ({_unknown(step)})"
    if step.breaking:
        broken = [(side, change) for side, change in step.changes if not change.compatible]
        side, first = broken[0]
        more = f", and {counted(len(broken) - 1, 'more change')}" if len(broken) > 1 else ""
        return f"{pair} ({side}: {first}{more})"
    if step.declared == "major":
        return f"{step.newer.id} is a MAJOR step from {step.older.id}"
    return f"{step.newer.id} does not break clients of {step.older.id} by its contract"


def _unknown(step: Step) -> str:
    one = step.newer if "output" in step.older.declared else step.older
    return f"{one.id} declares no contract"


def bump_too_small(case: Case) -> Iterator[Observation]:
    """A version whose number rose less than its contracts changed; what is published cannot be renumbered any more."""
    for (name, version), step in case.steps.items():
        if step.is_enough or step.newer.retired:
            continue
        needed = next_version(step.older.version, step.needed)
        why = [f"{side}: {change}" for side, change in step.changes if change.bump == step.needed]
        first = _unknown(step) if step.unknown else why[0]
        more = f", and {counted(len(why) - 1, 'more')}" if len(why) > 1 else ""
        sentence = (
            f"{version} is a {step.declared.upper()} step from {step.older.id}, and its contract changed by "
            f"{step.needed.upper()} ({first}{more})"
        )
        old = case.base.find(name, version)
        if old is not None and old.prints == step.newer.prints and case.base.find(name, step.older.id) is not None:
            sentence += "; it was published like that"
            yield Observation(step.newer.place, sentence, name, version, severity="warning", fix="nothing to do")
        else:
            fix = f"publish it as {needed} or later (`stepdown diff` lists the changes)"
            if is_enough_if_tolerated(step, case.policy):
                fix += "; if all clients ignore members that they do not know, diff: {client: tolerant} in the policy"
            yield Observation(step.newer.place, sentence, name, version, fix=fix)


def contract_missing(case: Case) -> Iterator[Observation]:
    """A release of which nobody can say what it promises."""
    for model, one in case.releases():
        if "output" in one.declared or one.retired:
            continue
        others = any("output" in other.declared for other in model.versions.values())
        sentence = f"{one.id} declares no schema, so nothing can be compared with it"
        severity = "error" if others and case.base.find(model.name, one.id) is None else "warning"
        yield Observation(one.place, sentence, model.name, one.id, severity=severity)  # type: ignore[arg-type]


def contract_edited(case: Case) -> Iterator[Observation]:
    """A published contract that says something else than when it was published."""
    for model, one in case.releases():
        for side in SIDES:
            what = _edit(case, model.name, one, side)
            if what is None:
                continue
            entry = case.entry(model.name, one.id)
            accepted = None
            if entry is not None and entry.prints.get(side) == one.prints.get(side):
                accepted = entry.accepts(side, _published(case, model.name, one.id, side))
            sentence = f"the {side} contract of {one.id} is published, and {what}"
            if accepted is not None:
                by = f" by {accepted.by}" if accepted.by else ""
                told = f"{sentence}; accepted{by} on {accepted.on}: {accepted.reason}"
                yield Observation(one.place, told, model.name, one.id, "warning", fix="nothing to do")
            else:
                yield Observation(one.place, sentence, model.name, one.id)


def _edit(case: Case, model: str, one: VersionFacts, side: Side) -> str | None:
    """What was done to one side of a published contract, if it changes a promise."""
    edited = case.edit(model, one.id, side)
    if edited is not None:
        return None if edited.is_harmless else _told(edited)
    entry = case.base_entry(model, one.id) or case.entry(model, one.id)
    known, now = entry.prints.get(side) if entry else None, one.prints.get(side)
    if known is None or known == now:
        return None
    return f"its fingerprint is not the one in {case.lock_file}" if now else f"{case.lock_file} has one"


def _published(case: Case, model: str, version: str, side: Side) -> str | None:
    """The fingerprint with which a contract was published."""
    entry = case.base_entry(model, version)
    if entry is not None and side in entry.prints:
        return entry.prints[side]
    before = case.base.find(model, version)
    return before.prints.get(side) if before else None


def _told(edited: Edited) -> str:
    if not edited.changes:
        return edited.note or "changed"
    more = f", and {counted(len(edited.changes) - 1, 'more change')}" if len(edited.changes) > 1 else ""
    worst = next(change for change in edited.changes if change.bump == edited.bump)
    return f"was edited by {edited.bump.upper()} ({worst}{more})"


def contract_annotated(case: Case) -> Iterator[Observation]:
    """A published contract whose explanations were edited, and nothing that it promises."""
    for model, one in case.releases():
        for edited in case.edits.get((model.name, one.id), ()):
            if edited.is_harmless:
                what = _told(edited) if edited.changes or edited.note else "was written in another way"
                sentence = f"the {edited.side} contract of {one.id} {what}; no promise changed"
                yield Observation(one.place, sentence, model.name, one.id, "note", fix="nothing to do")
