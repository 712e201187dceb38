"""What an adapter may know besides its document: the request that it works for, and values carried along with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec

from stepdown_adapters.codec import LAZY, checked
from stepdown_adapters.errors import Refusal


class Context:
    """Facts of one request; made once for each exchange whose chain reads them."""

    __slots__ = ("_document", "body", "carried", "headers", "method", "params", "path")

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
        self._document: Any = self

    def scoped(self) -> Context:
        """The same facts, and a room of its own for what is put aside from here on."""
        scoped = Context(self.method, self.path, self.params, self.body, self.headers)
        scoped.carried = dict(self.carried)
        if self._document is not self:
            scoped._document = self._document
        return scoped

    def request(self) -> Any:
        """The request's body as plain values, decoded when it is first asked for; raises `Refusal` if it is no JSON."""
        if self._document is self:
            if self.body is None:
                raise Refusal("the request's body is needed, and it has none or it was not kept")
            try:
                self._document = LAZY.decode(checked(self.body))
            except Refusal as refusal:
                raise Refusal(f"the request's body is needed, and {refusal}") from None
            except (msgspec.MsgspecError, RecursionError) as error:
                raise Refusal(f"the request's body is needed, and is no JSON: {error}") from None
        return self._document


class Scene(NamedTuple):
    """What an operation may look at beyond the spot that it acts on."""

    holder: list[Any]
    """The document is its only item, so that it can be replaced."""
    context: Context
