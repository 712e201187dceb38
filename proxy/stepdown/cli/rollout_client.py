"""What `stepdown rollout` asks a running sidecar for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, Self
from urllib.parse import quote, urlencode

from stepdown.cli.admin_client import call
from stepdown.cli.admin_options import token_of
from stepdown.cli.rollout_traffic import EXIT_UNUSABLE

View = Mapping[str, Any]
_PAGE = 1000


class Sidecar(NamedTuple):
    """Its admin API, and a token for it; all calls raise `AdminError`."""

    admin: str
    token: str

    @classmethod
    def of(cls, admin: str, token_env: str) -> Self:
        """As the options say; gives up where there is no token."""
        return cls(admin, token_of(token_env, EXIT_UNUSABLE))

    def rollouts(self) -> list[View]:
        """All."""
        found: list[View] = self._get("")["rollouts"]
        return found

    def rollout(self, name: str) -> View:
        """One."""
        return self._get(_path(name))

    def verdict(self, name: str, of: str) -> View:
        """What it comes to."""
        return self._get(f"{_path(name)}/verdict?{urlencode({'of': of})}")

    def act(self, name: str, action: str, *, force: bool = False) -> View:
        """Do it; what came of it."""
        members = {"force": True} if force else {}
        return call(self.admin, self.token, "POST", f"/v1/rollouts{_path(name)}/{action}", members)

    def history(self, name: str, most: int) -> Iterator[View]:
        """The newest transitions, the newest first, page by page."""
        before: int | None = None
        while most > 0:
            asked = {"limit": min(most, _PAGE)} | ({"before": before} if before is not None else {})
            page = self._get(f"{_path(name)}/history?{urlencode(asked)}")
            yield from page["transitions"]
            most -= len(page["transitions"])
            before = page["next"]
            if before is None:
                return

    def _get(self, path: str) -> View:
        return call(self.admin, self.token, "GET", f"/v1/rollouts{path}")


def _path(name: str) -> str:
    return f"/{quote(name, safe='')}"
