"""What a flag's targeting is told of a request: the evaluation context, with no more in it than the targeting reads.

    targetingKey    the route's key                 header.NAME     a header field, NAME in lower case or as written
    method, path    as sent                         query.NAME      a parameter of the query, escapes taken back
    host            lower case, without port        cookie.NAME     a cookie
    client          the client's address            param.NAME      the part of the path that `{NAME}` stands for

A configuration may give names of their own to headers, parameters and cookies (`NamedFact`), so that flag files which
others read too can say `email`. All of them are texts; what a request does not have is null. Bytes that are no UTF-8
are written as `\\xff`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from stepdown.decide.flag_spec import NamedFact
from stepdown.decide.flags import Needs
from stepdown.decide.hosts import bare_host
from stepdown.decide.pairs import cookie_reader, query_reader
from stepdown.decide.view import View

KEY = "targetingKey"
GROUPS = ("header", "query", "cookie", "param")

Read = Callable[[View], str | None]
Context = Callable[[View], Mapping[str, Any]]


class Reads(NamedTuple):
    """What the targeting of a flag, or of several together, reads of a request."""

    names: frozenset[str] = frozenset()
    """Of `targetingKey`, `method`, `path`, `host` and `client`."""
    headers: frozenset[str] = frozenset()
    """As the targeting writes them."""
    queries: frozenset[str] = frozenset()
    cookies: frozenset[str] = frozenset()
    params: frozenset[str] = frozenset()
    named: frozenset[NamedFact] = frozenset()
    unknown: frozenset[str] = frozenset()
    """Paths that lead to nothing in any request."""
    clock: bool = False
    everything: bool = False
    """It may read more, which only shows when it is evaluated; that is null to it."""

    def and_also(self, other: Reads) -> Reads:
        """Both together."""
        return Reads(
            names=self.names | other.names,
            headers=self.headers | other.headers,
            queries=self.queries | other.queries,
            cookies=self.cookies | other.cookies,
            params=self.params | other.params,
            named=self.named | other.named,
            unknown=self.unknown | other.unknown,
            clock=self.clock or other.clock,
            everything=self.everything or other.everything,
        )

    @property
    def fields(self) -> frozenset[str]:
        """Lower-case names of the header fields that are read, `cookie` among them where a cookie is."""
        headers = {name.lower() for name in self.headers} | self.of("header")
        return frozenset(headers | ({"cookie"} if self.cookies or self.of("cookie") else set()))

    def of(self, source: str) -> frozenset[str]:
        """What is read of one source under names of their own."""
        return frozenset(fact.of for fact in self.named if fact.source == source)


def reads_of(needs: Needs, named: Iterable[NamedFact] = ()) -> Reads:
    """What a flag reads, by the paths in its targeting; `named` are the facts that have names of their own."""
    facts = {fact.name: fact for fact in named}
    found: dict[str, set[str]] = {group: set() for group in (*GROUPS, "names", "named", "unknown")}
    for path in needs.paths:
        first, _, rest = path.partition(".")
        if first in _READERS:
            found["names"].add(first)
        elif first in facts:
            found["named"].add(first)
        elif first in GROUPS and rest:
            found[first].add(rest.partition(".")[0])
        else:
            found["unknown"].add(path)
    if needs.everything:
        found["names"] |= _READERS.keys()
        found["named"] |= facts.keys()
    return Reads(
        names=frozenset(found["names"]),
        headers=frozenset(found["header"]),
        queries=frozenset(found["query"]),
        cookies=frozenset(found["cookie"]),
        params=frozenset(found["param"]),
        named=frozenset(facts[name] for name in found["named"]),
        unknown=frozenset(found["unknown"]),
        clock=needs.time or needs.everything,
        everything=needs.everything,
    )


def facts_of(named: Iterable[NamedFact]) -> tuple[tuple[str, ...], Callable[[View], tuple[str | None, ...]]]:
    """The names of the facts that a provider is told, the key first, and the function that gathers their values."""
    facts = tuple(named)
    readers = (_key, *(_BY_SOURCE[fact.source](fact.of) for fact in facts))
    return (KEY, *(fact.name for fact in facts)), lambda view: tuple([read(view) for read in readers])


def context_of(reads: Reads) -> Context:
    """The function that makes the context of a request."""
    singles = tuple((name, _READERS[name]) for name in sorted(reads.names))
    singles += tuple((fact.name, _BY_SOURCE[fact.source](fact.of)) for fact in sorted(reads.named))
    groups = tuple(_groups(reads))

    def context(view: View) -> Mapping[str, Any]:
        made: dict[str, Any] = {name: read(view) for name, read in singles}
        for group, readers in groups:
            made[group] = {name: read(view) for name, read in readers}
        return made

    return context


def _groups(reads: Reads) -> Iterable[tuple[str, tuple[tuple[str, Read], ...]]]:
    sets = (reads.headers, reads.queries, reads.cookies, reads.params)
    for group, names in zip(GROUPS, sets, strict=True):
        if names:
            yield group, tuple((name, _BY_SOURCE[group](name)) for name in sorted(names))


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode("utf-8", "backslashreplace")


def _header(name: str) -> Read:
    wanted = name.lower().encode()
    return lambda view: _text(view.get(wanted))


def _query(name: str) -> Read:
    read = query_reader(name)
    return lambda view: _text(read(view.query))


def _cookie(name: str) -> Read:
    read = cookie_reader(name)
    return lambda view: _text(read(view.facts))


def _param(name: str) -> Read:
    return lambda view: _text(view.param(name))


_BY_SOURCE: Mapping[str, Callable[[str], Read]] = {
    "header": _header,
    "query": _query,
    "cookie": _cookie,
    "param": _param,
}


def _key(view: View) -> str | None:
    key = view.key()
    return None if key is None else _text(key[1])


_READERS: Mapping[str, Read] = {
    KEY: _key,
    "method": lambda view: _text(view.method),
    "path": lambda view: _text(view.path),
    "host": lambda view: _text(bare_host(view.host)),
    "client": lambda view: view.client,
}
NAMES = (*_READERS, *(f"{group}.NAME" for group in GROUPS))
"""For messages: all that a request has."""
RESERVED = frozenset({*_READERS, *GROUPS, "$flagd"})
"""Names that no fact may be given."""
