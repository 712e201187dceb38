"""Finds the rules that an event is for, at the cost of a look-up where they go by name.

Which rules the names of an event leave is worked out once for each pair of names that any selector has, and kept. Paths
are looked for by generated code, which opens what it looks into, so that operations need not open it again. And before
an event is read at all, its bytes are asked whether any rule could be for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from msgspec import Raw

from stepdown_adapters import navigate
from stepdown_adapters.code import Code
from stepdown_adapters.codec import Lazy
from stepdown_adapters.paths import Path
from stepdown_adapters.runtime import Runtime
from stepdown_adapters.stream.adapting.selectors import By, Selector
from stepdown_adapters.stream.events import DONE
from stepdown_adapters.stream.framing import Event
from stepdown_adapters.strict import Strict

Fits = Callable[[Any], bool]
Candidate = tuple[int, Fits | None]
"""The number of a rule, and what is still to be asked of the event's JSON."""

Key = tuple[str, str, bool]
"""An event's type and the member `type` of its JSON, each only if a selector has it, and whether it is an error."""
NAMELESS: Key = ("", "", False)

_FEW = 4
"""Needles that are looked for one by one; with more, reading the event costs no more."""


class Watch:
    """Tells by the bytes of an event that no rule of a whole chain can be for it, so that nobody has to read it."""

    __slots__ = ("_always", "_done", "_names", "_needles")

    def __init__(self, selectors: Iterable[Selector]) -> None:
        every = tuple(selectors)
        self._done = any(one.by is By.DONE for one in every)
        self._names = frozenset(one.name for one in every if one.by in (By.NAME, By.EVENT))
        wanted = {one.needle for one in every if one.by not in (By.EVENT, By.DONE)}
        self._needles = tuple(needle for needle in wanted if needle is not None)
        self._always = None in wanted or len(self._needles) > _FEW

    def passes(self, event: Event) -> bool:
        """Whether the event passes all steps as it is; never wrongly yes."""
        data = event.data
        if data is None:
            return True
        if data == DONE:
            return not self._done
        if self._always or (event.event and event.event in self._names):
            return False
        for needle in self._needles:
            if needle in data:
                return False
        return not self._needles or b"\\u" not in data  # a name may be written with escapes


class Names:
    """The names that the selectors of one step go by, and which of them an event has."""

    __slots__ = ("_codec", "_names", "_spelled")

    def __init__(self, selectors: Iterable[Selector], codec: Lazy | Strict) -> None:
        self._codec = codec
        self._names = frozenset(one.name for one in selectors if one.named)
        self._spelled = {b'"%s"' % name.encode(): name for name in self._names}

    def key(self, event: Event, document: Any, failed: bool) -> Key:
        """What there is to know of an event before its JSON is looked into."""
        names = self._names
        if not names:
            return "", "", failed
        type_ = self._type(document) if isinstance(document, dict) else ""
        return event.event if event.event in names else "", type_, failed

    def _type(self, document: dict[str, Any]) -> str:
        """The member `type`, if it is a name that any selector has."""
        value = document.get("type")
        if value.__class__ is Raw:
            text = bytes(value)
            if b"\\" not in text:
                return self._spelled.get(text, "")
            value = self._codec.plain(value)
        return value if isinstance(value, str) and value in self._names else ""


class Selection:
    """The selectors of some rules, each rule with one or more of them."""

    __slots__ = ("_found", "_rules")

    def __init__(self, rules: Sequence[Sequence[Selector]], codec: Lazy | Strict) -> None:
        self._rules = [
            [(one, _lookout(one.path, codec) if one.by is By.PATH else None) for one in rule if one.by is not By.DONE]
            for rule in rules
        ]
        self._found: dict[Key, tuple[Candidate, ...]] = {}

    def candidates(self, key: Key) -> tuple[Candidate, ...]:
        """The rules that the names of an event leave, in their order."""
        found = self._found.get(key)
        if found is None:
            found = self._found[key] = tuple(self._candidates(*key))
        return found

    def _candidates(self, name: str, type_: str, failed: bool) -> list[Candidate]:
        found: list[Candidate] = []
        for number, rule in enumerate(self._rules):
            if any(one.has_name(name, type_) or (one.by is By.ANY and not failed) for one, _ in rule):
                found.append((number, None))
            elif not failed:
                lookouts = [fits for _, fits in rule if fits is not None]
                if lookouts:
                    found.append((number, lookouts[0] if len(lookouts) == 1 else _any(lookouts)))
        return found


def _any(lookouts: Sequence[Fits]) -> Fits:
    return lambda document: any(fits(document) for fits in lookouts)


def _lookout(path: Path, codec: Lazy | Strict) -> Fits:
    """A function that says whether a document has anything at the path; it opens what it looks into."""
    namespace = Runtime(codec).namespace()
    code = Code(namespace, {}, indent=1)
    code.alias("document", "document")
    navigate.every(code, "document", path, lambda place: code.line("return True"), fails=False)
    exec(compile(f"def fits(document):\n{code.source()}    return False\n", "<stepdown selector>", "exec"), namespace)  # noqa: S102
    fits: Fits = namespace["fits"]
    return fits
