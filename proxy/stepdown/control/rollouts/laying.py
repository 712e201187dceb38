"""Lays where rollouts stand over what the file says: what is in force is the file and the stored states together.

A rollout whose state was not read yet stays as the process before this one left it, and gets nothing where that left
nothing. One whose state the store has lost gets nothing in any rule, until a person starts it.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from stepdown.control.rollouts.course import Course
from stepdown.control.rollouts.places import Place, places_of
from stepdown.decide.driving import with_driven
from stepdown.decide.rollout_spec import Driven, Rollout
from stepdown.decide.spec import SnapshotSpec
from stepdown.rollout import leading, sentences
from stepdown.rollout.document import Document, terms_of
from stepdown.rollout.phases import RUNNING


def laid(spec: SnapshotSpec, courses: Mapping[str, Course], before: tuple[Rollout, ...], now: float) -> SnapshotSpec:
    """`spec` with the file's rollouts, as they are driven; `before` are the rollouts that are in force."""
    places = places_of(spec)
    left = {rollout.name: rollout for rollout in before}
    segments = [segment.name for segment in spec.segments]
    rollouts: list[Rollout] = []
    driven: dict[str, Driven] = {}
    for declared in spec.rollouts:
        name = declared.name
        course = courses.get(name)
        document = course.shown if course is not None else None
        if name not in places:
            rollouts.append(declared)
        elif document is not None:
            place = places[name]
            document = leading.adopt(document, declared, place.candidate(declared), segments, now).document
            rollouts.append(leading.terms(document, declared))
            there = leading.driven(document, place.builds)
            if there is not None:
                driven[name] = there
        elif course is not None and course.vanished:
            rollouts.append(declared)
            driven[name] = _nothing(declared)
        elif (course is None or not course.read) and _is_same(left.get(name), declared):
            kept = left[name]
            assert kept.driven is not None
            rollouts.append(kept)
            driven[name] = kept.driven
        else:
            rollouts.append(declared)
    return with_driven(msgspec.structs.replace(spec, rollouts=tuple(rollouts)), driven)


def _nothing(declared: Rollout) -> Driven:
    return Driven(run=0, step=0, weight=0.0, stable=declared.stable, taken_back=True)


def _is_same(kept: Rollout | None, declared: Rollout) -> bool:
    same = kept is not None and (kept.stable, kept.candidate) == (declared.stable, declared.candidate)
    return same and kept is not None and kept.driven is not None


def differences(document: Document, declared: Rollout, place: Place) -> tuple[str, ...]:
    """In what that which is in force differs from the file, in one sentence each."""
    position, found = document.position, []
    there = leading.driven(document, place.builds)
    if there is None:
        return ()
    if there.weight:
        has = sentences.weight(there.weight)
        found.append(f"{position.candidate.version} has {has} of the rule {place.rule}, and 0 % in the file")
    if there.stable != declared.stable:
        found.append(f"{there.stable} has the rest, as the last good version, and {declared.stable} in the file")
    if there.taken_back:
        found.append(
            f"{there.stable} stands in the place of {position.candidate.version} in every rule of {place.route}"
        )
    found.extend(
        f"{there.stable} stands in the place of {version}, which is in quarantine" for version in there.quarantined
    )
    if position.phase in RUNNING and document.terms is not None and document.terms != terms_of(declared):
        found.append("it runs by what it was started with, and the file has other steps, guards or limits")
    return tuple(found)
