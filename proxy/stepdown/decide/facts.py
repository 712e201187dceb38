"""What a decision may read of a request."""

from __future__ import annotations

from typing import Protocol


class Facts(Protocol):
    """A request's head as far as decisions go; `wire.RequestHead` is one, and so is what `stepdown explain` makes."""

    @property
    def method(self) -> bytes:
        """As sent."""

    @property
    def path(self) -> bytes:
        """The raw part of the target before `?`: nothing decoded, nothing merged."""

    @property
    def query(self) -> bytes:
        """The raw part of the target after `?`."""

    @property
    def host(self) -> bytes:
        """As sent, port included; empty where there is none."""

    def get(self, name: bytes, /) -> bytes | None:
        """The first value of the field with this lower-case name, without white space around it; cookies joined."""
        ...
