from __future__ import annotations

import os
import socket
import subprocess
import sys

import pytest

from stepdown.process import ports

LOOPBACK = ("127.0.0.1", 0)


def close(sockets: list[socket.socket]) -> None:
    for opened in sockets:
        opened.close()


def test_one_socket_for_each_worker_on_one_free_port() -> None:
    sockets = ports.bind("listen", LOOPBACK, 3)
    assert len({opened.getsockname() for opened in sockets}) == 1
    assert sockets[0].getsockname()[1] != 0
    close(sockets)


def test_connections_are_queued_before_anybody_accepts() -> None:
    (listening,) = ports.bind("listen", LOOPBACK)
    with socket.create_connection(listening.getsockname()) as client:
        accepted, address = listening.accept()
        assert address == client.getsockname()
        accepted.close()
    listening.close()


def test_a_taken_port_is_named_with_the_process_that_has_it() -> None:
    with socket.create_server(LOOPBACK) as other:
        port = other.getsockname()[1]
        with pytest.raises(ports.PortError) as refused:
            ports.bind("admin", ("127.0.0.1", port))
    assert f"admin: port {port} on 127.0.0.1 is taken by process {os.getpid()} (" in str(refused.value)


def test_a_second_sidecar_cannot_share_the_port_of_the_first() -> None:
    first = ports.bind("listen", LOOPBACK, 2)
    with pytest.raises(ports.PortError, match="is taken"):
        ports.bind("listen", first[0].getsockname(), 2)
    close(first)


def test_a_port_is_free_again_when_only_old_connections_linger_on_it() -> None:
    (listening,) = ports.bind("listen", LOOPBACK)
    address = listening.getsockname()
    with socket.create_connection(address):
        accepted, _ = listening.accept()
        accepted.close()  # the server closes first: its side of the connection is what lingers
    listening.close()
    close(ports.bind("listen", address, 2))


def test_an_address_of_another_machine_is_refused_with_the_systems_reason() -> None:
    with pytest.raises(ports.PortError, match=r"status: 192\.0\.2\.1:9 cannot be bound: Cannot assign"):
        ports.bind("status", ("192.0.2.1", 9))


def test_a_name_that_does_not_resolve_is_refused() -> None:
    with pytest.raises(ports.PortError, match=r"listen: no-such-host\.invalid:80: "):
        ports.bind("listen", ("no-such-host.invalid", 80))


def test_all_addresses_are_meant_by_an_empty_host() -> None:
    (listening,) = ports.bind("listen", ("0.0.0.0", 0))
    with socket.create_connection(("127.0.0.1", listening.getsockname()[1])):
        pass
    listening.close()


def test_the_owner_is_found_in_another_process() -> None:
    code = "import socket; s = socket.create_server(('127.0.0.1', 0)); print(s.getsockname()[1], flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        port = int(other.stdout.readline())
        found = ports.owner(port)
        other.communicate("\n")
    assert found is not None
    assert found.pid == other.pid
    assert found.command.startswith("python")
    assert "import" not in found.command, "its arguments may be secrets"


def test_nobody_owns_a_free_port() -> None:
    with socket.create_server(LOOPBACK) as other:
        port = other.getsockname()[1]
    assert ports.owner(port) is None
