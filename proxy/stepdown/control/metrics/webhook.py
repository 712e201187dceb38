"""Asks a webhook: a value somewhere in its JSON for threshold guards, or counts of both arms, or only its status.

A hook is told about the rollout as a JSON body (POST) or gets none (GET). Any answer that cannot be used is an
`Inconclusive`, or a `Measurement` with an error, with its reason.

`passed` is Flagger's way instead: a status of 200 to 202 passes, and everything else fails, a hook that hangs
included. It gives 1 or 0, to be judged with `success: result == 1` and a `failure_limit` of Flagger's `threshold` - 1.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

import msgspec
from yarl import URL

from stepdown.control.metrics import values
from stepdown.control.metrics.asking import Answered, Asker, Inconclusive, document, shown
from stepdown.decide.rollout_spec import PerArm
from stepdown.rollout.counts import Arms, Counted, Measurement

TIMEOUT = 10.0
_MISSING = object()
_KINDS: Mapping[type, str] = {
    type(None): "null",
    dict: "an object",
    list: "a list",
    str: "a text",
    int: "a number of too many digits",
}


class Hook(NamedTuple):
    """Where to ask, and how."""

    url: URL
    method: Literal["POST", "GET"] = "POST"
    headers: Mapping[str, str] = {}
    """With what the file takes out of the environment (`${NAME}`) filled in; never shown."""
    pointer: str = ""
    """JSON Pointer (RFC 6901) of what is asked for; the whole document where it is empty."""
    timeout: float = TIMEOUT
    """Seconds for the whole answer."""
    tls: ssl.SSLContext | None = None

    def __repr__(self) -> str:
        return f"Hook({self.method} {shown(self.url)})"


class Webhook:
    """One hook."""

    def __init__(self, asker: Asker, hook: Hook) -> None:
        self._asker = asker
        self._hook = hook

    async def measure(self, told: Mapping[str, Any], now: float, *, as_is: bool = False) -> Measurement:
        """A number or a list of numbers (also as text, true as 1), for a threshold guard.

        `as_is` is for conditions that deal with `null`, with `NaN` and infinities and with empty lists themselves;
        otherwise these are errors.
        """
        found = await self._found(told)
        if isinstance(found, Inconclusive):
            return Measurement(at=now, error=self._said(found))
        if found is None and as_is:
            return Measurement(at=now)
        value = _value(found, as_is)
        if isinstance(value, Inconclusive):
            return Measurement(at=now, error=self._said(value))
        return Measurement(at=now, value=value)

    async def counts(self, told: Mapping[str, Any], events: PerArm, trials: PerArm) -> Counted | Inconclusive:
        """Counts that only grow, from where these pointers point below the hook's own."""
        found = await self._found(told)
        counted = found if isinstance(found, Inconclusive) else _counted(found, events, trials)
        return Inconclusive(self._said(counted)) if isinstance(counted, Inconclusive) else counted

    async def passed(self, told: Mapping[str, Any], now: float) -> Measurement:
        """1 where the status is 200, 201 or 202, and 0 for everything else: never an error."""
        answer = await self._ask(told)
        good = isinstance(answer, Answered) and 200 <= answer.status <= 202
        return Measurement(at=now, value="1" if good else "0")

    async def _found(self, told: Mapping[str, Any]) -> Any | Inconclusive:
        """What the pointer points at."""
        answer = await self._ask(told)
        if isinstance(answer, Inconclusive):
            return answer
        if answer.status != 200:
            return Inconclusive(f"it answers {answer.status}")
        whole = document(answer.body)
        if isinstance(whole, Inconclusive):
            return whole
        found = pointed(whole, self._hook.pointer)
        return Inconclusive(f"the answer has nothing at {self._hook.pointer}") if found is _MISSING else found

    async def _ask(self, told: Mapping[str, Any]) -> Answered | Inconclusive:
        hook = self._hook
        headers, body = hook.headers, None
        if hook.method == "POST":
            headers, body = {"Content-Type": "application/json", **headers}, msgspec.json.encode(told)
        return await self._asker.ask(
            hook.url, method=hook.method, headers=headers, body=body, timeout=hook.timeout, tls=hook.tls
        )

    def _said(self, found: Inconclusive) -> str:
        return f"{shown(self._hook.url)}: {found.reason}"


def pointed(node: Any, pointer: str) -> Any:
    """What a JSON Pointer points at; a marker that is nothing of JSON where there is none."""
    for token in pointer.split("/")[1:]:
        name = token.replace("~1", "/").replace("~0", "~")
        if isinstance(node, dict):
            node = node.get(name, _MISSING)
        elif isinstance(node, list):
            place = int(name) if name == "0" or (name.isdecimal() and name.isascii() and name[0] != "0") else len(node)
            node = node[place] if place < len(node) else _MISSING
        else:
            return _MISSING
    return node


def _value(found: Any, as_is: bool) -> str | tuple[str, ...] | Inconclusive:
    """The text of a number, or of each of a list."""
    if not isinstance(found, list):
        return _number(found, as_is)
    numbers = [_number(item, as_is) for item in found]
    wrong = next((number for number in numbers if isinstance(number, Inconclusive)), None)
    if wrong is None and not numbers and not as_is:
        wrong = Inconclusive("the list is empty")
    return wrong or tuple(number for number in numbers if isinstance(number, str))


def _number(found: Any, as_is: bool) -> str | Inconclusive:
    if isinstance(found, bool):
        return "1" if found else "0"
    text = repr(found) if isinstance(found, int | float) else found
    if not isinstance(text, str) or not values.is_number(text):
        return Inconclusive(f"where a number is asked for is {_KINDS[type(found)]}")
    finite = values.finite(text)
    return finite if isinstance(finite, Inconclusive) and not as_is else text


def _counted(found: Any, events: PerArm, trials: PerArm) -> Counted | Inconclusive:
    counts = {}
    for arm in ("candidate", "stable"):
        if not getattr(events, arm):
            counts[arm] = (0, 0)
            continue
        pair = _count(found, getattr(events, arm)), _count(found, getattr(trials, arm))
        wrong = next((one for one in pair if isinstance(one, Inconclusive)), None)
        if wrong is not None:
            return wrong
        happened, tried = (one for one in pair if isinstance(one, int))
        if happened > tried:
            return Inconclusive(f"{arm} has {happened} events among {tried} trials")
        counts[arm] = (happened, tried)
    return Counted(
        events=Arms(candidate=counts["candidate"][0], stable=counts["stable"][0]),
        trials=Arms(candidate=counts["candidate"][1], stable=counts["stable"][1]),
    )


def _count(document: Any, pointer: str) -> int | Inconclusive:
    """The count at a pointer."""
    found = pointed(document, pointer)
    if found is _MISSING:
        return Inconclusive(f"the answer has nothing at {pointer}")
    if isinstance(found, bool) or not isinstance(found, int | float):
        return Inconclusive(f"where a count is asked for ({pointer}) is {_KINDS.get(type(found), 'true or false')}")
    if not 0 <= found < values.MOST_COUNT or found != int(found):
        return Inconclusive(f"the value at {pointer} is {repr(found)[:40]}, which is no count")
    return int(found)
