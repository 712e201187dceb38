"""What can be switched, what lies over the file, and for how long."""

from __future__ import annotations

import msgspec
import pytest
from msgspec.structs import replace

from stepdown.decide.colours import (
    NOTHING_SWITCHED,
    Overlay,
    Switched,
    kept,
    overlaid,
    places,
    told,
    with_switch,
)
from stepdown.decide.snapshot import compile_snapshot
from stepdown.decide.spec import Chain, Colours, Rule, SnapshotSpec, decode, encode
from stepdown.wire import parse_request
from tests.kit.specs import endpoint, model, route, snapshot, version

HEAD = parse_request(b"GET /x HTTP/1.1\r\nHost: a\r\n\r\n")


def colours(active: str = "blue", declared: str | None = None) -> Colours:
    return Colours(names=("blue", "green"), active=active, declared=declared or active)


def a_spec(declared: str = "blue") -> SnapshotSpec:
    """The route `r` between 1.0.0 (itself coloured) and 2.0.0; the route `plain` without colours."""
    coloured = version("1.0.0", 1, idle=(endpoint(2),), colours=colours())
    split = (("1.0.0", int(declared == "blue")), ("2.0.0", int(declared == "green")))
    rule = Rule(name="all", split=split, colours=colours(declared))
    chains = (Chain(served="2.0.0", pinned="1.0.0", steps=()),)
    return snapshot(
        route({}, rules=(rule,)),
        route({"2.0.0": 1}, name="plain"),
        models=[model(coloured, version("2.0.0", 3), chains=chains)],
    )


def switched(colour: str = "green", declared: str = "blue") -> Switched:
    return Switched(colour=colour, declared=declared, before="blue", by="ops", when=1)


def test_places_are_routes_and_versions_with_their_servers_by_colour() -> None:
    found = places(a_spec())
    assert list(found) == ["r", "m/1.0.0"]
    rule, servers = found["r"], found["m/1.0.0"]
    assert {name: side.version for name, side in rule.sides.items()} == {"blue": "1.0.0", "green": "2.0.0"}
    assert [server.key for server in rule.sides["green"].servers] == ["m/2.0.0/http://127.0.0.1:3"]
    assert [server.key for server in servers.sides["blue"].servers] == ["m/1.0.0/http://127.0.0.1:1"]
    assert [server.key for server in servers.sides["green"].servers] == ["m/1.0.0/http://127.0.0.1:2"]
    assert (rule.routes, servers.routes) == ({"r"}, {"r", "plain"})


def test_a_switched_rule_gives_everything_to_the_other_version() -> None:
    spec = overlaid(a_spec(), Overlay(switched={"r": switched()}))
    (rule,) = spec.routes[0].rules
    assert rule.split == (("1.0.0", 0), ("2.0.0", 1))
    assert rule.colours == colours("green", "blue")
    matched = compile_snapshot(spec).routes[0]
    assert matched.choose(HEAD, (), None, "", [True, True], lambda *_: 0, None).served == "2.0.0"


def test_a_switched_version_gives_its_other_endpoints_and_keeps_the_first_ones() -> None:
    spec = overlaid(a_spec(), Overlay(switched={"m/1.0.0": switched()}))
    one = spec.models[0].versions[0]
    assert ([e.port for e in one.endpoints], [e.port for e in one.idle]) == ([2], [1])
    assert places(spec)["m/1.0.0"].sides == places(a_spec())["m/1.0.0"].sides


def test_an_overlay_lies_over_the_file_whatever_lay_over_it_before() -> None:
    both = Overlay(switched={"r": switched(), "m/1.0.0": switched()})
    over = overlaid(a_spec(), both)
    assert overlaid(over, NOTHING_SWITCHED) == a_spec()
    assert overlaid(over, both) is over
    assert overlaid(a_spec(), NOTHING_SWITCHED) == a_spec()
    assert decode(encode(over)) == over


def test_a_switch_is_remembered_with_what_the_file_said_and_where_back_leads() -> None:
    spec = a_spec()
    first = with_switch(NOTHING_SWITCHED, places(spec)["r"], "green", back=False, by="ops", when=5)
    assert first == Overlay(
        revision=1,
        switched={"r": Switched(colour="green", declared="blue", before="blue", by="ops", when=5)},
    )
    back = with_switch(first, places(overlaid(spec, first))["r"], "blue", back=True, by="eve", when=6)
    assert (back.revision, back.switched["r"].colour, back.switched["r"].before) == (2, "blue", "blue")


def test_an_overlay_holds_while_the_file_says_what_it_said() -> None:
    overlay = Overlay(revision=3, switched={"r": switched()})
    assert kept(overlay, a_spec()) == (overlay, ())
    moved = replace(a_spec(), routes=a_spec().routes[:1])
    assert kept(overlay, moved) == (overlay, ())


@pytest.mark.parametrize(
    ("spec", "entry", "why"),
    [
        (a_spec("green"), switched("green", "blue"), "the file's active was changed from blue to green"),
        (a_spec("green"), switched("blue", "blue"), "the file's active was changed from blue to green"),
        (a_spec(), switched("red"), "the file has no colour red there any more"),
        (snapshot(models=[]), switched(), "the file has no colours there any more"),
    ],
    ids=["to the same", "to another", "colour", "place"],
)
def test_the_file_takes_a_switch_back(spec: SnapshotSpec, entry: Switched, why: str) -> None:
    left, dropped = kept(Overlay(revision=3, switched={"r": entry}), spec)
    assert left == Overlay(revision=4)
    assert [(one.place, one.why) for one in dropped] == [("r", why)]


def test_a_switch_moves_no_shape() -> None:
    """A range is resolved to what both colours reach, though the active one alone could give a newer shape."""
    for active in ("blue", "green"):
        spec = overlaid(a_spec(), Overlay(switched={"r": switched(active)}))
        ranged = parse_request(b"GET /x HTTP/1.1\r\nHost: a\r\nX-Model-Version: >=1\r\n\r\n")
        choice = compile_snapshot(spec).routes[0].choose(ranged, (), None, "", [True, True], lambda *_: 0, None)
        assert choice.pinned == "1.0.0"
        assert choice.served == {"blue": "1.0.0", "green": "2.0.0"}[active]


def test_a_pin_that_one_colour_reaches_only_is_served_by_it_whichever_is_active() -> None:
    exact = parse_request(b"GET /x HTTP/1.1\r\nHost: a\r\nX-Model-Version: 2.0.0\r\n\r\n")
    choice = compile_snapshot(a_spec()).routes[0].choose(exact, (), None, "", [True, True], lambda *_: 0, None)
    assert (choice.pinned, choice.served, choice.reason) == ("2.0.0", "2.0.0", "pin-forced")


def test_an_explanation_names_the_colours() -> None:
    spec = overlaid(a_spec(), Overlay(switched={"m/1.0.0": switched()}))
    one = compile_snapshot(spec).routes[0].explain(HEAD, (), None, "", [True, True], lambda *_: 0, None)
    assert (one.colour, one.server_colour) == ("blue", "green")
    said = "\n".join(one.sentences())
    assert "its colours are blue 1.0.0 (active) and green 2.0.0." in said
    assert "1.0.0 have the colours blue and green (active), switched by hand: the file says blue." in said


def test_words() -> None:
    assert told(colours()) == "blue (active) and green"


def test_an_overlay_is_read_strictly() -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(b'{"revision": 1, "rest": 2}', type=Overlay)
