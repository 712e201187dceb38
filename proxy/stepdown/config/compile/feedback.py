"""Feedback: no secret or key that can be guessed, and no event that nobody can report."""

from __future__ import annotations

import hashlib

from stepdown.config.compile.checker import Checker
from stepdown.config.compile.resources import Resources
from stepdown.config.file import RootFile
from stepdown.config.tree import Path, dotted
from stepdown.decide.rollout_spec import Feedback, FeedbackKey
from stepdown.rollout.counts import OWN_KINDS

SHORTEST = 16
"""Characters of a secret or a key; who guesses one can make a rollout go any way."""


def feedback_of(file: RootFile, resources: Resources, checker: Checker) -> Feedback | None:
    """Who may report what; `None` where nobody may. Notes guards that wait for what nobody can report."""
    section = file.feedback
    _check_events(file, checker)
    if section is None:
        return None
    seen: dict[str, str] = {}
    secrets = []
    for index, _ in enumerate(section.secrets):
        secret = _text(("feedback", "secrets", index), "secret", seen, resources, checker)
        secrets += [secret] if secret is not None else []
    keys: list[FeedbackKey] = []
    for index, entry in enumerate(section.keys):
        path: Path = ("feedback", "keys", index)
        if any(key.name == entry.name for key in keys):
            checker.error((*path, "name"), f'found the name "{entry.name}" a second time', "a name of its own for each")
        key = _text((*path, "key"), "key", seen, resources, checker)
        keys.append(FeedbackKey(entry.name, hashlib.sha256((key or "").encode()).hexdigest()))
    return Feedback(tuple(secrets), tuple(keys), section.max_age)


def _text(path: Path, kind: str, seen: dict[str, str], resources: Resources, checker: Checker) -> str | None:
    """A secret or a key, which is neither short nor there already; `None` where it could not be read."""
    found = resources.secrets.get(path)
    if found is None:
        return None
    text = found.get_secret_value()
    if text in seen:
        checker.error(path, f"found the same text as {seen[text]}", "another one: each opens another door")
    elif len(text) < SHORTEST:
        problem = f"found a {kind} of fewer than {SHORTEST} characters: who guesses it decides what a rollout does"
        checker.error(path, problem, "a long random one, such as `openssl rand -hex 32` prints")
    seen.setdefault(text, dotted(path))
    return text


def _check_events(file: RootFile, checker: Checker) -> None:
    """Of events that nobody can report: a rollout that can be started would wait for ever, any other is simulated."""
    silent = file.feedback is None and not checker.is_damaged("feedback")
    for name, rollout in file.rollouts.items():
        for index, guard in enumerate(rollout.guards or ()):
            path: Path = ("rollouts", name, "guards", index)
            if guard.kind != "event":
                continue
            if guard.event in OWN_KINDS:
                problem = f'found the event "{guard.event}", which Stepdown counts itself'
                checker.error(path, problem, "another name, or a guard of that kind")
            elif silent and file.rollout_state is not None:
                problem = f'found the event "{guard.event}", which nobody can report: there is no feedback'
                checker.error(path, problem, "feedback: {secrets: ..., keys: ...} at the top of the file")
            elif silent:
                problem = f'the event "{guard.event}" can be reported by nobody: there is no feedback'
                checker.warn(path, problem, "it for `stepdown rollout simulate` and `plan`")
