"""Pins: which shape a request asks for.

The header `X-Model-Version` comes first, because it is the one thing that a client states on purpose in each request;
then the version in the path, where the route's template has one; then the model's table of clients; then the model's
default. A pin's value is

- a version or a range (`1.1.0`, `v1.0`, `^1.2`, `>=1 <2`), or `latest`, the version that was found when the
  configuration was accepted;
- one of these for a model by name (`churn=1.1.0`), or several, separated by commas. A list that does not name the
  route's model pins nothing.

Values are bytes that any client may choose, so what a value means is kept in a memory of bounded size. Values that mean
the same set of declared versions share one `Pin`, which is what the rest of the room looks things up by.
"""

from __future__ import annotations

from stepdown.decide import spec
from stepdown.errors import BadPinError
from stepdown_adapters.pinned import wanted
from stepdown_adapters.versions import Range, Version, VersionError

HEADER = b"x-model-version"

_UNREAD = object()


class Pin:
    """The declared versions that a client would take, each shape at most once; compared by identity."""

    __slots__ = ("retired", "versions")

    def __init__(self, versions: tuple[str, ...], retired: tuple[str, ...]) -> None:
        self.versions = versions
        """Those that are not retired, newest first."""
        self.retired = retired


Pinned = tuple[Pin, str]
"""A pin and where it came from: `header`, `path`, `clients row 3` or `default`."""


class Pins:
    """What the values of a pin mean to one model."""

    def __init__(self, model: spec.Model, room: int) -> None:
        self._name = model.name
        self._latest = model.latest
        self._declared = [(Version.parse(version.id), version) for version in reversed(model.versions)]
        self._room = room
        """Values that are remembered; when they are more, all are forgotten."""
        self._read: dict[bytes, Pin | None] = {}
        self._made: dict[tuple[tuple[str, ...], tuple[str, ...]], Pin] = {}

    def read(self, value: bytes) -> Pin | None:
        """The pin that a value stands for; `None` if it names other models only. Raises `BadPinError` (400)."""
        pin = self._read.get(value, _UNREAD)
        if pin is _UNREAD:
            pin = self._parse(value)
            if len(self._read) >= self._room:
                self._read.clear()
            self._read[value] = pin
        return pin  # type: ignore[return-value]  # a sentinel cannot be told apart by its type

    def exactly(self, version: str) -> Pin:
        """The pin on one declared version."""
        return self._pin(Range.parse(version))

    def _parse(self, value: bytes) -> Pin | None:
        try:
            text = wanted(value.decode("latin-1"), self._name)
            if text is None:
                return None
            if text.strip(" ") == "latest":
                return self.exactly(self._latest)
            return self._pin(Range.parse(text))
        except VersionError as error:
            raise BadPinError(str(error)) from error

    def _pin(self, allowed_by: Range) -> Pin:
        allowed = [version for parsed, version in self._declared if allowed_by.allows(parsed)]
        versions = tuple(version.id for version in allowed if not version.retired)
        retired = tuple(version.id for version in allowed if version.retired)
        return self._made.setdefault((versions, retired), Pin(versions, retired))
