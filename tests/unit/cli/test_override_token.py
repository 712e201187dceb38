"""`stepdown override-token`: a token that a configuration with the same secret accepts, or what is wrong."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
import typer
from click.testing import Result
from typer.testing import CliRunner

from stepdown.cli.override_token import SECRET_VARIABLE, override_token
from stepdown.decide.override_tokens import verify

SECRET = "a secret of some length"
APP = typer.Typer()
APP.command()(override_token)


def run(*arguments: str, **environ: str) -> Result:
    return CliRunner().invoke(APP, arguments, env=environ)


def test_a_token_says_what_was_asked_for_and_nothing_else_is_on_standard_output() -> None:
    options = ("--for", "alice", "--model", "churn", "--version", "v2.1.0", "--ttl", "2h")
    made = run(*options, **{SECRET_VARIABLE: SECRET})
    assert made.exit_code == 0
    now = time.time()
    claims = verify(made.stdout.removesuffix("\n"), (SECRET,), "churn", "2.1.0", now)
    assert (claims.holder, claims.model, claims.version) == ("alice", "churn", "2.1.0")
    assert claims.expires - claims.issued == 7200
    assert abs(claims.issued - now) < 60
    assert "for alice: 2.1.0 of churn" in made.stderr


def test_without_more_it_is_for_every_server_for_an_hour() -> None:
    made = run("--for", "alice", "--secret-env", "OTHER", OTHER=SECRET)
    claims = verify(made.stdout.strip(), (SECRET,), "any", "1.0.0", time.time())
    assert claims.expires - claims.issued == 3600
    assert "any version of every model" in made.stderr


def test_the_secret_may_be_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text(SECRET + "\n")
    made = run("--for", "alice", "--secret-file", str(file))
    assert verify(made.stdout.strip(), (SECRET,), "m", "1.0.0", time.time())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--for", "a", "--ttl", "2x"), "--ttl 2x: allowed a duration such as 2s"),
        (("--for", "a", "--ttl", "0.2"), "--ttl 0.2: allowed a duration"),
        (("--for", "a", "--ttl", "500ms"), "--ttl 500ms: allowed at least 1s"),
        (("--for", "a", "--version", "^2"), "allowed an exact version such as 2.1.0, or *"),
        (("--for", ""), "--for: allowed 1 to 100 printable characters"),
        (("--for", "a\nb"), "--for: allowed 1 to 100 printable characters"),
        (("--for", "a", "--model", "m" * 1000), "and at most 1024 are accepted"),
        (("--for", "a", "--secret-env", "NONE"), "the environment variable NONE is not set"),
        (("--for", "a", "--secret-env", "SHORT"), "the secret has fewer than 16 characters"),
        (("--for", "a", "--secret-file", "gone"), "--secret-file gone: No such file or directory"),
    ],
)
def test_what_is_wrong_is_said(arguments: tuple[str, ...], message: str) -> None:
    made = run(*arguments, **{SECRET_VARIABLE: SECRET, "SHORT": "short"})
    assert made.exit_code == 2
    assert message in made.stderr
    assert made.stdout == ""
