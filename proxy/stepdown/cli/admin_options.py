"""`--admin` and `--token-env`: what all commands that call a running sidecar's admin API have in common."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from stepdown.cli.shadow_limits import give_up

AdminOption = Annotated[
    str, typer.Option("--admin", metavar="URL", envvar="STEPDOWN_ADMIN", help="The sidecar's admin API.")
]
TokenOption = Annotated[
    str, typer.Option("--token-env", metavar="NAME", help="Environment variable with the bearer token.")
]
ADMIN, TOKEN_ENV = "http://127.0.0.1:9901", "STEPDOWN_ADMIN_TOKEN"


def token_of(token_env: str, code: int) -> str:
    """The token in that variable; gives up where there is none, with the exit code of the command."""
    token = os.environ.get(token_env, "")
    if not token:
        give_up(f"The environment variable {token_env} holds no token: set it, or name another with --token-env.", code)
    return token
