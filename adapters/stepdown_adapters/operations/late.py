"""Conversions some of whose options are references: they are built when a document comes.

A row names the options that may be references, with a sample of each. The sample stands in when the adapter is loaded,
so that all other options are checked then; the real value is checked in the same way, by the same builder, when it is
known. What was built for a value is kept: requests repeat themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from stepdown_adapters.errors import Problem, Refusal
from stepdown_adapters.operations.operand import Constant, Reference, read
from stepdown_adapters.operations.options import Options

_KEPT = 64
"""Conversions that are kept, for as many different values."""


@dataclass(frozen=True, kw_only=True)
class Late:
    """The references of one operation, and how to build its conversion once they are known."""

    build: Callable[[Options], Any]
    where: str
    name: str
    raw: Mapping[str, Any]
    """The options that are constants."""
    references: Mapping[str, Reference]
    _built: dict[str, Any] = field(default_factory=dict)

    def conversion(self, values: Sequence[Any]) -> Any:
        """The conversion for these plain values, in the order of `references`; raises `Refusal` if one is wrong."""
        known = repr(values)
        found = self._built.get(known)
        if found is None:
            found = self._build(values)
            if len(self._built) >= _KEPT:
                self._built.clear()
            self._built[known] = found
        return found

    def function(self, *values: Any) -> Any:
        """The function of that conversion."""
        return self.conversion(values).function

    def _build(self, values: Sequence[Any]) -> Any:
        problems: list[Problem] = []
        given = dict(zip(self.references, values, strict=True))
        built = self.build(Options(self.where, self.name, {**self.raw, **given}, problems))
        if problems:
            origins = ", ".join(f"{key} is {reference}" for key, reference in self.references.items())
            raise Refusal(f"{problems[0].sentence} ({origins})")
        return built


def late(options: Options, build: Callable[[Options], Any], samples: Mapping[str, Any]) -> Late | None:
    """Reads references in the options of `samples`, and puts the samples in their places; `None` if there is none."""
    references: dict[str, Reference] = {}
    for key, sample in samples.items():
        if not options.has(key):
            continue
        found = read(options, key, options.raw[key])
        if isinstance(found, Constant):
            options.stand_in(key, found.value)
        else:
            references[key] = found
            options.stand_in(key, sample)
    if not references:
        return None
    raw = {key: value for key, value in options.raw.items() if key not in ("path", "on_missing", *references)}
    return Late(build=build, where=options.where, name=options.name, raw=raw, references=references)
