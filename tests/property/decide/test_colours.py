"""Whatever is switched by hand and edited in the file, in whatever order: what is in force is file plus overlay."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as some

from stepdown.decide.colours import BACK, NOTHING_SWITCHED, kept, overlaid, places, with_switch
from stepdown.decide.spec import Colours, Rule, SnapshotSpec
from tests.kit.specs import endpoint, model, route, snapshot, version

NAMES = ("blue", "green")
PLACES = ("r", "m/1.0.0")
STEPS = some.lists(
    some.one_of(
        some.tuples(some.sampled_from(PLACES), some.sampled_from([*NAMES, BACK])),
        some.tuples(some.just("file"), some.tuples(some.sampled_from(NAMES), some.sampled_from(NAMES))),
    ),
    max_size=12,
)


def file(route_colour: str, version_colour: str) -> SnapshotSpec:
    """A file that declares these two."""
    blue, green = (endpoint(1),), (endpoint(2),)
    active, idle = (blue, green) if version_colour == "blue" else (green, blue)
    one = version(
        "1.0.0",
        endpoints=active,
        idle=idle,
        colours=Colours(names=NAMES, active=version_colour, declared=version_colour),
    )
    split = (("1.0.0", int(route_colour == "blue")), ("2.0.0", int(route_colour == "green")))
    rule = Rule(name="all", split=split, colours=Colours(names=NAMES, active=route_colour, declared=route_colour))
    return snapshot(route({}, rules=(rule,)), models=[model(one, version("2.0.0", 3))])


@settings(max_examples=100)
@given(steps=STEPS)
def test_the_last_word_counts_of_a_hand_and_of_a_file_that_says_something_new(steps) -> None:
    declared = dict.fromkeys(PLACES, "blue")
    expected, before = dict(declared), dict.fromkeys(PLACES, None)
    spec, overlay = file("blue", "blue"), NOTHING_SWITCHED
    for place, what in steps:
        if place == "file":
            for name, colour in zip(PLACES, what, strict=True):
                if colour != declared[name]:
                    expected[name], before[name] = colour, None
                declared[name] = colour
            overlay, _dropped = kept(overlay, file(*what))
            spec = overlaid(file(*what), overlay)
        else:
            colour = before[place] if what == BACK else what
            if colour is None or colour == expected[place]:
                continue
            if what != BACK:
                before[place] = expected[place]
            expected[place] = colour
            overlay = with_switch(overlay, places(spec)[place], colour, back=what == BACK, by="ops", when=0)
            spec = overlaid(spec, overlay)
        assert {name: one.colours.active for name, one in places(spec).items()} == expected
        assert {name: one.before for name, one in overlay.switched.items()} == {
            name: colour for name, colour in before.items() if colour is not None
        }
        assert overlaid(spec, NOTHING_SWITCHED) == file(*declared.values())
