"""Rules about the lock file itself."""

from __future__ import annotations

from collections.abc import Iterator

from stepdown.gate.facts import SIDES, VersionFacts
from stepdown.gate.rules.case import Case, Observation
from stepdown_adapters.contract.sides import Side


def lock_behind(case: Case) -> Iterator[Observation]:
    """A release that the lock does not know, or knows as it was before a harmless edit."""
    if case.lock is None:
        if case.head.models and case.base_lock is None:
            sentence = f"there is no {case.lock_file}, so that edits of what was published before the base go unseen"
            yield Observation(case.head.place, sentence, severity="warning")
        return
    for model, one in case.releases():
        entry = case.entry(model.name, one.id)
        if entry is None and one.prints:
            sentence = f"{case.lock_file} has no line for {model.name} {one.id}"
            yield Observation(one.place, sentence, model.name, one.id)
        elif entry is not None:
            for side in SIDES:
                if _is_behind(case, model.name, one, side, entry.prints.get(side)):
                    sentence = f"{case.lock_file} has the {side} contract of {one.id} as it was before a harmless edit"
                    yield Observation(case.lock_place(model.name, one.id), sentence, model.name, one.id)


def _is_behind(case: Case, model: str, one: VersionFacts, side: Side, known: str | None) -> bool:
    now = one.prints.get(side)
    if now is None or known == now:
        return False
    edited = case.edit(model, one.id, side)
    return known is None or (edited is not None and edited.is_harmless)


def lock_edited(case: Case) -> Iterator[Observation]:
    """A line of the lock that was removed, or changed in another way than by an accepted edit."""
    if case.base_lock is None:
        return
    if case.lock is None:
        yield Observation(case.head.place, f"{case.lock_file} was removed")
        return
    for (model, version), before in case.base_lock.entries.items():
        entry = case.entry(model, version)
        place = case.lock_place(model, version)
        if entry is None:
            yield Observation(place, f"the line of {model} {version} was removed", model, version)
            continue
        if entry.published != before.published:
            sentence = f"{version} was published on {before.published}, and the line says {entry.published}"
            yield Observation(place, sentence, model, version)
        for side, known in before.prints.items():
            if entry.prints.get(side) != known and not _may_change(case, model, version, side):
                sentence = f"the fingerprint of the {side} contract of {version} was changed by hand"
                yield Observation(place, sentence, model, version)


def _may_change(case: Case, model: str, version: str, side: Side) -> bool:
    entry, before = case.entry(model, version), case.base_entry(model, version)
    edited = case.edit(model, version, side)
    if edited is not None and edited.is_harmless:
        return True
    return bool(entry and before and entry.accepts(side, before.prints.get(side)))
