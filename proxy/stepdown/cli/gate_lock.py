"""`stepdown gate --write-lock`: adds published versions to the lock, and edits only where somebody answers for them."""

from __future__ import annotations

import datetime
import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path

from stepdown.gate import base as bases
from stepdown.gate import reading
from stepdown.gate.facts import Facts
from stepdown.gate.lock import Key, Lock, written
from stepdown.gate.policy import Policy
from stepdown.gate.steps import edits_of
from stepdown.gate.update import Acceptance, Update, update
from stepdown_adapters.versions import Version, VersionError


def write(  # noqa: PLR0917 - what the command was given
    file: Path,
    base: str | None,
    policy: Policy,
    today: datetime.date,
    accept: Sequence[str],
    reason: str | None,
    by: str | None,
) -> int:
    """Write the lock beside `file`; gives the exit code.

    Raises:
        RefusedError: when a file cannot be used.
        BaseError: when there is no such base.
    """
    head = reading.head_facts(file, os.environ)
    lock_file = file.parent / reading.LOCK
    lock = reading.read_lock(lock_file) or Lock()
    accepted, complaints = _accepted(accept, reason, by, head, lock)
    if complaints:
        return _say(complaints, 2)
    if accepted and not policy.approves("contract-edited", by):
        names = ", ".join(policy.approvers("contract-edited") or ())
        return _say([f"{by or 'nobody (--by)'} cannot accept edits: the policy names {names}"], 1)
    with bases.opened(base, file) if base is not None else nullcontext() as opened:
        before = reading.base_facts(opened.file, os.environ)[0] if opened is not None else Facts()
        done = update(lock, head, today, accepted, edits_of(head, before, policy))
    if done.refused:
        return _say([_refusal(key, lock_file) for key in done.refused] + ["nothing was written"], 1)
    _replace(lock_file, written(done.lock))
    _tell(lock_file, done)
    return 0


def _accepted(
    accept: Sequence[str], reason: str | None, by: str | None, head: Facts, lock: Lock
) -> tuple[Mapping[Key, Acceptance], list[str]]:
    """What may change, by version; and what is wrong with what was asked for."""
    if not accept:
        return {}, ["--reason and --by go with --accept-edit"] if reason or by else []
    if not reason or not reason.strip():
        return {}, ['--accept-edit needs --reason "why the contract may change after it was published"']
    found: dict[Key, Acceptance] = {}
    complaints = []
    for name in accept:
        model, _, text = name.rpartition("/")
        try:
            key = (model, str(Version.parse(text)))
        except VersionError:
            key = (model, "")
        if head.find(*key) is None or key not in lock.entries:
            known = ", ".join(f"{one}/{version}" for one, version in lock.entries if head.find(one, version))
            complaints.append(f"--accept-edit {name}: allowed a version in file and lock: {known or 'none is'}")
        found[key] = Acceptance(reason.strip(), by)
    return found, complaints


def _refusal(key: Key, lock_file: Path) -> str:
    name = "/".join(key)
    return (
        f"{name}: the contract is not the one that {lock_file} has. Restore it and publish the change as a new "
        "version; after an edit of annotations only, add --base; or accept the edit: "
        f'--accept-edit {name} --reason "..."'
    )


def _tell(lock_file: Path, done: Update) -> None:
    for what, keys in (("added", done.added), ("changed", done.changed)):
        for key in keys:
            print(f"{lock_file}: {what} {'/'.join(key)}")
    for key in done.needless:
        print(f"{lock_file}: {'/'.join(key)} is as it was, so there was no edit to accept")
    if not (done.added or done.changed):
        print(f"{lock_file}: nothing new")


def _replace(path: Path, text: str) -> None:
    new = path.with_name(f".{path.name}.{os.getpid()}")
    new.write_text(text, encoding="utf-8")
    new.replace(path)


def _say(sentences: Sequence[str], code: int) -> int:
    print("\n".join(sentences), file=sys.stderr)
    return code
