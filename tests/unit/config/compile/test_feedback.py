"""`feedback`: what is compiled, what is refused with its place and its fix, and what is shown of it."""

from __future__ import annotations

import json
from hashlib import sha256

import pytest
from typer.testing import CliRunner

from stepdown.cli.app import app
from stepdown.decide.rollout_spec import Feedback, FeedbackKey
from tests.kit.configuration import CHURN, Folder

ROUTES = """\
routes:
  churn: {match: {path: /infer}, model: churn, rules: [{name: everyone, rollout: churn-2}]}
rollouts:
  churn-2: {stable: "1.1.0", candidate: "2.0.0", steps: [5, 100], guards: [errors, {kind: event, event: click}]}
"""
FEEDBACK = """\
feedback:
  secrets: [{env: NEW}, {file: old.txt}]
  keys: [{name: shop, key: {env: SHOP}}, {name: app, key: {file: app.txt}}]
  max_age: 36h
"""
ENVIRON = {"NEW": "the secret of this year", "SHOP": "the key of the shop"}
FILES = {"old.txt": "the secret of last year\n", "app.txt": "the key of the app\n"}
STATE = "state: {rollouts: state.db}\n"
PLACE = len((CHURN + ROUTES).splitlines())


@pytest.fixture
def filled(folder: Folder) -> Folder:
    for name, text in FILES.items():
        folder.write(name, text)
    return folder


def errors(findings: list[str]) -> list[str]:
    """Without what is only doubtful."""
    return [finding for finding in findings if ": warning: " not in finding]


def digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def test_secrets_and_digests_of_keys_travel(filled: Folder) -> None:
    loaded = filled.load(CHURN + ROUTES + FEEDBACK, environ=ENVIRON)
    assert loaded.spec.feedback == Feedback(
        secrets=("the secret of this year", "the secret of last year"),
        keys=(FeedbackKey("shop", digest("the key of the shop")), FeedbackKey("app", digest("the key of the app"))),
        max_age=36 * 3600.0,
    )
    assert {filled.path / name for name in FILES} <= set(loaded.files)
    assert "the key of" not in repr(loaded.spec.feedback) + repr(loaded.spec)


def test_one_secret_needs_no_list_and_a_token_counts_for_a_day(filled: Folder) -> None:
    text = "feedback: {secrets: {env: NEW}, keys: [{name: shop, key: {env: SHOP}}]}\n"
    feedback = filled.load(CHURN + ROUTES + text, environ=ENVIRON).spec.feedback
    assert feedback is not None
    assert (feedback.secrets, feedback.max_age) == (("the secret of this year",), 86400.0)


def test_nobody_may_post_by_default(folder: Folder) -> None:
    loaded = folder.load(CHURN + ROUTES.replace(", {kind: event, event: click}", ""))
    assert loaded.spec.feedback is None


def test_an_event_that_nobody_can_report_is_refused_where_the_rollout_can_be_started(folder: Folder) -> None:
    assert folder.load(CHURN + ROUTES).spec.feedback is None  # to be simulated, and no more
    assert errors(folder.refusal(CHURN + ROUTES + STATE)) == [
        f"stepdown.yaml:{PLACE}:84: rollouts.churn-2.guards[1]: "
        'found the event "click", which nobody can report: there is no feedback; '
        "allowed feedback: {secrets: ..., keys: ...} at the top of the file"
    ]


@pytest.mark.parametrize("event", ["timeouts", "slow", "units"])
def test_an_event_that_is_counted_without_being_reported_needs_another_name(filled: Folder, event: str) -> None:
    found = errors(
        filled.refusal(CHURN + ROUTES.replace("event: click", f"event: {event}") + FEEDBACK, environ=ENVIRON)
    )
    assert found == [
        f"stepdown.yaml:{PLACE}:84: rollouts.churn-2.guards[1]: "
        f'found the event "{event}", which Stepdown counts itself; allowed another name, or a guard of that kind'
    ]


@pytest.mark.parametrize(
    ("changes", "environ", "says"),
    [
        (("max_age: 36h", "max_age: 91d"), {}, ["feedback.max_age"]),
        (("max_age: 36h", "max_age: 0"), {}, ["feedback.max_age"]),
        (("secrets: [{env: NEW}, {file: old.txt}]", "secrets: []"), {}, ["feedback.secrets"]),
        (("[{env: NEW}, {file: old.txt}]", "a text"), {}, ["feedback.secrets"]),
        (
            ("keys: [{name: shop, key: {env: SHOP}}, {name: app, key: {file: app.txt}}]", "keys: []"),
            {},
            ["feedback.keys"],
        ),
        (
            ("{env: NEW}", "{env: NOT_SET}"),
            {},
            ["feedback.secrets[0].env: the environment variable NOT_SET is not set"],
        ),
        (
            ("", ""),
            {"NEW": "short"},
            [
                "feedback.secrets[0]: found a secret of fewer than 16 characters: who guesses it decides what a "
                "rollout does; allowed a long random one, such as `openssl rand -hex 32` prints"
            ],
        ),
        (
            ("", ""),
            {"SHOP": "x" * 15},
            [
                "feedback.keys[0].key: found a key of fewer than 16 characters: who guesses it decides what a rollout "
                "does; allowed a long random one, such as `openssl rand -hex 32` prints"
            ],
        ),
        (
            ("", ""),
            {"NEW": "the secret of last year"},
            [
                "feedback.secrets[1]: found the same text as feedback.secrets[0]; "
                "allowed another one: each opens another door"
            ],
        ),
        (
            ("", ""),
            {"SHOP": "the secret of this year"},
            [
                "feedback.keys[0].key: found the same text as feedback.secrets[0]; "
                "allowed another one: each opens another door"
            ],
        ),
        (
            ("name: app", "name: shop"),
            {},
            ['feedback.keys[1].name: found the name "shop" a second time; allowed a name of its own for each'],
        ),
    ],
    ids=[
        "too long",
        "no time",
        "no secret",
        "a secret in the file",
        "no key",
        "not set",
        "short secret",
        "short key",
        "secret twice",
        "key is a secret",
        "name twice",
    ],
)
def test_what_makes_no_sense_is_refused(
    filled: Folder, changes: tuple[str, str], environ: dict[str, str], says: list[str]
) -> None:
    found = errors(filled.refusal(CHURN + ROUTES + FEEDBACK.replace(*changes), environ=ENVIRON | environ))
    assert len(found) == len(says), found
    for finding, said in zip(found, says, strict=True):
        assert said in finding, finding


def test_what_is_wrong_with_feedback_is_said_once_and_not_again_of_each_event(filled: Folder) -> None:
    text = CHURN + ROUTES + STATE + FEEDBACK.replace("max_age: 36h", "max_age: never")
    found = errors(filled.refusal(text, environ=ENVIRON))
    assert ["feedback.max_age" in finding for finding in found] == [True]


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_check_shows_neither_secrets_nor_keys(filled: Folder, options: list[str]) -> None:
    filled.write("stepdown.yaml", CHURN + ROUTES + FEEDBACK)
    shown = CliRunner().invoke(app, ["check", str(filled.file), *options], env=ENVIRON)
    assert shown.exit_code == 0, shown.output
    for text in (*ENVIRON.values(), *(text.strip() for text in FILES.values())):
        assert text not in shown.output
        assert digest(text) not in shown.output
    if options:
        json.loads(shown.stdout)
