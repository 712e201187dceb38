"""Tests of one value: what an operator of a condition means, for bytes that any client may have chosen.

Each function takes what is wanted and returns a test of bytes. Tests that cost more than a comparison remember what
they said about short values, up to a bound. Regular expressions are RE2's, whose time is linear in the value's length
whatever the pattern is; where none is configured, its module is not imported.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from stepdown.decide.networks import Addresses, Networks
from stepdown_adapters.versions import Range, Version, VersionError

Value = TypeVar("Value", bytes, str)
ValueTest = Callable[[bytes], bool]

_ROOM = 1024
_LONGEST = 200
"""Values of more bytes are tested each time: what is remembered has to stay small."""


def remembered(test: Callable[[Value], bool]) -> Callable[[Value], bool]:
    """The same test, which is asked once about each value while there is room for it.

    What is known is found without a call in Python, which most such tests are not worth.
    """
    return _Remembered(test).__getitem__


class _Remembered(dict[Value, bool]):
    """What a test has said, by value."""

    __slots__ = ("_test",)

    def __init__(self, test: Callable[[Value], bool]) -> None:
        super().__init__()
        self._test: Callable[[Value], bool] = test

    def __missing__(self, value: Value) -> bool:
        holds = self._test(value)
        if len(value) <= _LONGEST:
            if len(self) >= _ROOM:
                self.clear()
            self[value] = holds
        return holds


def regex_test(pattern: str) -> ValueTest:
    """Whether the whole value matches; raises `ValueError` with the engine's message where the pattern is wrong."""
    import re2  # noqa: PLC0415 - see the head of the file

    options = re2.Options()
    options.log_errors = False
    try:
        match = re2.compile(pattern.encode(), options).fullmatch
    except re2.error as error:
        (message,) = error.args
        raise ValueError(message.decode("utf-8", "replace") if isinstance(message, bytes) else message) from None
    return remembered(lambda value: match(value) is not None)


def semver_test(text: str) -> ValueTest:
    """Whether the value is a complete version in this range; raises `VersionError`."""
    wanted = Range.parse(text)

    def test(value: bytes) -> bool:
        try:
            return wanted.allows(Version.parse(value.decode("latin-1")))
        except VersionError:
            return False

    return remembered(test)


def cidr_test(networks: tuple[str, ...], addresses: Addresses) -> ValueTest:
    """Whether the value is an address in one of these networks; raises `ValueError`."""
    compiled = Networks(networks)

    def test(value: bytes) -> bool:
        address = addresses.read(value.decode("latin-1"))
        return address is not None and compiled.hold(address)

    return test
