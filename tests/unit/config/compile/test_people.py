"""`overrides` and `decisions` of the file: what they come to, and every mistake at its place."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from stepdown.decide import spec
from tests.kit.configuration import GOOD, Folder

LONG = "0123456789abcdef"
LINE = f"stepdown.yaml:{GOOD.count(chr(10)) + 1}:"
DIGEST = hashlib.sha256(b"key").hexdigest()


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def test_without_them_nobody_may_ask_and_nothing_is_recorded(folder: Folder) -> None:
    loaded = folder.load(GOOD).spec
    assert (loaded.overrides, loaded.decisions) == (None, None)


def test_who_may_ask_for_a_server(folder: Folder) -> None:
    text = GOOD + f"overrides: {{allow: [10.0.0.1/8], keys: [{{header: X-Api-Key, sha256: {DIGEST.upper()}}}],"
    text += " tokens: {secret: [{env: NEW}, {env: OLD}]}}\n"
    loaded = folder.load(text, environ={"NEW": LONG, "OLD": LONG + "old"})
    assert loaded.spec.overrides == spec.Overrides(
        allow=("10.0.0.0/8",), keys=(spec.OverrideKey(header="x-api-key", sha256=DIGEST),), secrets=(LONG, LONG + "old")
    )
    assert LONG not in repr(loaded.spec)
    assert loaded.warnings == ()


def test_one_secret_needs_no_list(folder: Folder) -> None:
    folder.write("secret.txt", LONG + "\n")
    loaded = folder.load(GOOD + "overrides: {tokens: {secret: {file: secret.txt}}}\n").spec
    assert loaded.overrides is not None
    assert loaded.overrides.secrets == (LONG,)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{}", "overrides: found overrides that nobody may ask for; allowed at least one of allow, keys, tokens"),
        ("{allow: [ten]}", 'overrides.allow[0]: found "ten"; allowed an address or network such as 10.0.0.0/8'),
        ("{tokens: {secret: text}}", "found a value in the file itself; allowed {env: NAME} or {file: PATH}"),
        ("{tokens: {secret: []}}", "overrides.tokens.secret: found"),
        ("{tokens: {secret: {env: SHORT}}}", "found a secret of fewer than 16 characters"),
        ("{tokens: {secret: {env: NONE}}}", "the environment variable NONE is not set"),
        (
            "{tokens: {secret: [{env: LONG}, {env: LONG}]}}",
            "secret[1]: found the same secret a second",
        ),
        ("{keys: [{header: x, sha256: abc}]}", "allowed a SHA-256 as 64 hexadecimal digits"),
        (
            f"{{keys: [{{header: x, sha256: {DIGEST}}}, {{header: X, sha256: {DIGEST}}}]}}",
            "found the same key a second",
        ),
    ],
)
def test_a_mistake_in_overrides_is_refused_at_its_place(folder: Folder, text: str, message: str) -> None:
    (finding,) = folder.refusal(f"{GOOD}overrides: {text}\n", environ={"SHORT": "short", "LONG": LONG})
    assert finding.startswith(LINE)
    assert message in finding


def test_a_network_of_everybody_is_doubtful(folder: Folder) -> None:
    (warning,) = folder.warnings(GOOD + "overrides: {allow: [0.0.0.0/0]}\n")
    assert "found a network that is everybody: any client may choose a server" in warning


def test_what_is_recorded(folder: Folder) -> None:
    text = GOOD + "decisions: {file: d.jsonl, sample: 1%, max_size: 1MiB, headers: [X-App], redact: [X-User-Id]}\n"
    assert folder.load(text).spec.decisions == spec.Decisions(
        sample=0.01,
        file=str(folder.path / "d.jsonl"),
        max_size=1024 * 1024,
        headers=("x-app",),
        redact=("x-user-id",),
    )
    decisions = folder.load(GOOD + "decisions: {file: stdout}\n").spec.decisions
    assert decisions == spec.Decisions(sample=0.01)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{}", 'decisions: found no "file"'),
        ("{file: gone/d.jsonl}", 'decisions.file: found "gone/d.jsonl", whose folder is not there'),
        ("{file: contracts}", 'decisions.file: found "contracts", which is a folder; allowed a file'),
        ("{file: d, sample: 0%}", 'decisions.sample: found "0%"; allowed more than 0'),
        ("{file: d, sample: 101%}", "allowed a percentage such as 20%, or a share from 0 to 1"),
        ("{file: d, max_size: 1kB}", "decisions.max_size: found"),
        ("{file: d, redact: [a b]}", "allowed a header name such as x-user-id"),
    ],
)
def test_a_mistake_in_decisions_is_refused_at_its_place(folder: Folder, text: str, message: str) -> None:
    (finding,) = folder.refusal(f"{GOOD}decisions: {text}\n")
    assert finding.startswith(LINE)
    assert message in finding
