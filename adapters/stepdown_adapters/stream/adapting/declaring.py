"""Reads the `stream:` section of an adapter from the file's form, and reports all of its mistakes at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from stepdown_adapters.errors import OperationError, PathError, Problem, nearest
from stepdown_adapters.json_values import flaw, kind
from stepdown_adapters.operations import Operation
from stepdown_adapters.operations.envelope import HEAD_EDITS
from stepdown_adapters.operations.options import Options
from stepdown_adapters.operations.parsing import parse_one
from stepdown_adapters.stream.adapting.emitting import emission
from stepdown_adapters.stream.adapting.folding import fold_rules
from stepdown_adapters.stream.adapting.rules import Do, Emit, Rule, StreamSection
from stepdown_adapters.stream.adapting.selectors import ANY, By, Selector, selector
from stepdown_adapters.stream.adapting.templates import Node, template

KEYS = ("on", "fold", "envelope", "end", "collect", "unfold")
_Found = TypeVar("_Found")
_At = tuple[str | int, ...]


def stream_section(raw: Any) -> StreamSection:
    """The section; raises `OperationError` with one `Problem` for each mistake, whose `within` leads to its list."""
    reader = _Reader()
    section = reader.section(raw)
    if reader.problems:
        raise OperationError(reader.problems)
    return section


class _Reader:
    """One section that is read."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.envelope: dict[str, Node] = {}

    def section(self, raw: Any) -> StreamSection:
        """The section, as far as it can be read."""
        if raw == {}:
            self._wrong((), "the stream section is empty; {on: {}} says that all events pass as they are")
            return StreamSection()
        if not isinstance(raw, dict):
            self._wrong((), f"a stream section is a mapping of {', '.join(KEYS)}, not {kind(raw)}")
            return StreamSection()
        for key in raw:
            if key is True:
                self._wrong((), "its key 'on' was read as true, by a reader of YAML 1.1: write it in quotes")
            elif key not in KEYS:
                sentence = f"there is no key {key!r} in a stream section; it has {', '.join(KEYS)}"
                self._wrong((key,), sentence, nearest(str(key), KEYS))
        self._read_envelope(raw)
        folds = self._located(("fold",), lambda problems: fold_rules(raw.get("fold", {}), problems))
        return StreamSection(
            rules=self._rules(raw.get("on", {})),
            folds=folds.rules,
            starts=tuple(folds.starts.items()),
            end=self._emissions("end", raw.get("end")),
            collect=None if raw.get("collect") is True else self._collect(raw.get("collect")),
            gathers=raw.get("collect") is True,
            unfold=self._unfold(raw.get("unfold")),
        )

    def _read_envelope(self, raw: dict[str, Any]) -> None:
        """The members that emitted documents begin with."""
        if "envelope" not in raw:
            return
        found = self._located((), lambda problems: template(Options("", "stream", raw, problems), "envelope"))
        if isinstance(found, dict):
            self.envelope = found
        else:
            self._wrong(("envelope",), f"is a mapping of members to what they are, not {kind(raw['envelope'])}")

    def _rules(self, raw: Any) -> tuple[Rule, ...]:
        if not isinstance(raw, dict):
            self._wrong(("on",), f"is a mapping of selectors to what is done with their events, not {kind(raw)}")
            return ()
        rules = [self._rule(text, actions, ("on", text)) for text, actions in raw.items()]
        if ANY in list(raw)[:-1]:
            self._wrong(("on", ANY), "fits every event, so that what follows it is never asked: put it last")
        return tuple(rule for rule in rules if rule is not None)

    def _rule(self, text: Any, raw: Any, at: _At) -> Rule | None:
        try:
            chosen = selector(text)
        except PathError as error:
            self._wrong(at, str(error))
            return None
        if raw in ("drop", "pass"):
            return Rule(chosen, drops=raw == "drop")
        actions = self._actions(chosen, raw, at)
        if "drop" in (raw if isinstance(raw, list) else ()):
            self._wrong(at, "'drop' stands alone; what is emitted takes the place of the event without it")
        return Rule(chosen, actions)

    def _actions(self, chosen: Selector, raw: Any, at: _At) -> tuple[Do | Emit, ...]:
        is_list = isinstance(raw, list)
        listed = raw if is_list else [raw]
        actions: list[Do | Emit] = []
        for index, item in enumerate(listed):
            here = (*at, index) if is_list else at
            if item in ("drop", "pass"):
                continue
            if isinstance(item, dict) and "emit" in item:
                made = self._emission(item["emit"], (*here, "emit"), f"[{index}]/emit", item)
                actions += [] if made is None else [made]
                continue
            operation = self._operation(item, index, here)
            if operation is None:
                continue
            if chosen.by is By.DONE:
                self._wrong(here, "[DONE] is no JSON that operations could act on; it is dropped, or emits")
            elif actions and isinstance(actions[-1], Do):
                actions[-1] = Do((*actions[-1].operations, operation))
            else:
                actions.append(Do((operation,)))
        if len(actions) > 1 and isinstance(actions[-1], Do):
            self._wrong(at, "operations after the last emit change nothing; put them before it, or into its do")
        return tuple(actions)

    def _operation(self, raw: Any, index: int, here: _At) -> Operation | None:
        if isinstance(raw, str) or (isinstance(raw, dict) and raw.keys() & HEAD_EDITS.keys()):
            known = "an operation, emit, drop or pass" if isinstance(raw, str) else "about events, which have no head"
            self._wrong(here, f"a rule's list is of what is {known}, not {kind(raw)}")
            return None
        found: list[Problem] = []
        operation = parse_one(raw, f"[{index}]", found)
        named = [Problem(one.where.removeprefix(f"[{index}]"), one.sentence, one.nearest, here) for one in found]
        self.problems += named
        return operation

    def _emissions(self, key: str, raw: Any) -> tuple[Emit, ...]:
        listed = [] if raw is None else raw if isinstance(raw, list) else [raw]
        found: list[Emit] = []
        for index, item in enumerate(listed):
            if isinstance(item, dict) and item.keys() == {"emit"}:
                made = self._emission(item["emit"], (key, index, "emit"), f"[{index}]/emit", item)
                found += [] if made is None else [made]
            else:
                self._wrong((key, index), f"is a list of events such as {{emit: {{data: ...}}}}, not of {kind(item)}")
        return tuple(found)

    def _unfold(self, raw: Any) -> Rule | None:
        """What is done with a document is what may be done with any event, but that something has to be emitted."""
        if raw is None:
            return None
        listed = raw if isinstance(raw, list) else [raw]
        for index, item in enumerate(listed):
            if not isinstance(item, dict):
                self._wrong(("unfold", index), f"is a list of operations and of {{emit: ...}}, not of {kind(item)}")
                return None
        rule = Rule(selector(ANY), self._actions(selector(ANY), listed, ("unfold",)))
        if listed and not rule.emits and not self.problems:
            self._wrong(("unfold",), "emits nothing, so that a document would become no event at all")
        return rule if rule.emits else None

    def _collect(self, raw: Any) -> Emit | None:
        if raw is None:
            return None
        if raw is False:
            self._wrong(
                ("collect",), "is true, for the document that a server gives instead, or makes one by data and do"
            )
            return None
        made = self._located(("collect",), lambda problems: emission(raw, "/collect", problems, {}))
        if made is not None and (made.payload is not None or made.each is not None or made.event is not None):
            self._wrong(("collect",), "makes one document, by data and do")
        return made

    def _emission(self, raw: Any, at: _At, where: str, around: dict[str, Any]) -> Emit | None:
        if len(around) > 1:
            self._wrong(at[:-1], "'emit' stands alone in its entry of the list")
        return self._located(at, lambda problems: emission(raw, where, problems, self.envelope))

    def _located(self, at: _At, read: Callable[[list[Problem]], _Found]) -> _Found:
        """What `read` gives; the problems that it notes are at `at`."""
        problems: list[Problem] = []
        found = read(problems)
        self.problems += [Problem(one.where, one.sentence, one.nearest, (*at, *one.within)) for one in problems]
        return found

    def _wrong(self, at: _At, sentence: str, near: str | None = None) -> None:
        wrong = None if all(flaw(key) is None for key in at) else "a key is no text"
        self.problems.append(Problem("", wrong or sentence, near, at))
