"""Selectors: which events of a stream a rule is for.

    response.created             the event's own type (`event:`), or the member `type` of its JSON, is that
    event=ping, type=ping        only the one, or only the other
    /choices/*/delta/reasoning   its JSON has something at the path
    "[DONE]"                     the payload with which streams of the OpenAI family end
    "*"                          any JSON

Errors inside a stream are for selectors that name them only (`error`, `response.failed`), so that no rule about chunks
is ever asked of an error.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from stepdown_adapters import paths
from stepdown_adapters.errors import PathError
from stepdown_adapters.json_values import flaw, kind
from stepdown_adapters.paths import Member, Path

ANY, DONE = "*", "[DONE]"
_PLAIN = re.compile(r"[\w.\-]+", re.ASCII)
"""Names whose only other spelling in JSON is by `\\u`."""


class By(Enum):
    """What a selector looks at."""

    ANY = auto()
    DONE = auto()
    NAME = auto()
    EVENT = auto()
    TYPE = auto()
    PATH = auto()


@dataclass(frozen=True, slots=True)
class Selector:
    """Which events a rule is for."""

    text: str
    by: By
    name: str = ""
    path: Path = paths.ROOT

    @property
    def named(self) -> bool:
        """Whether it is for events of a certain name."""
        return self.by in (By.NAME, By.EVENT, By.TYPE)

    def has_name(self, event: str, type_: str) -> bool:
        """Whether it is for events with these names."""
        return (self.by in (By.NAME, By.EVENT) and event == self.name) or (
            self.by in (By.NAME, By.TYPE) and type_ == self.name
        )

    @property
    def needle(self) -> bytes | None:
        """What the bytes of the JSON that it fits must hold, unless they hold a `\\u`; `None` where that is not known.

        Of a selector by `event=` nothing has to be in the JSON.
        """
        if self.by in (By.NAME, By.TYPE):
            name: str | None = self.name
        elif self.by is By.PATH:
            members = [one.name for one in self.path.segments if isinstance(one, Member) and one.index is None]
            name = members[-1] if members else None
        else:
            name = None
        return b'"%s"' % name.encode() if name is not None and _PLAIN.fullmatch(name) else None


def selector(text: Any) -> Selector:
    """The selector that a text is; raises `PathError` with what is wrong with it."""
    if not isinstance(text, str) or not text or flaw(text):
        raise PathError(f"a selector is the name of an event, a path such as /choices, or *, not {kind(text)}")
    if text == ANY:
        return Selector(text, By.ANY)
    if text == DONE:
        return Selector(text, By.DONE)
    if text.startswith("/"):
        return Selector(text, By.PATH, path=paths.parse(text))
    key, equals, name = text.partition("=")
    if not equals:
        return Selector(text, By.NAME, text)
    if key not in ("event", "type") or not name:
        raise PathError(f"a selector with = is event=NAME or type=NAME, not {text!r}")
    return Selector(text, By.EVENT if key == "event" else By.TYPE, name)
