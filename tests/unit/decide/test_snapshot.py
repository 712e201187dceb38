"""A whole snapshot: its versions, its look-up, and what it costs to have many routes."""

from __future__ import annotations

import pytest

from stepdown.decide import spec
from stepdown.decide.snapshot import VersionKey, compile_snapshot
from tests.kit import specs
from tests.kit.request import request


def two_models() -> spec.SnapshotSpec:
    fraud = spec.Model(name="fraud", default_version="1.0.0", latest="1.0.0", versions=(specs.version("1.0.0", 3),))
    return specs.snapshot(
        specs.route({"1.0.0": 1}, match=spec.Match(path="/m/{version}/infer"), version_param="version"),
        spec.Route(
            name="f",
            match=spec.Match(path="/fraud"),
            model="fraud",
            rules=(spec.Rule(name="all", split=(("1.0.0", 1),)),),
        ),
        models=[specs.model(specs.version("1.0.0", 1), specs.version("2.0.0", 2)), fraud],
    )


def test_versions_of_all_models_are_numbered_in_one_row() -> None:
    snapshot = compile_snapshot(two_models())
    assert snapshot.versions == (VersionKey("m", "1.0.0"), VersionKey("m", "2.0.0"), VersionKey("fraud", "1.0.0"))
    matched = snapshot.match(request("/fraud"))
    assert matched is not None
    route, params = matched
    choice = route.choose(request("/fraud"), params, None, "", [False, False, True], lambda: 0)
    assert snapshot.versions[choice.served_index] == VersionKey("fraud", "1.0.0")


def test_a_match_gives_the_route_and_the_values_of_its_names() -> None:
    snapshot = compile_snapshot(two_models())
    assert snapshot.match(request("/m/1/infer")) == (snapshot.routes[0], (b"1",))
    assert snapshot.routes[0].param_names == ("version",)
    assert snapshot.match(request("/elsewhere")) is None


def test_a_snapshot_compiles_from_what_travels() -> None:
    travelled = spec.decode(spec.encode(two_models()))
    assert [route.name for route in compile_snapshot(travelled).routes] == ["r", "f"]


def test_a_route_of_a_model_that_does_not_exist_is_not_compiled() -> None:
    with pytest.raises(LookupError):
        compile_snapshot(specs.snapshot(specs.route({"1.0.0": 1}), models=[]))


def test_many_models_share_the_room_for_remembered_pins() -> None:
    one = specs.version("1.0.0", 1)
    models = [
        spec.Model(name=f"m{number}", default_version="1.0.0", latest="1.0.0", versions=(one,))
        for number in range(1000)
    ]
    snapshot = compile_snapshot(specs.snapshot(models=models))
    pins = snapshot.models["m7"].pins
    for number in range(100):
        pins.read(f"1.{number}".encode())
    assert len(pins._read) <= 16
