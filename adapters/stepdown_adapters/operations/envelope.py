"""Operations on what surrounds the document: the answer's status and header fields.

They do nothing to the document, so they stand at the top of a list and not inside of `in`. A chain's are folded, in
order, into one `HeadEdits` when it is compiled: an answer costs a look-up, and nothing where there are none.
"""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from stepdown_adapters.code import Code
from stepdown_adapters.context import Scene
from stepdown_adapters.contract.keywords import Schema
from stepdown_adapters.effects.study import Study
from stepdown_adapters.operations.base import Loss, Operation, Use
from stepdown_adapters.operations.options import Options
from stepdown_adapters.paths import Path

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}")
_VALUE = re.compile(r"[!-~\x80-\xff](?:[\t -~\x80-\xff]{0,2046}[!-~\x80-\xff])?")
_MANAGED = frozenset(
    {
        "connection",
        "content-encoding",
        "content-length",
        "date",
        "keep-alive",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "via",
        "x-model-served",
        "x-model-version",
    }
)
"""Fields that frame the message or say which shape it has; they follow from what is sent."""


@dataclass(frozen=True, slots=True)
class HeadEdits:
    """What a chain does to the head of an answer."""

    statuses: Mapping[int, int] = field(default_factory=dict)
    """Status of the answer to the one that is sent; others stay."""
    fields: Mapping[str, str | None] = field(default_factory=dict)
    """Header fields by lower-case name: their new value, or `None` for one that is removed."""

    def __bool__(self) -> bool:
        """Whether there is anything to do."""
        return bool(self.statuses or self.fields)

    def then(self, statuses: Mapping[int, int], fields: Mapping[str, str | None]) -> HeadEdits:
        """These edits, and afterwards those."""
        known = set(statuses) | set(self.statuses)
        mapped = {status: statuses.get(now, now) for status in known for now in [self.statuses.get(status, status)]}
        return HeadEdits({old: new for old, new in mapped.items() if old != new}, {**self.fields, **fields})


@dataclass(frozen=True, kw_only=True)
class HeadEdit(Operation):
    """Base of the operations that leave the document alone."""

    loss: ClassVar[Loss] = Loss.LOSSY
    note: ClassVar[str] = "what the head said before is lost"

    @abstractmethod
    def added_to(self, edits: HeadEdits) -> HeadEdits:
        """The edits with this one behind them."""

    def apply(self, container: Any, key: Any, scene: Scene) -> None:
        """Nothing: the document stays."""

    def emit(self, code: Code, spot: str) -> None:
        """Nothing: the document stays."""

    def effect(self, schema: Schema, study: Study) -> Schema:
        """Nothing: the document stays."""
        return schema

    def uses(self) -> Iterator[Use]:
        """No path of the document."""
        return iter(())

    @property
    def about(self) -> Path:
        """The document as a whole."""
        return Path()


@dataclass(frozen=True, kw_only=True)
class StatusMap(HeadEdit):
    """Sends another status than the answer has: `{status_map: {422: 400}}`."""

    name: ClassVar[str] = "status_map"
    table: Mapping[int, int]

    @classmethod
    def parse(cls, options: Options) -> StatusMap:
        """From a mapping of error statuses to error statuses."""
        table: dict[int, int] = {}
        for status, instead in options.members("statuses such as 422, each with the one to send instead").items():
            old, new = _error_status(status), _error_status(instead)
            if old is None or new is None:
                options.problem(None, f"maps statuses from 400 to 599 to such, not {status!r} to {instead!r}")
            else:
                table[old] = new
        return cls(where=options.where, table=table)

    def added_to(self, edits: HeadEdits) -> HeadEdits:
        """See the base."""
        return edits.then(self.table, {})


@dataclass(frozen=True, kw_only=True)
class HeaderSet(HeadEdit):
    """Sets header fields of the answer: `{header_set: {content-type: application/json}}`."""

    name: ClassVar[str] = "header_set"
    fields: Mapping[str, str]

    @classmethod
    def parse(cls, options: Options) -> HeaderSet:
        """From a mapping of names to values."""
        given = options.members("header names with their values")
        fields: dict[str, str] = {}
        for name, value in given.items():
            if not _is_free(name, options):
                continue
            if not isinstance(value, str) or not _VALUE.fullmatch(value):
                options.problem(None, f"{name} needs a text without control characters, not {value!r}")
                continue
            fields[name.lower()] = value
        return cls(where=options.where, fields=fields)

    def added_to(self, edits: HeadEdits) -> HeadEdits:
        """See the base."""
        return edits.then({}, self.fields)


@dataclass(frozen=True, kw_only=True)
class HeaderRemove(HeadEdit):
    """Removes header fields of the answer: `{header_remove: [x-internal]}`."""

    name: ClassVar[str] = "header_remove"
    names: tuple[str, ...]

    @classmethod
    def parse(cls, options: Options) -> HeaderRemove:
        """From a list of names, or one."""
        names = [name for name in options.listed("names of header fields") if _is_free(name, options)]
        return cls(where=options.where, names=tuple(name.lower() for name in names))

    def added_to(self, edits: HeadEdits) -> HeadEdits:
        """See the base."""
        return edits.then({}, dict.fromkeys(self.names))


HEAD_EDITS: Mapping[str, type[StatusMap | HeaderSet | HeaderRemove]] = {
    kind.name: kind for kind in (StatusMap, HeaderSet, HeaderRemove)
}


def folded(operations: Sequence[Operation], before: HeadEdits) -> HeadEdits:
    """The edits of a list behind those before it."""
    for operation in operations:
        if isinstance(operation, HeadEdit):
            before = operation.added_to(before)
    return before


def on_document(operations: Sequence[Operation]) -> list[Operation]:
    """The operations of a list that do something to the document."""
    return [operation for operation in operations if not isinstance(operation, HeadEdit)]


def _error_status(value: Any) -> int | None:
    """A status as YAML may write it, number or text."""
    text = str(value)
    return int(text) if len(text) == 3 and text.isdecimal() and "400" <= text <= "599" else None


def _is_free(name: Any, options: Options) -> bool:
    """Whether a field may be edited; notes why not."""
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        options.problem(None, f"{name!r} is no name of a header field")
    elif name.lower() in _MANAGED:
        options.problem(None, f"{name} follows from what is sent and cannot be edited")
    else:
        return True
    return False
