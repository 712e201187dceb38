"""Names of endpoints: what they may lead to, and what happens while nobody can say."""

import asyncio
import socket
from typing import Any

import pytest

from stepdown.decide.spec import Endpoint, Tls
from stepdown.errors import ConfigError, UpstreamConnectError
from stepdown.plane import connect
from stepdown.plane.connect import Connector


class Names(asyncio.SelectorEventLoop):
    """A loop that answers look-ups from a list; an entry that is an error is raised."""

    def __init__(self, *answers: list[str] | OSError) -> None:
        super().__init__()
        self.answers = list(answers)

    async def getaddrinfo(self, host: Any, port: Any, **_options: Any) -> list[Any]:
        answer = self.answers.pop(0)
        if isinstance(answer, OSError):
            raise answer
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in answer]


def connector(host: str = "churn.internal", port: int = 1) -> Connector:
    return Connector(Endpoint(id=f"http://{host}:{port}", host=host, port=port))


def addresses(loop: Names, found: Connector, times: int) -> list[str]:
    async def ask() -> list[str]:
        return [await found._address(loop) for _ in range(times)]

    try:
        return loop.run_until_complete(ask())
    finally:
        loop.close()


def test_all_addresses_of_a_name_are_used_in_turn_and_looked_up_once() -> None:
    assert sorted(addresses(Names(["127.0.0.1", "127.0.0.2", "127.0.0.1"]), connector(), 4)) == [
        "127.0.0.1",
        "127.0.0.1",
        "127.0.0.2",
        "127.0.0.2",
    ]


def test_while_a_name_cannot_be_looked_up_again_the_last_good_answer_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connect, "ADDRESS_SECONDS", -1.0)
    assert addresses(Names(["127.0.0.7"], socket.gaierror(-2, "unknown")), connector(), 2) == ["127.0.0.7"] * 2


def test_a_name_that_leads_only_to_link_local_addresses_is_refused() -> None:
    with pytest.raises(UpstreamConnectError, match="link-local"):
        addresses(Names(["169.254.169.254", "fe80::1%eth0"]), connector(), 1)


def test_link_local_addresses_among_others_are_left_out() -> None:
    assert addresses(Names(["169.254.169.254", "127.0.0.3"]), connector(), 2) == ["127.0.0.3"] * 2


def test_an_address_that_the_file_names_itself_is_used_whatever_it_is() -> None:
    assert addresses(Names(), connector("169.254.1.1"), 1) == ["169.254.1.1"]


def test_a_name_that_nobody_knows_is_an_error_that_says_so() -> None:
    loop = Names(socket.gaierror(-2, "Name or service not known"))
    try:
        with pytest.raises(UpstreamConnectError, match="its name is unknown: Name or service not known"):
            loop.run_until_complete(connector().open(asyncio.Protocol, 1.0))
    finally:
        loop.close()


def test_a_file_of_authorities_that_cannot_be_read_is_a_mistake_in_the_configuration() -> None:
    endpoint = Endpoint(id="https://a", host="a", port=1, tls=Tls(ca_file="/nowhere/ca.pem"))
    with pytest.raises(ConfigError, match=r"ca_file '/nowhere/ca\.pem' cannot be used"):
        Connector(endpoint)
