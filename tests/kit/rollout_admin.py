"""An admin API over rollouts that a test walks, and the commands of `stepdown rollout` that ask it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from typer.testing import CliRunner, Result

from stepdown.cli.app import app
from stepdown.control import admin
from tests.kit.controller_state import Server, SetState, a_token, served
from tests.kit.walked import Walked

TOKENS = (a_token("ci", "view", "look-only"), a_token("deploy", "operate", "s3cret"))
Result_ = TypeVar("Result_")


class RolloutAdmin:
    """Its address, and what is behind it."""

    def __init__(self, server: Server, rollouts: Walked) -> None:
        self._server = server
        self.rollouts = rollouts
        self.admin = f"http://127.0.0.1:{server.port}"

    def run(self, *arguments: str, token: str = "s3cret") -> Result:
        """One command."""
        return CliRunner().invoke(
            app, ["rollout", *arguments, "--admin", self.admin], env={"STEPDOWN_ADMIN_TOKEN": token}
        )

    def meanwhile(self, change: Callable[[], Result_]) -> Result_:
        """Change something between two calls of the API."""
        return self._server.thread.run(change)


@contextmanager
def rollout_admin(rollouts: Walked) -> Iterator[RolloutAdmin]:
    """Served until the end."""
    with served(lambda: admin.application(SetState(tokens=TOKENS, rollouts=rollouts))) as server:
        yield RolloutAdmin(server, rollouts)
