"""The look-up of a route, at a cost that does not grow with their number.

Several routes may match a request. The most specific one wins, compared in this order:

1. Path: an exact one before any other; then segment by segment from the left, a literal segment before a `{name}` with
   a verb behind it, that before one without, and all before the rest of a prefix; last, a route without a path.
2. Host: exact, then `*.` with the longest rest, then any.
3. Method: named, then any.
4. Headers: more conditions before fewer.
5. The file's order.

Exact paths are keys of a dictionary; templates and prefixes are a tree of segments. What a path leads to is found by
host and method in dictionaries too, and by header as `rows` does it. A route that fails in a later point gives way to
the next in line, so an exact path for POST leaves GET to a prefix.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Generic, TypeVar

from stepdown.decide import spec
from stepdown.decide.digests import Digests
from stepdown.decide.facts import Facts
from stepdown.decide.hosts import bare_host, parents
from stepdown.decide.paths import Part, Template, refuse_ambiguous, split_path
from stepdown.decide.rows import Rows

R = TypeVar("R")
Entry = tuple[spec.Match, R]
Params = tuple[bytes, ...]


class Lookup(Generic[R]):
    """Routes by request."""

    def __init__(self, entries: Sequence[Entry[R]], digests: Digests) -> None:
        exact: dict[bytes, list[Entry[R]]] = {}
        tree: _Node[R] = _Node()
        anywhere: list[Entry[R]] = []
        for match, route in entries:
            if match.path is not None:
                template = Template.parse(match.path)
                if template.names:
                    tree.at(template.segments).whole.append((match, route))
                else:
                    exact.setdefault(match.path.encode(), []).append((match, route))
            elif match.path_prefix is not None:
                tree.at(Template.parse(match.path_prefix.rstrip("/")).segments).rest.append((match, route))
            else:
                anywhere.append((match, route))
        self._exact = {path: _ByHost(found, digests) for path, found in exact.items()}
        self._tree = tree.sealed(digests)
        self._anywhere = _ByHost(anywhere, digests)

    def find(self, facts: Facts) -> tuple[R, Params] | None:
        """The route and the values of its `{name}`s in order; raises `BadRequestError` for an ambiguous path."""
        path = facts.path
        leaf = self._exact.get(path)
        if leaf is not None:
            route = leaf.find(facts)
            if route is not None:
                return route, ()
        found = self._tree.find(facts, split_path(path), 0, ()) if path[:1] == b"/" else None
        if found is not None:
            refuse_ambiguous(path)
            return found
        route = self._anywhere.find(facts)
        return None if route is None else (route, ())


class _Node(Generic[R]):
    """A place in the tree while it grows: what ends here, and what goes on."""

    def __init__(self) -> None:
        self.literals: dict[bytes, _Node[R]] = {}
        self.parts: dict[Part, _Node[R]] = {}
        self.whole: list[Entry[R]] = []
        self.rest: list[Entry[R]] = []

    def at(self, segments: Iterable[bytes | Part]) -> _Node[R]:
        """The node at the end of the segments, made where it is missing."""
        node = self
        for segment in segments:
            if isinstance(segment, Part):
                node = node.parts.setdefault(segment, _Node())
            else:
                node = node.literals.setdefault(segment, _Node())
        return node

    def sealed(self, digests: Digests) -> _Branch[R]:
        longest_first = sorted(self.parts.items(), key=lambda item: -len(item[0].verb))
        return _Branch(
            {segment: node.sealed(digests) for segment, node in self.literals.items()},
            tuple((part.verb, node.sealed(digests)) for part, node in longest_first),
            _ByHost(self.whole, digests) if self.whole else None,
            _ByHost(self.rest, digests) if self.rest else None,
        )


class _Branch(Generic[R]):
    """A place in the finished tree."""

    __slots__ = ("_literals", "_parts", "_rest", "_whole")

    def __init__(
        self,
        literals: dict[bytes, _Branch[R]],
        parts: tuple[tuple[bytes, _Branch[R]], ...],
        whole: _ByHost[R] | None,
        rest: _ByHost[R] | None,
    ) -> None:
        self._literals = literals
        self._parts = parts
        self._whole = whole
        self._rest = rest

    def find(self, facts: Facts, segments: list[bytes], place: int, params: Params) -> tuple[R, Params] | None:
        """The most specific route at or below this place that takes the segments from `place` on."""
        if place < len(segments):
            segment = segments[place]
            branch = self._literals.get(segment)
            if branch is not None:
                found = branch.find(facts, segments, place + 1, params)
                if found is not None:
                    return found
            for verb, branch in self._parts:
                value = segment
                if verb:  # as `Part.value` does it
                    value = segment[: -len(verb)] if segment.endswith(verb) else b""
                if value:
                    found = branch.find(facts, segments, place + 1, (*params, value))
                    if found is not None:
                        return found
        elif self._whole is not None:
            route = self._whole.find(facts)
            if route is not None:
                return route, params
        if self._rest is not None:
            route = self._rest.find(facts)
            if route is not None:
                return route, params
        return None


class _ByHost(Generic[R]):
    """Routes of one path by host, method and headers."""

    __slots__ = ("_any", "_below", "_exact")

    def __init__(self, entries: Sequence[Entry[R]], digests: Digests) -> None:
        exact: dict[bytes, list[Entry[R]]] = {}
        below: dict[bytes, list[Entry[R]]] = {}
        for match, route in entries:
            for host in match.hosts:
                group, name = (below, host[2:]) if host.startswith("*.") else (exact, host)
                group.setdefault(name.encode(), []).append((match, route))
        self._exact = {host: _ByMethod(found, digests) for host, found in exact.items()}
        self._below = {host: _ByMethod(found, digests) for host, found in below.items()}
        self._any = _ByMethod([entry for entry in entries if not entry[0].hosts], digests)

    def find(self, facts: Facts) -> R | None:
        if self._exact or self._below:
            host = bare_host(facts.host)
            found = self._exact[host].find(facts) if host in self._exact else None
            if found is not None:
                return found
            for parent in parents(host) if self._below else ():
                found = self._below[parent].find(facts) if parent in self._below else None
                if found is not None:
                    return found
        return self._any.find(facts)


class _ByMethod(Generic[R]):
    """Routes of one path and host by method and headers."""

    __slots__ = ("_named", "_other")

    def __init__(self, entries: Sequence[Entry[R]], digests: Digests) -> None:
        named = {method.encode() for match, _ in entries for method in match.methods}
        ordered = sorted(entries, key=lambda entry: (not entry[0].methods, -len(entry[0].headers)))
        self._named = {method: _by_header(ordered, method, digests) for method in named}
        self._other = _by_header(ordered, None, digests)

    def find(self, facts: Facts) -> R | None:
        return self._named.get(facts.method, self._other).find(facts)


def _by_header(entries: Sequence[Entry[R]], method: bytes | None, digests: Digests) -> Rows[R]:
    """The routes that take this method (`None`: one that no route names), by their headers only."""
    taken = [
        (spec.Match(headers=match.headers), route)
        for match, route in entries
        if not match.methods or (method is not None and method.decode() in match.methods)
    ]
    return Rows(taken, digests)
