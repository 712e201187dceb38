"""What `stepdown shadow` asks a running sidecar for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, Self
from urllib.parse import quote

from stepdown.cli.admin_client import AdminError, call
from stepdown.cli.admin_options import token_of
from stepdown.cli.shadow_limits import EXIT_UNUSABLE


class Sidecar(NamedTuple):
    """Its admin API, and a token for it; all calls raise `AdminError`."""

    admin: str
    token: str

    @classmethod
    def of(cls, admin: str, token_env: str) -> Self:
        """As the options say; gives up where there is no token."""
        return cls(admin, token_of(token_env, EXIT_UNUSABLE))

    def shadows(self) -> Mapping[str, Any]:
        """All, each in a few numbers."""
        return call(self.admin, self.token, "GET", "/v1/shadows")

    def names(self, route: str) -> list[str]:
        """The shadows of a route that may have a report, or else all; there is one at least."""
        shadows = self.shadows()["shadows"]
        its = [one for one in shadows if one["route"] == route]
        names = [str(one["shadow"]) for one in [one for one in its if not one["left_out"]] or its]
        if not names:
            known = ", ".join(sorted({str(one["route"]) for one in shadows})) or "none"
            raise AdminError(f"There is no route {route} with shadows whose answers are compared; there are: {known}.")
        return names

    def report(self, route: str, shadow: str) -> Mapping[str, Any]:
        """The whole report of one."""
        return call(self.admin, self.token, "GET", _path(route, shadow))

    def reset(self, route: str, shadow: str) -> Mapping[str, Any]:
        """Begin it anew."""
        return call(self.admin, self.token, "POST", f"{_path(route, shadow)}/reset", {})


def _path(route: str, shadow: str) -> str:
    return f"/v1/shadows/{quote(route, safe='')}/{quote(shadow, safe='')}"
