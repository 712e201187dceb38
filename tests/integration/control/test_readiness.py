"""What endpoints have to show before their colour is switched to: with TLS, with probes, and when they lie."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path

import trustme

from stepdown.control.probes import Prober
from stepdown.control.readiness import Shown, show, why_not
from stepdown.decide.colours import Server
from stepdown.decide.spec import HealthCheck, SnapshotSpec, Tls
from tests.kit.looping import LoopThread
from tests.kit.specs import endpoint, model, snapshot, version
from tests.kit.upstream import OK, Upstream, serve

PROBED = HealthCheck(path="/ready", metadata_path="/meta", interval=0.02, timeout=1.0)


def asked(spec: SnapshotSpec, *, ready: int = 2, within: float = 10.0) -> tuple[Shown, ...]:
    """What the endpoints of the only version show to a prober that has just begun."""

    async def work() -> tuple[Shown, ...]:
        prober = Prober(lambda: None)
        prober.watch(spec)
        (one,) = spec.models[0].versions
        servers = [Server(f"m/1.0.0/{each.id}", each, one.health) for each in one.endpoints]
        try:
            return await show(servers, prober, ready=ready, within=within)
        finally:
            await prober.close()

    return asyncio.run(work())


def test_a_server_that_is_another_than_the_file_means_is_told_at_once() -> None:
    body = b'{"model_version": "old"}'
    metadata = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    with LoopThread() as thread, Upstream(thread, serve(metadata)) as server:
        one = endpoint(server.port, expect=(("model_version", "new"),))
        (shown,) = asked(snapshot(models=[model(version("1.0.0", endpoints=(one,), health=PROBED))]))
    assert (shown.ready, shown.passed) == (False, 0)
    assert shown.saw == "it claims model_version old, where the file expects new"
    (sentence,) = why_not([shown], 2, 10.0)
    assert sentence.endswith("passed 0 of 2 checks in a row within 10 s; the last one: " + shown.saw)


def test_probes_in_a_row_are_waited_for() -> None:
    with LoopThread() as thread, Upstream(thread, serve(OK)) as server:
        spec = snapshot(models=[model(version("1.0.0", server.port, health=PROBED))])
        (shown,) = asked(spec, ready=4)
    assert (shown.ready, shown.passed >= 4) == (True, True)
    assert why_not([shown], 4, 10.0) == []


def test_connections_by_tls_are_made_as_the_file_says(tmp_path: Path) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("model.internal").configure_cert(context)

    async def work() -> tuple[Shown, Shown]:
        server = await asyncio.start_server(lambda _reader, writer: writer.close(), "127.0.0.1", 0, ssl=context)
        port = server.sockets[0].getsockname()[1]
        trusting = Tls(ca_file=str(tmp_path / "ca.pem"), server_name="model.internal")
        found = []
        for tls, within in ((trusting, 10.0), (Tls(server_name="model.internal"), 0.3)):
            one = endpoint(port, tls=tls)
            servers = [Server("m/1.0.0/a", one, HealthCheck())]
            found += await show(servers, Prober(lambda: None), ready=3, within=within)
        server.close()
        return found[0], found[1]

    trusted, stranger = asyncio.run(work())
    assert (trusted.ready, trusted.passed, trusted.saw) == (True, 3, "it accepts connections")
    assert not stranger.ready
    assert "certificate" in stranger.saw.lower()
