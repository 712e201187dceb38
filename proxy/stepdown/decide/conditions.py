"""Conditions: a `spec.Match` compiled to tests of a request, each with the sentence that says what it wants."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator

from stepdown.decide import spec
from stepdown.decide.facts import Facts
from stepdown.decide.hosts import bare_host, host_holds
from stepdown.decide.paths import Template, split_path

Test = Callable[[Facts], bool]


class Digests:
    """SHA-256 of header values, each distinct value's once while there is room for it."""

    ROOM = 4096
    """Values kept; when they are more, all are forgotten, so a flood of keys costs time but no memory."""

    def __init__(self) -> None:
        self._known: dict[bytes, str] = {}

    def hex(self, value: bytes) -> str:
        """The digest in lower-case hexadecimal digits."""
        digest = self._known.get(value)
        if digest is None:
            if len(self._known) >= self.ROOM:
                self._known.clear()
            digest = self._known[value] = hashlib.sha256(value).hexdigest()
        return digest


class Condition:
    """All tests of one match; one without tests holds always."""

    __slots__ = ("_sentences", "_tests", "always")

    def __init__(self, match: spec.Match, digests: Digests) -> None:
        compiled = list(_compile(match, digests))
        self._tests = tuple(test for test, _ in compiled)
        self._sentences = tuple(sentence for _, sentence in compiled)
        self.always = not compiled

    def holds(self, facts: Facts) -> bool:
        """Whether every test holds."""
        for test in self._tests:  # noqa: SIM110 - a generator would cost more than the tests
            if not test(facts):
                return False
        return True

    def failed(self, facts: Facts) -> str | None:
        """What the first test that does not hold wanted; `None` if all hold."""
        for test, sentence in zip(self._tests, self._sentences, strict=True):
            if not test(facts):
                return sentence
        return None

    def __str__(self) -> str:
        return " and ".join(self._sentences) or "always"


def _compile(match: spec.Match, digests: Digests) -> Iterator[tuple[Test, str]]:
    if match.methods:
        yield _method_test(match.methods), f"the method is {_one_of(match.methods)}"
    if match.hosts:
        yield _host_test(match.hosts), f"the host is {_one_of(match.hosts)}"
    if match.path is not None:
        yield _path_test(match.path), f"the path is {match.path}"
    if match.path_prefix is not None:
        yield _prefix_test(match.path_prefix), f"the path is under {match.path_prefix}"
    for header in match.headers:
        yield _header_test(header, digests), _header_sentence(header)


def _method_test(methods: tuple[str, ...]) -> Test:
    wanted = frozenset(method.encode() for method in methods)
    return lambda facts: facts.method in wanted


def _host_test(hosts: tuple[str, ...]) -> Test:
    wanted = tuple(host.encode() for host in hosts)

    def test(facts: Facts) -> bool:
        host = bare_host(facts.host)
        return any(host_holds(host, one) for one in wanted)

    return test


def _path_test(path: str) -> Test:
    template = Template.parse(path)
    if not template.names:
        exact = path.encode()
        return lambda facts: facts.path == exact
    return lambda facts: template.fits(split_path(facts.path))


def _prefix_test(prefix: str) -> Test:
    template = Template.parse(prefix.rstrip("/"))
    return lambda facts: template.begins(split_path(facts.path))


def _header_test(header: spec.HeaderMatch, digests: Digests) -> Test:
    name = header.name.encode()
    if header.equals is not None:
        exact = header.equals.encode()
        return lambda facts: facts.get(name) == exact
    if header.sha256 is not None:
        digest = header.sha256.lower()
        return lambda facts: (value := facts.get(name)) is not None and digests.hex(value) == digest
    if header.any_of:
        values = frozenset(value.encode() for value in header.any_of)
        return lambda facts: facts.get(name) in values
    if header.prefix is not None:
        prefix = header.prefix.encode()
        return lambda facts: (value := facts.get(name)) is not None and value.startswith(prefix)
    exists = header.exists is not False
    return lambda facts: (facts.get(name) is not None) is exists


def _header_sentence(header: spec.HeaderMatch) -> str:
    if header.equals is not None:
        return f"header {header.name} is {header.equals!r}"
    if header.sha256 is not None:
        return f"header {header.name} has the SHA-256 {header.sha256[:8]}..."
    if header.any_of:
        return f"header {header.name} is {_one_of(header.any_of)}"
    if header.prefix is not None:
        return f"header {header.name} begins with {header.prefix!r}"
    return f"header {header.name} is {'absent' if header.exists is False else 'present'}"


def _one_of(names: tuple[str, ...]) -> str:
    return names[0] if len(names) == 1 else f"one of {', '.join(names)}"
