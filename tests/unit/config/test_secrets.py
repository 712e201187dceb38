"""Secrets go where they are needed and nowhere else: no error, warning, dump, repr or check shows one."""

from __future__ import annotations

import hashlib
import json

import pytest
from typer.testing import CliRunner

from stepdown.cli.app import app
from stepdown.config import RefusedError
from tests.kit.configuration import Folder, changed

SHORT = "found a token of fewer than 16 characters; allowed a longer one, so that it cannot be guessed"
SECRET = "correct-horse-battery-staple"
ADMIN = (
    "listen: 127.0.0.1:8080",
    (
        'admin: {listen: "127.0.0.1:9901", tokens: [{name: ops, role: operate, token: {env: TOKEN}},'
        " {name: eye, role: view, token: {file: token.txt}}]}"
    ),
)
HEADERS = (
    "[http://churn-v1:8080]",
    "[{url: http://churn-v1:8080, set_headers: {authorization: {env: KEY}, x-team: ml}}]",
)


def test_tokens_are_kept_as_digests_only(folder: Folder) -> None:
    folder.write("token.txt", f"{SECRET}-2\n")
    loaded = folder.load(changed(ADMIN), environ={"TOKEN": SECRET})
    assert [(token.name, token.role, token.sha256) for token in loaded.tokens] == [
        ("ops", "operate", hashlib.sha256(SECRET.encode()).digest()),
        ("eye", "view", hashlib.sha256(f"{SECRET}-2".encode()).digest()),
    ]
    assert folder.path / "token.txt" in loaded.files


def test_header_values_reach_the_endpoint(folder: Folder) -> None:
    loaded = folder.load(changed(HEADERS), environ={"KEY": SECRET})
    assert loaded.spec.models[0].versions[1].endpoints[0].set_headers == (("authorization", SECRET), ("x-team", "ml"))


def test_nothing_that_is_loaded_shows_a_secret_when_it_is_printed(folder: Folder) -> None:
    folder.write("token.txt", f"{SECRET}-2\n")
    loaded = folder.load(changed(ADMIN, HEADERS), environ={"TOKEN": SECRET, "KEY": SECRET})
    digest = hashlib.sha256(SECRET.encode()).digest()
    for shown in (repr(loaded), str(loaded), repr(loaded.tokens), repr(loaded.sources), repr(loaded.spec)):
        assert SECRET not in shown
        assert repr(digest) not in shown
        assert digest.hex() not in shown


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_check_shows_no_secret(folder: Folder, options: list[str]) -> None:
    folder.write("token.txt", f"{SECRET}-2\n")
    folder.write("stepdown.yaml", changed(ADMIN, HEADERS))
    shown = CliRunner().invoke(app, ["check", str(folder.file), *options], env={"TOKEN": SECRET, "KEY": SECRET})
    assert shown.exit_code == 0
    assert SECRET not in shown.output


WRONG = {
    "a token in the file": ADMIN[1].replace("{env: TOKEN}", SECRET),
    "a token among the keys": ADMIN[1].replace("{env: TOKEN}", f"{{value: {SECRET}}}"),
    "a token for the name of a variable": ADMIN[1].replace("{env: TOKEN}", f"{{env: {SECRET}}}"),
    "two sources": ADMIN[1].replace("{env: TOKEN}", f"{{env: TOKEN, file: {SECRET}}}"),
    "a list": ADMIN[1].replace("{env: TOKEN}", f"[{SECRET}]"),
}


@pytest.mark.parametrize("admin", WRONG.values(), ids=WRONG)
def test_a_secret_in_the_wrong_place_is_not_shown_by_the_error(folder: Folder, admin: str) -> None:
    folder.write("token.txt", "x" * 20)
    with pytest.raises(RefusedError) as refused:
        folder.load(changed((ADMIN[0], admin)), environ={"TOKEN": SECRET})
    assert SECRET not in str(refused.value)
    assert SECRET not in json.dumps([finding.as_json() for finding in refused.value.findings])


def test_what_the_environment_puts_into_a_string_is_not_shown_by_the_error(folder: Folder) -> None:
    found = folder.refusal(changed(("127.0.0.1:8080", "${KEY}")), environ={"KEY": SECRET})
    assert found == ['stepdown.yaml:1:9: listen: found "${KEY}"; allowed HOST:PORT such as 0.0.0.0:8080 or [::1]:8080']


def test_a_header_value_that_cannot_be_sent_is_not_shown_by_the_error(folder: Folder) -> None:
    assert folder.refusal(changed(HEADERS), environ={"KEY": f"{SECRET}\r\nx: y"}) == [
        'stepdown.yaml:8:116: models.churn.versions."1.1.0".endpoints[0].set_headers.authorization: found a value that '
        "no header can carry; allowed Latin-1 text without line breaks or outer spaces"
    ]


def test_secrets_that_are_missing_empty_twice_or_short_are_told(folder: Folder) -> None:
    assert folder.refusal(changed(ADMIN), environ={"TOKEN": ""}) == [
        "stepdown.yaml:1:78: admin.tokens[0].token: found an empty secret; allowed a secret that is not empty",
        "stepdown.yaml:1:131: admin.tokens[1].token.file: the file token.txt does not exist; "
        "allowed a file that holds the secret",
    ]
    folder.write("token.txt", "short")
    assert folder.refusal(changed(ADMIN), environ={"TOKEN": "short"}) == [
        f"stepdown.yaml:1:78: warning: admin.tokens[0].token: {SHORT}",
        f"stepdown.yaml:1:124: warning: admin.tokens[1].token: {SHORT}",
        "stepdown.yaml:1:124: admin.tokens[1].token: found the same token a second time; "
        "allowed a token of its own for each name",
    ]
    folder.write("token.txt", b"\xff")
    assert folder.refusal(changed(ADMIN), environ={"TOKEN": SECRET}) == [
        "stepdown.yaml:1:131: admin.tokens[1].token.file: the file token.txt is not UTF-8; "
        "allowed a file that holds the secret"
    ]


def test_a_secret_file_loses_one_line_break_and_nothing_else(folder: Folder) -> None:
    folder.write("token.txt", f" {SECRET} \r\n")
    loaded = folder.load(changed(ADMIN), environ={"TOKEN": SECRET})
    assert loaded.tokens[1].sha256 == hashlib.sha256(f" {SECRET} ".encode()).digest()
