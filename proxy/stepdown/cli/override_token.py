"""`stepdown override-token`: a signed token with which somebody may choose a server for a while."""

from __future__ import annotations

import os
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from pydantic_core import PydanticCustomError

from stepdown.config.file.values import read_duration
from stepdown.decide.override_tokens import ANY, LONGEST, Claims, issue
from stepdown_adapters.versions import Version, VersionError

EXIT_REFUSED = 2
SECRET_VARIABLE = "STEPDOWN_OVERRIDE_SECRET"  # noqa: S105 - the name of a variable
_SHORTEST_SECRET = 16


def override_token(
    *,
    holder: Annotated[
        str,
        typer.Option(
            "--for", metavar="WHO", help="Who will use it: shown by explanations and in records.", show_default=False
        ),
    ],
    model: Annotated[
        str, typer.Option("--model", metavar="MODEL", help="The model that it is for; * is every one.")
    ] = ANY,
    version: Annotated[str, typer.Option("--version", metavar="VERSION", help="The exact version; * is any.")] = ANY,
    ttl: Annotated[
        str, typer.Option("--ttl", metavar="DURATION", help="How long it is good for, e.g. 30m or 2h.")
    ] = "1h",
    secret_env: Annotated[
        str, typer.Option("--secret-env", metavar="NAME", help="Environment variable with the secret that signs it.")
    ] = SECRET_VARIABLE,
    secret_file: Annotated[
        Path | None,
        typer.Option("--secret-file", metavar="FILE", help="File with the secret, instead.", show_default=False),
    ] = None,
) -> None:
    """Make a token for `X-Stepdown-Override-Token`, which lets its holder choose a server with `X-Stepdown-Serve`.

    The secret is one of those in the configuration's `overrides.tokens.secret`. The token alone goes to standard
    output; what it says goes to standard error. Exits with 2 if something is wrong with an option or the secret.

    \b
    Examples:
      stepdown override-token --for alice --model churn --version 2.1.0 --ttl 2h
      stepdown override-token --for nightly --secret-file override.secret --ttl 15m
    """
    secret = _secret(secret_env, secret_file)
    seconds = _seconds(ttl)
    if not holder.isprintable() or not 0 < len(holder) <= 100:
        _give_up("--for: allowed 1 to 100 printable characters")
    if version != ANY:
        try:
            version = str(Version.parse(version))
        except VersionError as error:
            _give_up(f"--version {version}: {error}; allowed an exact version such as 2.1.0, or *")
    now = int(time.time())
    token = issue(Claims(holder, model, version, issued=now, expires=now + seconds), secret)
    if len(token) > LONGEST:
        _give_up(f"the token would be {len(token)} characters long, and at most {LONGEST} are accepted")
    print(token)
    until = datetime.fromtimestamp(now + seconds, UTC).isoformat(timespec="seconds")
    what = f"{'any version' if version == ANY else version} of {'every model' if model == ANY else model}"
    print(f"good until {until} for {holder}: {what}", file=sys.stderr)


def _secret(variable: str, file: Path | None) -> str:
    if file is not None:
        try:
            secret = file.read_text(encoding="utf-8").removesuffix("\n").removesuffix("\r")
        except (OSError, UnicodeDecodeError) as error:
            _give_up(f"--secret-file {file}: {getattr(error, 'strerror', None) or error}")
    else:
        found = os.environ.get(variable)
        if found is None:
            _give_up(
                f"the environment variable {variable} is not set; name another with --secret-env, or --secret-file"
            )
        secret = found
    if len(secret) < _SHORTEST_SECRET:
        _give_up(f"the secret has fewer than {_SHORTEST_SECRET} characters; no configuration accepts it")
    return secret


def _seconds(text: str) -> int:
    try:
        seconds = int(read_duration(text))
    except PydanticCustomError as error:
        _give_up(f"--ttl {text}: {error.message()}")
    if seconds < 1:
        _give_up(f"--ttl {text}: allowed at least 1s")
    return seconds


def _give_up(message: str) -> NoReturn:
    print(message, file=sys.stderr)
    raise typer.Exit(EXIT_REFUSED)
