"""Walks through two schemas together and writes down every difference.

At each place both schemas are flat (`flat`), and each group of keywords is compared by a module of its own:
`scalars`, `members` (of objects), `items` (of arrays), `unions`, `conditions`, `meaning`. They promise one thing
together: where nothing is found that lets the criterion fail, every value that is sent there is one that is accepted.
So each keyword of the accepting side must be implied by the sending side's, and what no rule decides is `undecided`.

References go in circles; a pair of schemas that is met again inside itself is taken to hold (co-induction): documents
are finite, so a smallest one that breaks the rule would break it somewhere else.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from stepdown_adapters.contract.keywords import Schema
from stepdown_adapters.diff import conditions, items, meaning, members, scalars, unions
from stepdown_adapters.diff.arbiter import Answer, Arbiter
from stepdown_adapters.diff.catalogue import KINDS
from stepdown_adapters.diff.flat import Flattener, bare
from stepdown_adapters.diff.found import Flat, Found
from stepdown_adapters.diff.policy import Policy
from stepdown_adapters.diff.sameness import Sameness
from stepdown_adapters.diff.values import types_of
from stepdown_adapters.paths import ROOT, Path

BY_AGREEMENT = frozenset(
    ["content-changed", "discriminator-changed", "discriminator-added", "write-only-set", "renamed", "moved"]
)
"""Kinds that break somebody although, or whether or not, the same documents are valid."""
MAX_FOUND = 2_000
"""Differences that are listed one by one; a definition that many places share is listed at each."""
MAX_DEPTH = 100
MAX_STEPS = 20_000


class Walk:
    """One comparison. `sent` and `accepted` are the newer and the older schema for a response, else the reverse."""

    def __init__(self, older: Schema, newer: Schema, policy: Policy, arbiter: Arbiter | None) -> None:
        self.policy = policy
        self.found: list[Found] = []
        self._documents = older, newer
        self._older = Flattener(older)
        self._newer = Flattener(newer)
        self._arbiter = arbiter
        self._open: set[tuple[int, int, bool]] = set()
        self._covered: dict[tuple[int, int, bool], bool] = {}
        self._trying = False
        """Whether only the verdict is asked for: then each pair is compared once, wherever it stands."""
        self._clean: set[tuple[int, int, bool]] = set()
        self._steps = 0
        self._here = ROOT

    @property
    def responds(self) -> bool:
        """Whether the newer side sends here."""
        return self.policy.direction == "response"

    def sent_first(self, older: Any, newer: Any) -> tuple[Any, Any]:
        """What is sent, then what is accepted."""
        return (newer, older) if self.responds else (older, newer)

    def note(self, kind: str, path: Path, **facts: Any) -> None:
        """Writes a difference down."""
        if len(self.found) < MAX_FOUND:
            self.found.append(Found(kind, path, holder=self._here, **facts))
        elif len(self.found) == MAX_FOUND:
            self.found.append(Found("undecided", path, keyword=f"more than {MAX_FOUND} places; the rest"))

    def holds(self, found: list[Found]) -> bool:
        """Whether the criterion holds for all that was found."""
        return all(one.proved is True or self.policy.holds(one.kind) for one in found)

    def flats(self, older: Any, newer: Any) -> tuple[Flat, Flat]:
        """Both schemas as flat ones."""
        return self._older.flat(older), self._newer.flat(newer)

    def same(self, older: Any, newer: Any) -> bool:
        """Whether both say the same but for annotations."""
        return Sameness(self._documents[1], self._documents[0]).schemas(newer, older)

    def trivial(self, schema: Any) -> bool:
        """Whether a schema allows everything, as `true` and `{}` do."""
        return schema is True or (isinstance(schema, dict) and not bare(schema))

    def covered(self, older: Any, newer: Any) -> bool:
        """Whether all that is sent under one schema is accepted under the other, as far as the walk decides it."""
        older_flat, newer_flat = self.flats(older, newer)
        key = id(older_flat), id(newer_flat), self.responds
        if key not in self._covered:
            before, self._trying = self._trying, True
            self._covered[key] = self.holds(self.tried(older, newer, self._here))
            self._trying = before
        return self._covered[key]

    def within(self, older: Any, newer: Any, *, newer_inside: bool) -> bool:
        """Whether one schema is covered by the other, whichever of them is sent."""
        if newer_inside == self.responds:
            return self.covered(older, newer)
        with self.swapped():
            return self.covered(older, newer)

    def graded(self, name: str, before: Any, after: Any, path: Path, **facts: Any) -> None:
        """Notes that the schema of one keyword, on which the rest depends, was loosened or tightened."""
        facts = {"before": before, "after": after, **facts}
        if before is None or after is None:
            self.note(f"{name}/{'loosened' if after is None else 'tightened'}", path, **facts)
        elif not self.same(before, after):
            tightened = self.covered(before, after) == self.responds
            self.note(f"{name}/{'tightened' if tightened else 'loosened'}", path, **facts)

    def tried(self, older: Any, newer: Any, path: Path) -> list[Found]:
        """What a comparison would find, without writing it down."""
        found, self.found = self.found, []
        try:
            self.compare(older, newer, path)
            return self.found
        finally:
            self.found = found

    @contextmanager
    def swapped(self) -> Iterator[None]:
        """The sides change places: below `not`, what is accepted may not grow beyond what is sent."""
        policy = self.policy
        self.policy = replace(policy, direction="request" if self.responds else "response")
        try:
            yield
        finally:
            self.policy = policy

    def compare(self, older: Any, newer: Any, path: Path) -> None:
        """Compares the schemas of one place."""
        older_flat, newer_flat = self.flats(older, newer)
        pair = (id(older_flat), id(newer_flat), self.responds)
        if pair in self._open or pair in self._clean or len(self.found) > MAX_FOUND:
            return
        if self._trying and pair in self._covered:
            if not self._covered[pair]:
                self.note("undecided", path)
            return
        self._steps += 1
        if len(path.segments) > MAX_DEPTH or self._steps > MAX_STEPS:
            self.note("undecided", path, keyword="what lies too deep to be compared")
            return
        self._open.add(pair)
        outer, self._here, start = self._here, path, len(self.found)
        self._place(older_flat, newer_flat, path)
        self._here = outer
        self._open.discard(pair)
        if len(self.found) == start:
            self._clean.add(pair)
        elif self._trying:
            self._covered[pair] = self.holds(self.found[start:])
        self._refer(older, newer, path, start)

    def _place(self, older: Flat, newer: Flat, path: Path) -> None:
        start = len(self.found)
        if unions.compare(self, older, newer, path):
            self.arbitrate(older, newer, path, start)
            return
        meaning.compare(self, older, newer, path)
        scalars.compare_types(self, older, newer, path)
        common = types_of(older) & types_of(newer)
        if common:
            scalars.compare_values(self, older, newer, path, common)
            conditions.compare(self, older, newer, path)
            if "array" in common:
                items.compare(self, older, newer, path)
            if "object" in common:
                members.compare(self, older, newer, path)
        self.arbitrate(older, newer, path, start)

    def arbitrate(self, older: Flat, newer: Flat, path: Path, start: int) -> None:
        """Lets the arbiter say whether differences of this very place, taken together, allow nothing new."""
        here = [one for one in self.found[start:] if one.proved is None and not self._settled(one)]
        local = [one for one in here if one.holder == path]
        if self._arbiter is None or not local:
            return
        answer = self.ask(older, newer)
        if answer.included:
            for one in here:
                one.proved = True
        elif answer.included is False and len(here) == 1:
            here[0].proved, here[0].witness = False, answer.witness

    def _settled(self, one: Found) -> bool:
        return self.policy.holds(one.kind) or not self.provable(one)

    def about_values(self, one: Found) -> bool:
        """Whether a difference is about which documents are valid, and not about what they mean to somebody."""
        return one.kind not in BY_AGREEMENT and KINDS[one.kind].section not in ("Annotations", "Meaning")

    def provable(self, one: Found) -> bool:
        """Whether a proof that nothing new is allowed makes a breaking difference harmless."""
        return not self.policy.holds(one.kind) and self.about_values(one)

    def ask(self, older: Any, newer: Any) -> Answer:
        """Whether all that is sent under one schema is accepted under the other."""
        if self._arbiter is None:
            return Answer(None)
        inner, outer = self.sent_first(older, newer)
        return self._arbiter.ask(inner, outer, inner_is_newer=self.responds)

    def _refer(self, older: Any, newer: Any, path: Path, start: int) -> None:
        if len(self.found) > start:
            return
        names = [schema.get("$ref") if isinstance(schema, dict) else None for schema in (older, newer)]
        if names[0] != names[1]:
            self.note("ref-changed", path, before=names[0], after=names[1])
