"""A switch as the data plane sees it: another snapshot, in which everything that both have in common is kept."""

from __future__ import annotations

import pytest

from stepdown.decide.colours import NOTHING_SWITCHED, Overlay, Switched, overlaid
from stepdown.decide.spec import Chain, Colours, Rule, SnapshotSpec
from tests.kit.client import Client
from tests.kit.load import REQUEST
from tests.kit.looping import LoopThread
from tests.kit.sidecar import Sidecar
from tests.kit.specs import endpoint, model, route, snapshot, version
from tests.kit.upstream import Upstream, serve

COLOURS = Colours(names=("blue", "green"), active="blue", declared="blue")
GREEN = Switched(colour="green", declared="blue", before="blue", by="ops", when=1)
ANSWERS = {
    "blue": b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 6\r\n\r\n"blue"',
    "green": b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 7\r\n\r\n"green"',
}


def of_a_rule(blue: int, green: int) -> SnapshotSpec:
    rule = Rule(name="all", split=(("1.0.0", 1), ("2.0.0", 0)), colours=COLOURS)
    chains = (Chain(served="2.0.0", pinned="1.0.0", steps=()),)
    return snapshot(
        route({}, rules=(rule,)), models=[model(version("1.0.0", blue), version("2.0.0", green), chains=chains)]
    )


def of_a_version(blue: int, green: int) -> SnapshotSpec:
    one = version("1.0.0", blue, idle=(endpoint(green),), colours=COLOURS)
    return snapshot(route({"1.0.0": 1}), models=[model(one)])


@pytest.mark.parametrize(("make", "place"), [(of_a_rule, "r"), (of_a_version, "m/1.0.0")], ids=["rule", "version"])
def test_connections_of_both_colours_are_used_again_after_a_switch_and_back(make, place) -> None:
    with (
        LoopThread() as thread,
        Upstream(thread, serve(ANSWERS["blue"])) as blue,
        Upstream(thread, serve(ANSWERS["green"])) as green,
    ):
        spec = make(blue.port, green.port)
        with Sidecar(thread, spec) as sidecar, Client(sidecar.port) as client:
            for colour in ("blue", "green", "blue", "green"):
                overlay = Overlay(switched={place: GREEN}) if colour == "green" else NOTHING_SWITCHED
                sidecar.reload(overlaid(spec, overlay))
                client.send(REQUEST)
                assert client.response("POST").body.strip(b'"') == colour.encode()
            assert (len(blue.peers), len(green.peers)) == (1, 1)
            assert sidecar.metric("stepdown_upstream_connects_total", outcome="ok") == 2


def test_an_idle_colour_is_probed_shown_and_given_nothing() -> None:
    with LoopThread() as thread, Upstream(thread, serve(ANSWERS["blue"])) as blue, Upstream(thread) as green:
        spec = of_a_version(blue.port, green.port)
        keys = {colour: f"m/1.0.0/http://127.0.0.1:{one.port}" for colour, one in (("blue", blue), ("green", green))}
        with Sidecar(thread, spec) as sidecar, Client(sidecar.port) as client:
            assert sidecar.metric("stepdown_endpoint_ready", endpoint=keys["green"]) == 1
            thread.run(lambda: sidecar.plane.set_health({keys["green"]: False}))
            assert sidecar.metric("stepdown_endpoint_ready", endpoint=keys["green"]) == 0
            assert sidecar.metric("stepdown_endpoint_ready", endpoint=keys["blue"]) == 1
            thread.run(lambda: sidecar.plane.set_health({keys["blue"]: False}))
            for _ in range(3):
                client.send(REQUEST)
                assert client.response("POST").status == 503
            assert set(sidecar.status()["endpoints"]) == set(keys.values())
            assert green.peers == []
