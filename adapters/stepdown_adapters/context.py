"""What an adapter may know besides its document: the request that it works for, and values carried along with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple


class Context:
    """Facts of one request; made once for each exchange whose chain reads them, so it has slots and no behaviour."""

    __slots__ = ("body", "carried", "headers", "method", "params", "path")

    def __init__(
        self,
        method: str = "",
        path: str = "",
        params: Mapping[str, str] | None = None,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.method = method
        self.path = path
        self.params: Mapping[str, str] = {} if params is None else params
        """Values of the route template's `{name}` parts."""
        self.body = body
        """The request's body as the client sent it, where it was kept."""
        self.headers: Mapping[str, str] = {} if headers is None else headers
        """Header fields of the request by lower-case name; of equal names the values are joined by commas."""
        self.carried: dict[str, Any] = {}
        """What the request's adapters have put aside for the answer's, by name."""


class Scene(NamedTuple):
    """What an operation may look at beyond the spot that it acts on."""

    holder: list[Any]
    """The document is its only item, so that it can be replaced."""
    context: Context
