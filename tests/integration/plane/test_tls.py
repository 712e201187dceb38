"""Endpoints behind TLS: trusted, not trusted, of another name, expired, silent, and not speaking TLS at all."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
import trustme

from stepdown.decide.spec import SnapshotSpec, Timeouts, Tls
from tests.kit import specs
from tests.kit.client import Client, Response
from tests.kit.looping import LoopThread
from tests.kit.sidecar import Sidecar
from tests.kit.upstream import OK, Peer, Upstream, serve

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
AUTHORITY = trustme.CA()


def server_side(certificate: trustme.LeafCert) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return context


def to(port: int, tls: Tls, **timeouts: float) -> SnapshotSpec:
    endpoint = specs.endpoint(port, id=f"https://127.0.0.1:{port}", tls=tls)
    return specs.plain(endpoints=(endpoint,), route_options={"timeouts": Timeouts(**timeouts)})


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> str:
    file = Path(tmp_path_factory.mktemp("tls")) / "ca.pem"
    AUTHORITY.cert_pem.write_to_path(file)
    return str(file)


@contextmanager
def upstream(tls: ssl.SSLContext | None) -> Iterator[tuple[LoopThread, Upstream]]:
    with LoopThread() as thread, Upstream(thread, serve(OK), tls=tls) as server:
        yield thread, server
        thread.errors.clear()  # asyncio's server tells its handler of every handshake that its peer gave up


def ask(thread: LoopThread, spec: SnapshotSpec) -> Response:
    with Sidecar(thread, spec) as sidecar, Client(sidecar.port) as client:
        client.send(GET)
        return client.response("GET")


def test_an_endpoint_whose_certificate_is_trusted_is_spoken_to_through_tls(authority: str) -> None:
    with upstream(server_side(AUTHORITY.issue_cert("127.0.0.1"))) as (thread, server):
        response = ask(thread, to(server.port, Tls(ca_file=authority)))
        assert (response.status, response.body) == (200, b"ok")
        assert server.peers[0].requests[0].method == b"GET"


def test_the_name_to_expect_in_the_certificate_can_be_told(authority: str) -> None:
    with upstream(server_side(AUTHORITY.issue_cert("churn.internal"))) as (thread, server):
        assert ask(thread, to(server.port, Tls(ca_file=authority, server_name="churn.internal"))).status == 200


EXPIRED = AUTHORITY.issue_cert("127.0.0.1", not_after=datetime(2020, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize(
    ("certificate", "reason"),
    [
        (trustme.CA().issue_cert("127.0.0.1"), b"certificate is not trusted"),
        (AUTHORITY.issue_cert("other.internal"), b"mismatch"),
        (EXPIRED, b"expired"),
    ],
    ids=["unknown authority", "another name", "expired"],
)
def test_an_endpoint_that_cannot_be_trusted_is_a_502_that_says_why_and_gets_no_request(
    authority: str, certificate: trustme.LeafCert, reason: bytes
) -> None:
    with upstream(server_side(certificate)) as (thread, server):
        response = ask(thread, to(server.port, Tls(ca_file=authority)))
        assert response.status == 502
        assert response.get(b"x-stepdown-error") == b"upstream-connect"
        assert reason in response.body
        assert not any(peer.requests for peer in server.peers)


def test_without_verification_any_certificate_will_do() -> None:
    with upstream(server_side(trustme.CA().issue_cert("other.internal"))) as (thread, server):
        assert ask(thread, to(server.port, Tls(verify=False))).status == 200


def test_an_endpoint_that_does_not_speak_tls_is_a_502(authority: str) -> None:
    async def plain(peer: Peer) -> None:
        await peer.send(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
        peer.fin()

    with LoopThread() as thread, Upstream(thread, plain) as server:
        response = ask(thread, to(server.port, Tls(ca_file=authority)))
        assert response.status == 502
        assert b"TLS failed" in response.body


def test_an_endpoint_that_is_silent_in_the_handshake_is_a_504(authority: str) -> None:
    async def silent(_peer: Peer) -> None:
        return

    with LoopThread() as thread, Upstream(thread, silent) as server:
        response = ask(thread, to(server.port, Tls(ca_file=authority), connect=0.2))
        assert response.status == 504
        assert response.get(b"x-stepdown-error") == b"upstream-timeout"


def test_an_endpoint_that_closes_in_the_handshake_is_a_502_that_says_so(authority: str) -> None:
    async def closing(peer: Peer) -> None:
        peer.fin()

    with LoopThread() as thread, Upstream(thread, closing) as server:
        response = ask(thread, to(server.port, Tls(ca_file=authority)))
        assert response.status == 502
        assert b"it closed the connection" in response.body
