"""What an adapter may know of the request that it is working for."""

from __future__ import annotations

from collections.abc import Mapping


class Context:
    """Facts of one request; made once for each adapted exchange, so it has slots and no behaviour."""

    __slots__ = ("body", "method", "params", "path")

    def __init__(
        self, method: str = "", path: str = "", params: Mapping[str, str] | None = None, body: bytes | None = None
    ) -> None:
        self.method = method
        self.path = path
        self.params: Mapping[str, str] = {} if params is None else params
        """Values of the route template's `{name}` parts."""
        self.body = body
        """The request's body as the client sent it, where it was kept."""
