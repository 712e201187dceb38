"""Leaves of conditions compiled to tests: a function for each kind of leaf, which returns a closure.

Tests of a head take whatever has a head's members, so they run on a head as well as on a view. All others take a view.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple, TypeVar

import mmh3

from stepdown.decide.digests import Digests
from stepdown.decide.facts import Facts
from stepdown.decide.hosts import bare_host, host_holds
from stepdown.decide.keysets import KeySet
from stepdown.decide.networks import Addresses, Networks
from stepdown.decide.pairs import in_cookies, query_reader
from stepdown.decide.paths import Template, split_path
from stepdown.decide.pins import Pin
from stepdown.decide.texts import ValueTest, cidr_test, regex_test, remembered, semver_test
from stepdown.decide.view import View
from stepdown.decide.when import FieldIs, FlagIs, KeyList, Percent, PinIs, Scalar, TimeIn
from stepdown.decide.windows import window_test
from stepdown_adapters.versions import Range, Version

Test = Callable[[View], bool]
HeadTest = Callable[[Facts], bool]
Asked = TypeVar("Asked")


class Tools(NamedTuple):
    """What the tests of one snapshot share."""

    digests: Digests
    addresses: Addresses
    lists: Mapping[str, KeySet]
    """By digest."""

    def key_set(self, wanted: KeyList) -> KeySet:
        """A list of ids; raises `LookupError` where it is not at hand."""
        try:
            return self.lists[wanted.digest]
        except KeyError:
            raise LookupError(f"the list of ids {wanted.file} ({wanted.digest}) is not here") from None


# --- the head -------------------------------------------------------------------------------------------------------


def method_test(methods: tuple[str, ...]) -> HeadTest:
    """The method is one of these."""
    wanted = frozenset(method.encode() for method in methods)
    return lambda facts: facts.method in wanted


def host_test(hosts: tuple[str, ...]) -> HeadTest:
    """The host is one of these, or below one of them."""
    holds = host_value_test(hosts)
    return lambda facts: holds(facts.host)


def host_value_test(hosts: tuple[str, ...]) -> ValueTest:
    """Whether a host as it was sent is one of these, or below one of them."""
    wanted = tuple(host.encode() for host in hosts)

    def test(sent: bytes) -> bool:
        host = bare_host(sent)
        return any(host_holds(host, one) for one in wanted)

    return remembered(test)


def path_test(path: str) -> HeadTest:
    """The whole path is this, or fits this template."""
    template = Template.parse(path)
    if not template.names:
        exact = path.encode()
        return lambda facts: facts.path == exact
    return lambda facts: template.fits(split_path(facts.path))


def path_prefix_test(prefix: str) -> HeadTest:
    """The path begins with these whole segments."""
    template = Template.parse(prefix.rstrip("/"))
    return lambda facts: template.begins(split_path(facts.path))


def header_test(header: str, holds: ValueTest) -> HeadTest:
    """The header is there and its value passes a test."""
    name = header.encode()
    return lambda facts: (value := facts.get(name)) is not None and holds(value)


def header_exists_test(header: str, exists: bool) -> HeadTest:
    """The header is there, or is not."""
    name = header.encode()
    return lambda facts: (facts.get(name) is not None) is exists


def header_equals_test(header: str, value: str) -> HeadTest:
    """The header is exactly this."""
    name, exact = header.encode(), value.encode()
    return lambda facts: facts.get(name) == exact


# --- named parts ----------------------------------------------------------------------------------------------------


def value_test(field: FieldIs, tools: Tools) -> ValueTest:
    """What a field's condition wants of a value in bytes; raises `ValueError` or `LookupError` for what cannot be."""
    if field.equals is not None:
        exact = str(field.equals).encode()
        return lambda value: value == exact
    if field.any_of:
        wanted = frozenset(str(one).encode() for one in field.any_of)
        return lambda value: value in wanted
    if field.sha256:
        digests, known = frozenset(field.sha256), tools.digests
        return lambda value: known.hex(value) in digests
    if field.prefix is not None:
        prefix = field.prefix.encode()
        return lambda value: value.startswith(prefix)
    if field.suffix is not None:
        suffix = field.suffix.encode()
        return lambda value: value.endswith(suffix)
    if field.regex is not None:
        return regex_test(field.regex)
    if field.semver is not None:
        return semver_test(field.semver)
    if field.cidr:
        return cidr_test(field.cidr, tools.addresses)
    if field.key_in is not None:
        return tools.key_set(field.key_in).__contains__
    raise ValueError(f"the condition on {field.source} {field.name} says nothing")


def field_test(field: FieldIs, tools: Tools) -> Test:
    """The test of a named part of the request, wherever it is."""
    if field.source == "header":
        return _header_test(field, tools)
    if field.source == "json":
        return _json_test(field, tools)
    if field.source == "query":
        query_holds = query_value_test(field, tools)
        return lambda facts: query_holds(facts.query)
    if field.source == "cookie":
        cookies_hold = cookie_value_test(field, tools)
        return lambda facts: cookies_hold(facts.get(b"cookie") or b"")
    name = field.name
    return _present_test(lambda view: view.param(name), field, tools)


def query_value_test(field: FieldIs, tools: Tools) -> ValueTest:
    """The test of a parameter, of the whole query."""
    return remembered(_present_test(query_reader(field.name), field, tools))


def cookie_value_test(field: FieldIs, tools: Tools) -> ValueTest:
    """The test of a cookie, of a whole `Cookie` field."""
    return _present_test(in_cookies(field.name), field, tools)


def _present_test(read: Callable[[Asked], bytes | None], field: FieldIs, tools: Tools) -> Callable[[Asked], bool]:
    """The test of what is read; where there is nothing, only that it be absent holds."""
    if field.exists is not None:
        exists = field.exists
        return lambda asked: (read(asked) is not None) is exists
    if field.equals is not None or field.any_of:
        values = field.any_of if field.equals is None else (field.equals,)
        wanted = frozenset(str(one).encode() for one in values)
        return lambda asked: read(asked) in wanted
    holds = value_test(field, tools)
    return lambda asked: (value := read(asked)) is not None and holds(value)


def _header_test(field: FieldIs, tools: Tools) -> HeadTest:
    if field.exists is not None:
        return header_exists_test(field.name, field.exists)
    if isinstance(field.equals, str):
        return header_equals_test(field.name, field.equals)
    return header_test(field.name, value_test(field, tools))


def _json_test(field: FieldIs, tools: Tools) -> Test:
    pointer = tuple(token.replace("~1", "/").replace("~0", "~") for token in field.name.split("/")[1:])
    if field.exists is not None:
        exists = field.exists
        return lambda view: (view.field(pointer) is not None) is exists
    if field.equals is not None or field.any_of:
        is_one = _scalar_test(field.any_of if field.equals is None else (field.equals,))
        return lambda view: is_one(view.field(pointer))
    holds = value_test(field, tools)

    def test(view: View) -> bool:
        value = view.field(pointer)
        return isinstance(value, str) and holds(value.encode("utf-8", "surrogatepass"))

    return test


def _scalar_test(wanted: tuple[Scalar, ...]) -> Callable[[object], bool]:
    """Whether a value of JSON is one of these: text is no number, a number is no boolean, 1 is 1.0."""
    texts = frozenset(one for one in wanted if isinstance(one, str))
    booleans = frozenset(one for one in wanted if isinstance(one, bool))
    numbers = frozenset(one for one in wanted if not isinstance(one, str | bool))

    def test(value: object) -> bool:
        kind = type(value)
        if kind is str:
            return value in texts
        if kind is bool:
            return value in booleans
        return (kind is int or kind is float) and value in numbers

    return test


# --- who asks -------------------------------------------------------------------------------------------------------


def client_test(networks: tuple[str, ...], addresses: Addresses) -> Test:
    """The client's address is in one of these networks."""
    holds = client_value_test(networks, addresses)
    return lambda view: holds(view.client)


def client_value_test(networks: tuple[str, ...], addresses: Addresses) -> Callable[[str], bool]:
    """Whether a text is an address in one of these networks."""
    compiled, read = Networks(networks), addresses.read
    return remembered(lambda text: (address := read(text)) is not None and compiled.hold(address))


def pin_test(wanted: PinIs) -> Test:
    """What the client pins."""
    if wanted.semver is None:
        exists = wanted.exists is not False
        return lambda view: (view.pinned()[1] != "default") is exists
    allowed = Range.parse(wanted.semver)
    known: dict[Pin, bool] = {}  # a model has a pin for each set of its versions, so this is bounded

    def test(view: View) -> bool:
        pin = view.pinned()[0]
        holds = known.get(pin)
        if holds is None:
            newest = next(iter(pin.versions or pin.retired), None)
            holds = known[pin] = newest is not None and allowed.allows(Version.parse(newest))
        return holds

    return test


def time_test(window: TimeIn) -> Test:
    """It is in this window of time."""
    holds = window_test(window)
    return lambda view: holds(view.now)


def percent_test(wanted: Percent) -> Test:
    """The key is in a share of all keys."""
    threshold = round(wanted.share * 2**32)
    prefixes: dict[str, bytes] = {}  # one for each source of a key

    def test(view: View) -> bool:
        key = view.key()
        if key is None:
            return False
        prefix = prefixes.get(key[0])
        if prefix is None:
            prefix = prefixes[key[0]] = f"{wanted.salt}:{key[0]}:".encode()
        return mmh3.hash(prefix + key[1], 0, False) < threshold

    return test


def key_in_test(ids: KeySet) -> Test:
    """The key is in a list."""
    return lambda view: (key := view.key()) is not None and key[1] in ids


def flag_test(wanted: FlagIs) -> Test:
    """A flag is on, or has a variant."""
    name, variant = wanted.flag, wanted.variant
    if variant is None:
        return lambda view: (answer := view.flag(name)) is not None and answer.value is True
    return lambda view: (answer := view.flag(name)) is not None and answer.variant == variant
