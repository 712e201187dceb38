"""One request as conditions see it: its head and all that goes with it, worked out once and only where it is asked for.

A view has the head's own members, so a test of a head takes either. What costs something (the body, the key, the pin)
is worked out when it is first asked for, and kept.

What is malformed is missing, here as everywhere: no condition ever refuses a request.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Protocol

import msgspec

from stepdown.decide.cookies import Visitor
from stepdown.decide.facts import Facts
from stepdown.decide.keys import BODY_BYTES
from stepdown.decide.pins import Pinned

_INDEX = re.compile("0|[1-9][0-9]{0,5}")
_UNREAD: Any = object()


class FlagAnswer(Protocol):
    """What a feature flag says about one request."""

    @property
    def value(self) -> Any:
        """The variant's value."""

    @property
    def variant(self) -> str | None:
        """Name of the variant; `None` where the caller's default counts."""

    @property
    def reason(self) -> str:
        """Why: one of OpenFeature's reasons."""

    @property
    def error(self) -> str | None:
        """One of OpenFeature's error codes, where the reason is `ERROR`."""

    @property
    def message(self) -> str:
        """For people: what the error is about."""


class FlagView(Protocol):
    """All flags, for one request at a time; never waits and never raises."""

    def flag(self, name: str, view: View) -> FlagAnswer:
        """What this flag says."""


class Asked(Protocol):
    """The route whose conditions are tested (`route.Route`)."""

    @property
    def param_names(self) -> tuple[str, ...]:
        """Names of the path's `{name}`s."""

    @property
    def labels(self) -> tuple[str, ...]:
        """Key sources, in the order in which they are tried."""

    def key(
        self, facts: Facts, body: bytes | None, client: str, visitor: Visitor | None = None
    ) -> tuple[int, bytes] | None:
        """The first key that the request has, with the position of its source."""

    def pinned(self, facts: Facts, params: tuple[bytes, ...]) -> Pinned:
        """The pin of a request and where it came from."""


class View:
    """A request on a route."""

    __slots__ = (
        "_answers",
        "_body",
        "_document",
        "_flags",
        "_key",
        "_params",
        "_pinned",
        "_route",
        "_visitor",
        "client",
        "facts",
        "get",
        "now",
    )

    def __init__(  # noqa: PLR0917 - made once per request, and names cost time
        self,
        route: Asked,
        facts: Facts,
        params: tuple[bytes, ...],
        body: bytes | None,
        client: str,
        now: float,
        visitor: Visitor | None,
        flags: FlagView | None,
    ) -> None:
        """`now` are Unix seconds; the rest are the arguments of `Route.choose`."""
        self.facts = facts
        self.get = facts.get
        self.client = client
        self.now = now
        self._route = route
        self._params = params
        self._body = body
        self._visitor = visitor
        self._flags = flags
        self._answers: dict[str, FlagAnswer] | None = None
        self._document: Any = _UNREAD
        self._key: Any = _UNREAD
        self._pinned: Pinned | None = None

    # --- the head ---------------------------------------------------------------------------------------------------

    @property
    def method(self) -> bytes:
        """The head's."""
        return self.facts.method

    @property
    def path(self) -> bytes:
        """The head's."""
        return self.facts.path

    @property
    def query(self) -> bytes:
        """The head's."""
        return self.facts.query

    @property
    def host(self) -> bytes:
        """The head's."""
        return self.facts.host

    # --- what goes with it ------------------------------------------------------------------------------------------

    def param(self, name: str) -> bytes | None:
        """The part of the path that a `{name}` stands for, as the client wrote it; `None` on a route without it."""
        names = self._route.param_names
        return self._params[names.index(name)] if name in names else None

    def field(self, pointer: tuple[str, ...]) -> Any:
        """The value at a JSON Pointer's tokens in the body; `None` where there is none, or it is null.

        A body that is longer than `BODY_BYTES` or no JSON has no fields.
        """
        value = self._document
        if value is _UNREAD:
            value = self._document = self._read_document()
        for token in pointer:
            if isinstance(value, dict):
                value = value.get(token)
            elif isinstance(value, list) and _INDEX.fullmatch(token) and int(token) < len(value):
                value = value[int(token)]
            else:
                return None
        return value

    def key(self) -> tuple[str, bytes] | None:
        """The route's key for this request: its source's label, and the value; `None` where it has none."""
        key: tuple[str, bytes] | None = self._key
        if key is _UNREAD:
            route = self._route
            found = route.key(self.facts, self._body, self.client, self._visitor)
            key = self._key = None if found is None else (route.labels[found[0]], found[1])
        return key

    def pinned(self) -> Pinned:
        """The client's pin, and where it came from."""
        pinned = self._pinned
        if pinned is None:
            pinned = self._pinned = self._route.pinned(self.facts, self._params)
        return pinned

    @property
    def answered(self) -> Mapping[str, FlagAnswer]:
        """What flags have said about this request so far, by name."""
        return self._answers or {}

    def flag(self, name: str) -> FlagAnswer | None:
        """What a flag says about this request; `None` where there are no flags."""
        if self._flags is None:
            return None
        answers = self._answers
        if answers is None:
            answers = self._answers = {}
        if name not in answers:
            answers[name] = self._flags.flag(name, self)
        return answers[name]

    def ask_again(self, names: Iterable[str]) -> None:
        """Forget what these flags said: by now they may say something else."""
        for name in names:
            if self._answers is not None:
                self._answers.pop(name, None)

    def _read_document(self) -> Any:
        body = self._body
        if not body or len(body) > BODY_BYTES:
            return None
        try:
            return msgspec.json.decode(body)
        except (ValueError, RecursionError):
            return None
