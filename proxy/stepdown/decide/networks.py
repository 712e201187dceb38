"""Addresses and networks: whether an address is in one of many networks, at the cost of a look-up or two."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Address, ip_address, ip_network

Address = tuple[int, int]
"""Version (4 or 6) and number. An IPv4 address that is written as one of IPv6 (`::ffff:10.0.0.1`) is one of IPv4."""


class Addresses:
    """Addresses by their text, each distinct one read once while there is room for it."""

    ROOM = 4096
    """Texts kept; when they are more, all are forgotten. What longer ones than an address may be are not kept."""
    _LONGEST = 64

    def __init__(self) -> None:
        self._known: dict[str, Address | None] = {}

    def read(self, text: str) -> Address | None:
        """The address; `None` where the text is none."""
        try:
            return self._known[text]
        except KeyError:
            address = _parse(text) if len(text) <= self._LONGEST else None
        if len(self._known) >= self.ROOM:
            self._known.clear()
        if len(text) <= self._LONGEST:
            self._known[text] = address
        return address


def _parse(text: str) -> Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return address.version, int(address)


class Networks:
    """Networks by the number of bits that stand for hosts."""

    __slots__ = ("_by_bits",)

    def __init__(self, networks: Iterable[str]) -> None:
        """Takes CIDR forms, without bits of hosts set; raises `ValueError`."""
        by_bits: dict[int, dict[int, set[int]]] = {4: {}, 6: {}}
        for text in networks:
            network = ip_network(text)
            bits = network.max_prefixlen - network.prefixlen
            version = 4 if isinstance(network, IPv4Network) else 6
            by_bits[version].setdefault(bits, set()).add(int(network.network_address) >> bits)
        self._by_bits = {version: tuple(found.items()) for version, found in by_bits.items()}

    def hold(self, address: Address) -> bool:
        """Whether the address is in one of them."""
        version, number = address
        for bits, starts in self._by_bits[version]:  # noqa: SIM110 - a generator would cost more than the test
            if number >> bits in starts:
                return True
        return False
