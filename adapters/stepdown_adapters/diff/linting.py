"""Warns of what a contract leaves open that will break somebody later, although it breaks nobody today.

A number called `score` without bounds may become a logit in the next version, and no comparison of schemas will see it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from stepdown_adapters.contract.model import Contract
from stepdown_adapters.diff.flat import Flattener
from stepdown_adapters.diff.found import Flat
from stepdown_adapters.diff.meaning import EXTENSIBLE, SEMANTIC
from stepdown_adapters.diff.values import NUMBERS, listed, lower, types_of, upper
from stepdown_adapters.paths import ROOT, Every, Member, Path

SCORES = re.compile(r"(^|[_\-.])(score|prob|proba|probability|confidence|likelihood)s?($|[_\-.])", re.IGNORECASE)
MEASURES = re.compile(
    r"(^|[_\-.])(logit|distance|similarity|bbox|box|boxes|embedding|latency|duration)s?($|[_\-.])", re.IGNORECASE
)
BOUNDED = frozenset({"probability", "log-prob", "similarity"})


@dataclass(frozen=True, slots=True)
class Warning:
    """Something that a contract should say."""

    rule: str
    path: str
    sentence: str

    def __str__(self) -> str:
        return f"{self.path or 'the document'}: {self.sentence} ({self.rule})"


def lint(contract: Contract) -> tuple[Warning, ...]:
    """All warnings about one contract, each once for each path."""
    walk = _Walk(contract)
    walk.visit(contract.schema, ROOT, "", frozenset())
    return tuple(dict.fromkeys(walk.warnings))


class _Walk:
    def __init__(self, contract: Contract) -> None:
        self._flattener = Flattener(contract.schema)
        self.warnings: list[Warning] = []

    def visit(self, schema: Any, path: Path, name: str, above: frozenset[int]) -> None:
        """Warns about the values at `path`, which are called `name`, and all below them."""
        flat = self._flattener.flat(schema)
        if id(flat) in above:
            return
        above |= {id(flat)}
        self.warnings += [Warning(rule, str(path), sentence) for rule, sentence in _warnings(flat, name)]
        if SEMANTIC in flat:
            name = ""  # what an array means is said, and so what its items do
        for member, inner in flat.get("properties", {}).items():
            self.visit(inner, path + Path((Member(member),)), member, above)
        for index, inner in enumerate(flat.get("prefixItems", ())):
            self.visit(inner, path + Path((Member(str(index)),)), name, above)
        for keyword in ("items", "additionalProperties"):
            if isinstance(flat.get(keyword), dict):
                self.visit(flat[keyword], path + Path((Every(),)), name, above)
        for keyword in ("anyOf", "oneOf", "allOf"):
            for branch in flat.get(keyword, ()):
                self.visit(branch, path, name, above)


def _warnings(flat: Flat, name: str) -> Iterator[tuple[str, str]]:
    types, meaning = types_of(flat), flat.get(SEMANTIC)
    kind = meaning.get("kind") if isinstance(meaning, dict) else None
    numeric = bool(types & NUMBERS) and not types - NUMBERS - {"null"} and listed(flat) is None
    if numeric and (SCORES.search(name) or kind in BOUNDED) and kind not in ("logit", "distance"):
        missing = [word for word, bound in (("minimum", lower(flat)), ("maximum", upper(flat))) if bound is None]
        if missing:
            yield "unbounded-score", f"is a score without {' and '.join(missing)}: a logit would be as valid"
    if numeric and meaning is None and (SCORES.search(name) or MEASURES.search(name)):
        yield "no-semantic", f"says nothing of its meaning: declare {SEMANTIC} (kind, unit, scale)"
    values = listed(flat)
    if values is not None and len(values) > 1 and flat.get(EXTENSIBLE) and "default" not in flat:
        yield "no-default", "is an open enum without a default: nothing says what an unknown value may become"
    if types == {"array"} and kind == "embedding" and "maxItems" not in flat:
        yield "unbounded-embedding", "is an embedding of any length: declare minItems and maxItems"
