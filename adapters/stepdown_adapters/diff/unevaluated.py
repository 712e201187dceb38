"""Compares `unevaluatedProperties` and `unevaluatedItems`, which look at what all other keywords leave over.

Given only on the sending side such a keyword can only forbid more. Given on both, or only on the accepting side, it is
decided where it says the same beside parts that say the same; else the arbiter has to.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from stepdown_adapters.diff.found import Flat
from stepdown_adapters.paths import Path

if TYPE_CHECKING:
    from stepdown_adapters.diff.walk import Walk

APPLICATORS = frozenset(["allOf", "anyOf", "oneOf", "not", "if", "dependentSchemas", "contains"])
"""Keywords beside which it has to be known which part matched."""


def compare(walk: Walk, older: Flat, newer: Flat, path: Path, *, keyword: str, name: str) -> None:
    """Writes down a difference of `keyword`; `name` is what the catalogue calls it."""
    old, new = older.get(keyword, True), newer.get(keyword, True)
    facts: dict[str, Any] = {"before": older.get(keyword), "after": newer.get(keyword), "keyword": keyword}
    if (old is True) != (new is True):
        walk.note(f"{name}/{'loosened' if new is True else 'tightened'}", path, older=older, newer=newer, **facts)
    elif old is not True and not walk.same(_judged(older), _judged(newer)):
        walk.note("undecided", path, **facts)


def _judged(flat: Flat) -> Flat:
    """All that decides what is left over."""
    return {word: value for word, value in flat.items() if not word.startswith("x-")}
