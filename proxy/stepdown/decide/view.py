"""One request as conditions see it: its head and all that goes with it, worked out once and only where it is asked for.

A view has the head's own members, so a test of a head takes either. What costs something (cookies, the query, the
body, the client's address, the key) is an attribute that is not there until it is first read: Python then calls
`__getattr__`, which works it out and leaves it in its slot. So a view costs little more than its arguments.

What is malformed is missing, here as everywhere: no condition ever refuses a request.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Protocol
from urllib.parse import unquote_to_bytes

import msgspec

from stepdown.decide.cookies import Visitor
from stepdown.decide.facts import Facts
from stepdown.decide.keys import BODY_BYTES
from stepdown.decide.networks import Address, Addresses
from stepdown.decide.pins import Pinned

_COOKIE = re.compile(rb"(?:^|;)([^=;]*)=([^;]*)")
_INDEX = re.compile("0|[1-9][0-9]{0,5}")


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
        "_client",
        "_flags",
        "_params",
        "_route",
        "_visitor",
        "address",
        "cookies",
        "document",
        "facts",
        "get",
        "key",
        "now",
        "params",
        "pinned",
        "queried",
    )

    address: Address | None
    """The client's; `None` where what a trusted proxy says is no address."""
    cookies: Mapping[bytes, bytes]
    """The first of each name."""
    document: Any
    """The body as JSON; `None` where it is absent, longer than `BODY_BYTES` or no JSON."""
    key: tuple[bytes, bytes] | None
    """The route's key for this request: its source's label, and the value."""
    params: Mapping[str, bytes]
    """Parts of the path by name, as the client wrote them."""
    pinned: Pinned
    """The client's pin, and where it came from."""
    queried: Mapping[bytes, bytes]
    """The first value of each name in the query, without escapes; a plus is a space."""

    def __init__(  # noqa: PLR0917 - made once per request, and names cost time
        self,
        route: Asked,
        addresses: Addresses,
        facts: Facts,
        params: tuple[bytes, ...],
        body: bytes | None,
        client: str,
        now: float,
        visitor: Visitor | None,
        flags: FlagView | None,
    ) -> None:
        """`now` are Unix seconds; the rest are the arguments of `Route.choose`."""
        self._route = route
        self._params = params
        self._body = body
        self._client = (addresses, client)
        self._visitor = visitor
        self._flags = flags
        self.facts = facts
        self.get = facts.get
        self.now = now

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

    def field(self, pointer: tuple[str, ...]) -> Any:
        """The value at a JSON Pointer's tokens in the body; `None` where there is none, or it is null."""
        value = self.document
        for token in pointer:
            if isinstance(value, dict):
                value = value.get(token)
            elif isinstance(value, list) and _INDEX.fullmatch(token) and int(token) < len(value):
                value = value[int(token)]
            else:
                return None
        return value

    def flag(self, name: str) -> FlagAnswer | None:
        """What a flag says about this request; `None` where there are no flags."""
        if self._flags is None:
            return None
        answers: dict[str, FlagAnswer] = self._answers
        if name not in answers:
            answers[name] = self._flags.flag(name, self)
        return answers[name]

    def __getattr__(self, name: str) -> Any:
        """Work out what is read for the first time."""
        work_out = _WORKED_OUT.get(name)
        if work_out is None:
            raise AttributeError(name)
        value = work_out(self)
        setattr(self, name, value)
        return value

    def _read_address(self) -> Address | None:
        addresses, client = self._client
        return addresses.read(client)

    def _read_cookies(self) -> Mapping[bytes, bytes]:
        field = self.get(b"cookie")
        found = _COOKIE.findall(field) if field is not None else ()
        return {name.lstrip(b" \t"): value.strip(b" \t") for name, value in reversed(found)}

    def _read_document(self) -> Any:
        body = self._body
        if not body or len(body) > BODY_BYTES:
            return None
        try:
            return msgspec.json.decode(body)
        except (ValueError, RecursionError):
            return None

    def _read_key(self) -> tuple[bytes, bytes] | None:
        route = self._route
        found = route.key(self.facts, self._body, self._client[1], self._visitor)
        return None if found is None else (route.labels[found[0]].encode(), found[1])

    def _read_params(self) -> Mapping[str, bytes]:
        return dict(zip(self._route.param_names, self._params, strict=False))

    def _read_pinned(self) -> Pinned:
        return self._route.pinned(self.facts, self._params)

    def _read_query(self) -> Mapping[bytes, bytes]:
        query = self.facts.query
        pairs = [pair.partition(b"=") for pair in query.split(b"&") if pair]
        if b"%" in query or b"+" in query:
            return {_unescaped(name): _unescaped(value) for name, _, value in reversed(pairs)}
        return {name: value for name, _, value in reversed(pairs)}


_WORKED_OUT: Mapping[str, Callable[[View], Any]] = {
    "_answers": lambda view: {},
    "address": View._read_address,
    "cookies": View._read_cookies,
    "document": View._read_document,
    "key": View._read_key,
    "params": View._read_params,
    "pinned": View._read_pinned,
    "queried": View._read_query,
}


def _unescaped(text: bytes) -> bytes:
    return unquote_to_bytes(text.replace(b"+", b" "))
