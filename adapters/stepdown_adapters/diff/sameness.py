"""Whether two schemas are the same but for annotations, following references in both."""

from __future__ import annotations

from typing import Any

from stepdown_adapters.contract.keywords import ANNOTATIONS, LIST, NAMED, ONE, Schema, at
from stepdown_adapters.json_values import equal


class Sameness:
    """Compares schemas of two documents; cycles that are equal as far as they go are equal."""

    def __init__(self, newer: Schema, older: Schema) -> None:
        self._newer = newer
        self._older = older
        self._assumed: set[tuple[str, str]] = set()

    def schemas(self, newer: Any, older: Any) -> bool:
        """Whether a schema of the newer document is one of the older."""
        if not isinstance(newer, dict) or not isinstance(older, dict):
            return type(newer) is type(older) and bool(newer == older)
        names = newer.keys() - ANNOTATIONS
        return names == older.keys() - ANNOTATIONS and all(
            self.keyword(name, newer[name], older[name]) for name in names
        )

    def keyword(self, keyword: str, newer: Any, older: Any) -> bool:
        """Whether the values of a keyword say the same."""
        if keyword == "$ref":
            if (newer, older) in self._assumed:  # equal as far as has been seen: that is what equality of cycles means
                return True
            self._assumed.add((newer, older))
            return self.schemas(at(self._newer, newer.removeprefix("#")), at(self._older, older.removeprefix("#")))
        if keyword in NAMED and isinstance(newer, dict) and isinstance(older, dict):
            return newer.keys() == older.keys() and all(self.schemas(newer[name], older[name]) for name in newer)
        if keyword in LIST and isinstance(newer, list) and isinstance(older, list):
            return len(newer) == len(older) and all(map(self.schemas, newer, older))
        if keyword in ONE:
            return self.schemas(newer, older)
        return equal(newer, older)
