"""Conditions compiled to Python: one closure for the whole, and a sentence for each part, for who asks why not."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from stepdown.decide import leaves, spec, when
from stepdown.decide.digests import Digests
from stepdown.decide.flag_view import NO_FLAGS, SnapshotFlags
from stepdown.decide.keysets import KeySet
from stepdown.decide.leaves import Test, Tools
from stepdown.decide.networks import Addresses
from stepdown.decide.sentences import sentence_of
from stepdown.decide.view import View


class _Part(NamedTuple):
    """A node of a condition with its test; `all_of` are the parts that all have to hold, if it is made of such."""

    node: when.When
    test: Test
    all_of: tuple[_Part, ...] = ()


class Condition:
    """A whole condition."""

    __slots__ = ("_root", "_segments", "always", "holds")

    def __init__(self, root: _Part, segments: Mapping[str, str]) -> None:
        self._root = root
        self._segments = segments
        self.always = root.node == when.EVERYONE
        """It has no tests."""
        self.holds: Callable[[Any], bool] = root.test
        """Whether it holds for a `View`; one that reads nothing but the head takes `Facts` too."""

    def failed(self, request: Any) -> str | None:
        """What the first part that does not hold wanted; `None` if the condition holds. Takes what `holds` takes."""
        if self.holds(request):
            return None
        part = self._root
        while part.all_of:
            part = next(one for one in part.all_of if not one.test(request))
        return sentence_of(part.node, self._segments)

    def __str__(self) -> str:
        return sentence_of(self._root.node, self._segments)


class Conditions:
    """Compiles the conditions of one snapshot; what they share (segments, digests, lists) is made once."""

    def __init__(
        self,
        segments: Iterable[when.Segment],
        digests: Digests,
        lists: Mapping[str, KeySet] | None = None,
        flags: SnapshotFlags = NO_FLAGS,
    ) -> None:
        """Raises `LookupError` for a segment or list that is missing, `ValueError` for segments in a circle."""
        self.flags = flags
        self.tools = Tools(digests, Addresses(), lists or {})
        self.segments = {segment.name: segment.when for segment in segments}
        """Their conditions by name."""
        self.written: dict[tuple[str, bool], Callable[[Any, str], bool | None]] = {}
        """What `picking` has written of them, for requests that are views and for heads."""
        self._sentences: dict[str, str] = {}
        self._tests: dict[str, Test] = {}
        self._open: list[str] = []
        for name in self.segments:
            self._segment(name)

    def condition(self, wanted: when.When) -> Condition:
        """Compile one; raises `LookupError` or `ValueError` for what `config` would have refused."""
        return Condition(self._compile(wanted), self._sentences)

    def _segment(self, name: str) -> Test:
        test = self._tests.get(name)
        if test is None:
            if name in self._open:
                raise ValueError(f"segments in a circle: {' -> '.join((*self._open, name))}")
            if name not in self.segments:
                raise LookupError(f"there is no segment {name}")
            self._open.append(name)
            test = self._tests[name] = self._compile(self.segments[name]).test
            self._open.pop()
            self._sentences[name] = sentence_of(self.segments[name], self._sentences)
        return test

    def _compile(self, node: when.When) -> _Part:
        match node:
            case when.All():
                parts = tuple(self._compile(one) for one in node.tests)
                return _Part(node, all_test(tuple(part.test for part in parts)), parts)
            case when.Any():
                return _Part(node, any_test(tuple(self._compile(one).test for one in node.tests)))
            case when.Not():
                test = self._compile(node.test).test
                return _Part(node, lambda view: not test(view))
            case when.InSegment():
                return _Part(node, self._segment(node.name))
            case _:
                return _Part(node, _leaf_test(node, self.tools))


def _leaf_test(leaf: when.When, tools: Tools) -> Test:
    match leaf:
        case when.MethodIs():
            return leaves.method_test(leaf.any_of)
        case when.HostIs():
            return leaves.host_test(leaf.any_of)
        case when.PathIs():
            return leaves.path_test(leaf.path)
        case when.PathUnder():
            return leaves.path_prefix_test(leaf.path)
        case when.FieldIs():
            return leaves.field_test(leaf, tools)
        case when.ClientIn():
            return leaves.client_test(leaf.networks, tools.addresses)
        case when.TimeIn():
            return leaves.time_test(leaf)
        case when.PinIs():
            return leaves.pin_test(leaf)
        case when.Percent():
            return leaves.percent_test(leaf)
        case when.KeyIn():
            return leaves.key_in_test(tools.key_set(leaf.ids))
        case when.FlagIs():
            return leaves.flag_test(leaf)
        case _:
            raise TypeError(f"{leaf!r} is no leaf")


def all_test(tests: tuple[Test, ...]) -> Test:
    """All of them hold; the usual numbers are written out, as a loop costs more than two tests of a header."""
    if len(tests) == 1:
        return tests[0]
    if len(tests) == 2:
        first, second = tests
        return lambda view: first(view) and second(view)
    if len(tests) == 3:
        one, two, three = tests
        return lambda view: one(view) and two(view) and three(view)

    def test(view: View) -> bool:
        for test in tests:  # noqa: SIM110 - a generator would cost more than the tests
            if not test(view):
                return False
        return True

    return test


def any_test(tests: tuple[Test, ...]) -> Test:
    """At least one of them holds."""
    if len(tests) == 1:
        return tests[0]
    if len(tests) == 2:
        first, second = tests
        return lambda view: first(view) or second(view)

    def test(view: View) -> bool:
        for test in tests:  # noqa: SIM110 - as above
            if test(view):
                return True
        return False

    return test


def match_condition(match: spec.Match, digests: Digests) -> Condition:
    """The condition of a match, which reads nothing but the head."""
    return Conditions((), digests).condition(when_of(match))


def when_of(match: spec.Match) -> when.All:
    """A match as a condition."""
    return when.All(tuple(_leaves_of(match)))


def _leaves_of(match: spec.Match) -> Iterator[when.When]:
    if match.methods:
        yield when.MethodIs(match.methods)
    if match.hosts:
        yield when.HostIs(match.hosts)
    if match.path is not None:
        yield when.PathIs(match.path)
    if match.path_prefix is not None:
        yield when.PathUnder(match.path_prefix)
    for header in match.headers:
        yield when.FieldIs(
            source="header",
            name=header.name,
            equals=header.equals,
            sha256=(header.sha256.lower(),) if header.sha256 is not None else (),
            any_of=header.any_of,
            prefix=header.prefix,
            exists=header.exists,
        )
