"""Which shadows get a copy: conditions, exact shares, sticky keys, and never what the version itself serves."""

from __future__ import annotations

from typing import Any

import pytest

from stepdown.decide import spec
from stepdown.decide.mirror import NOTHING, Chosen, Mirror
from stepdown.decide.shadow_spec import Recording, Shadow
from stepdown.decide.snapshot import Route, compile_snapshot
from stepdown.decide.when import EVERYONE, FieldIs, PinIs, When
from tests.kit import specs
from tests.kit.request import request

BETA = FieldIs(source="header", name="x-plan", equals="beta")
OLD, NEW = "1.0.0", "2.0.0"


def routed(*shadows: Shadow, record: Recording | None = None, **options: Any) -> Route:
    """A route with a key, whose only rule gives everything to 1.0.0."""
    model = specs.model(specs.version(OLD, 1), specs.version(NEW, 2))
    key = (spec.KeySource(header="x-user-id"), spec.KeySource(cookie="uid"))
    route = specs.route({OLD: 1}, **{"key": key, "shadows": shadows, "record": record, **options})
    return compile_snapshot(specs.snapshot(route, models=[model])).routes[0]


def mirrored(*shadows: Shadow, **options: Any) -> Mirror:
    mirror = routed(*shadows, **options).mirror
    assert mirror is not None
    return mirror


def shadow(percent: float = 100.0, *, name: str = "next", when: When = EVERYONE, **options: Any) -> Shadow:
    return Shadow(**{"name": name, "version": NEW, "percent": percent, "when": when, **options})


def test_a_route_without_shadows_has_no_mirror() -> None:
    assert routed().mirror is None


def test_a_shadow_without_a_share_is_as_good_as_none() -> None:
    assert routed(shadow(0)).mirror is None
    assert mirrored(shadow(0), shadow(name="other")).choose(request(), OLD, None, [None] * 3).shadows == (1,)


def test_all_shadows_that_take_everything_get_every_request_but_those_of_their_own_version() -> None:
    mirror = mirrored(shadow(name="a"), shadow(name="b", version=OLD))
    samplers = mirror.samplers(1)
    assert mirror.choose(request(), "3.0.0", None, samplers) == Chosen((0, 1), False, ())
    assert mirror.choose(request(), OLD, None, samplers) == Chosen((0,), False, (1,))
    assert mirror.choose(request(), NEW, None, samplers) == Chosen((1,), False, (0,))


def test_an_idle_colour_gets_copies_of_what_the_active_one_serves() -> None:
    assert mirrored(shadow(idle=True)).choose(request(), NEW, None, [None, None]) == Chosen((0,))


def test_an_idle_colour_gets_nothing_of_what_other_versions_serve_and_its_share_is_of_the_others() -> None:
    assert mirrored(shadow(idle=True)).choose(request(), OLD, None, [None, None]) == NOTHING
    mirror = mirrored(shadow(20, idle=True), shadow(name="b"))
    samplers = mirror.samplers(1)
    chosen = [mirror.choose(request(), NEW if place % 2 else OLD, None, samplers) for place in range(100)]
    assert sum(0 in one.shadows for one in chosen[1::2]) == 10
    assert all(one == Chosen((1,)) for one in chosen[::2])


def test_a_condition_chooses_whose_requests_are_copied() -> None:
    mirror = mirrored(shadow(when=BETA))
    samplers = mirror.samplers(1)
    assert mirror.choose(request(x_plan="beta"), OLD, None, samplers) == Chosen((0,))
    assert mirror.choose(request(x_plan="free"), OLD, None, samplers) is NOTHING


@pytest.mark.parametrize("seed", range(5))
def test_after_a_hundred_requests_exactly_ten_and_fifty_are_copied(seed: int) -> None:
    mirror = mirrored(shadow(10, name="tenth"), shadow(50, name="half"))
    samplers = mirror.samplers(seed)
    chosen = [mirror.choose(request(), OLD, None, samplers).shadows for _ in range(100)]
    assert [sum(place in one for one in chosen) for place in (0, 1)] == [10, 50]
    assert [sum(place in one for one in chosen[:10]) for place in (0, 1)] == [1, 5]


def test_a_share_is_of_those_for_whom_the_condition_holds() -> None:
    mirror = mirrored(shadow(50, when=BETA))
    samplers = mirror.samplers(3)
    chosen = [
        mirror.choose(request(x_plan="beta" if place % 3 == 0 else "free"), OLD, None, samplers) for place in range(300)
    ]
    assert sum(one.shadows == (0,) for one in chosen[::3]) == 50
    assert all(one is NOTHING for place, one in enumerate(chosen) if place % 3)


def test_clients_that_take_turns_are_met_alike() -> None:
    mirror = mirrored(shadow(50))
    samplers = mirror.samplers(7)
    chosen = [bool(mirror.choose(request(), OLD, None, samplers).shadows) for _ in range(2000)]
    assert 400 < sum(chosen[::2]) < 600


def test_what_the_version_itself_serves_counts_for_its_share() -> None:
    mirror = mirrored(shadow(10))
    samplers = mirror.samplers(1)
    chosen = [mirror.choose(request(), (OLD, NEW)[turn % 2], None, samplers) for turn in range(1000)]
    assert sum(len(one.shadows) + len(one.served) for one in chosen) == 100
    assert 20 < sum(len(one.served) for one in chosen) < 80


@pytest.mark.parametrize("rows", [(shadow(), shadow(50, name="half")), (shadow(), shadow(0, name="none"))])
def test_a_copy_is_copied_to_no_shadow_and_counts_for_no_share_but_is_recorded(rows: tuple[Shadow, ...]) -> None:
    mirror = mirrored(*rows, record=Recording(sample=1.0, folder="/r"))
    samplers = mirror.samplers(1)
    places = tuple(row.place for row in mirror.rows)
    chosen = [mirror.choose(request(x_stepdown_shadow=""), OLD, None, samplers) for _ in range(10)]
    assert set(chosen) == {Chosen((), True, (), places)}
    taken = [mirror.choose(request(), OLD, None, samplers).shadows for _ in range(100)]
    assert [sum(place in one for one in taken) for place in places] == [100, 50][: len(places)]


def test_a_key_is_copied_always_or_never() -> None:
    mirror = mirrored(shadow(30, per="key"))
    assert mirror.reads_key
    samplers = mirror.samplers(1)
    chosen = {key: mirror.choose(request(), OLD, (0, b"%d" % key), samplers).shadows for key in range(2000)}
    assert 500 < sum(map(len, chosen.values())) < 700
    assert all(mirror.choose(request(), OLD, (0, b"%d" % key), samplers).shadows == chosen[key] for key in chosen)


def test_who_has_no_key_is_not_copied_by_key() -> None:
    mirror = mirrored(shadow(100, per="key"))
    assert mirror.choose(request(), OLD, None, mirror.samplers(1)) is NOTHING
    assert mirror.choose(request(), OLD, (1, b"u"), mirror.samplers(1)) == Chosen((0,))


def test_a_recording_takes_its_share_by_itself() -> None:
    mirror = mirrored(shadow(50), record=Recording(sample=0.1, folder="/r"))
    samplers = mirror.samplers(2)
    chosen = [mirror.choose(request(), OLD, None, samplers) for _ in range(100)]
    assert (sum(one.recorded for one in chosen), sum(len(one.shadows) for one in chosen)) == (10, 50)


def test_a_recording_of_everything_needs_no_shadow_and_a_condition_narrows_it() -> None:
    whole = mirrored(record=Recording(sample=1.0, folder="/r"))
    assert whole.choose(request(), OLD, None, whole.samplers(1)) == Chosen((), True, ())
    some = mirrored(record=Recording(sample=1.0, folder="/r", when=BETA))
    assert some.choose(request(x_plan="beta"), OLD, None, some.samplers(1)).recorded
    assert some.choose(request(), OLD, None, some.samplers(1)) is NOTHING


# --- what it means for the route -------------------------------------------------------------------------------------


def test_a_shadow_chooses_nothing_for_the_client() -> None:
    plain, copied = routed(), routed(shadow(when=BETA))
    assert (copied.asking, copied.deciding) == (plain.asking, plain.deciding)


def test_conditions_on_heads_leave_a_connections_memory_alone() -> None:
    asked = request()
    assert routed(shadow(when=BETA)).settle(asked, (), "") is not None
    assert routed(shadow(when=PinIs(exists=True))).settle(asked, (), "") is None, "only the head is there to test"
    assert routed(shadow(0, when=PinIs(exists=True))).settle(asked, (), "") is not None, "nothing is copied"


def test_a_condition_on_the_body_or_more_than_the_head_makes_the_route_read_it() -> None:
    body = FieldIs(source="json", name="/plan", equals="beta")
    by_body = routed(shadow(when=body))
    assert by_body.needs_body
    assert by_body.needs_view
    assert not routed(shadow(when=BETA)).needs_view
    by_pin = routed(record=Recording(sample=0.5, folder="/r", when=PinIs(exists=True)))
    assert by_pin.needs_view
    assert not by_pin.needs_body
    view = by_body.view(request(), (), b'{"plan": "beta"}', "10.0.0.7", 0.0)
    assert by_body.mirror is not None
    assert by_body.mirror.choose(view, OLD, None, by_body.mirror.samplers(1)) == Chosen((0,))
