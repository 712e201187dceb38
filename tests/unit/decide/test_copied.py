"""What an explanation says of copies: who gets one, how likely, and what keeps the others from it."""

from __future__ import annotations

import pytest

from stepdown.decide import spec
from stepdown.decide.copied import with_copies
from stepdown.decide.explanation import Explanation, ShadowTold
from stepdown.decide.shadow_spec import Recording, Shadow
from stepdown.decide.slots import hash_of
from stepdown.decide.snapshot import Route, compile_snapshot
from stepdown.decide.view import View
from stepdown.decide.when import FieldIs, FlagIs
from tests.kit import specs
from tests.kit.request import Request, request

BETA = FieldIs(source="header", name="x-plan", equals="beta")


def routed(*shadows: Shadow, record: Recording | None = None, split: dict[str, int] | None = None) -> Route:
    step = spec.Step(source="2.0.0", target="1.0.0")
    chain = spec.Chain(served="2.0.0", pinned="1.0.0", steps=(step,))
    refused = spec.Refused("3.0.0", "1.0.0", "3.0.0 -> 1.0.0 is refused: the space differs")
    versions = [specs.version(f"{major}.0.0", major) for major in (1, 2, 3)]
    model = specs.model(*versions, chains=(chain,), refused=(refused,))
    key = (spec.KeySource(header="x-user-id"),)
    route = specs.route(split or {"1.0.0": 1}, key=key, shadows=shadows, record=record)
    return compile_snapshot(specs.snapshot(route, models=[model])).routes[0]


def told(route: Route, asked: Request | None = None, *, body: bytes = b"", up: bool = True) -> Explanation:
    view: View = route.view(asked or request(), (), body, "10.0.0.1", 0.0)
    explanation = route.explain(view, (), body, "10.0.0.1", [up] * 3, lambda: 0)
    return with_copies(explanation, route, view, body, "10.0.0.1", None)


def copies(*shadows: Shadow, asked: Request | None = None, body: bytes = b"", **options: object) -> list[str]:
    sentences = told(routed(*shadows, **options), asked, body=body).sentences()  # type: ignore[arg-type]
    return [one for one in sentences if one.startswith(("Shadow", "The recording"))]


def test_a_route_that_copies_nothing_tells_nothing() -> None:
    assert copies() == []


@pytest.mark.parametrize(
    ("shadow", "sentence"),
    [
        (Shadow("next", "2.0.0"), "Shadow next (2.0.0) gets a copy: it takes all such requests."),
        (
            Shadow("next", "2.0.0", percent=12.5),
            "Shadow next (2.0.0) may get a copy: it takes 12.5 % of such requests.",
        ),
        (
            Shadow("next", "2.0.0", when=BETA),
            "Shadow next (2.0.0) does not get a copy: it wants that header x-plan is 'beta'.",
        ),
        (
            Shadow("next", "2.0.0", per="key"),
            "Shadow next (2.0.0) does not get a copy: it takes a share of the keys, and the request has none.",
        ),
        (Shadow("own", "1.0.0"), "Shadow own (1.0.0) does not get a copy: 1.0.0 serves the request itself."),
        (
            Shadow("next", "2.0.0", max_body=2),
            "Shadow next (2.0.0) does not get a copy: the body has 3 bytes, and at most 2 are copied.",
        ),
        (
            Shadow("far", "3.0.0"),
            "Shadow far (3.0.0) does not get a copy: 3.0.0 cannot give the shape of 1.0.0 (3.0.0 -> 1.0.0 is refused: "
            "the space differs).",
        ),
    ],
)
def test_each_shadow_says_whether_it_gets_a_copy_and_why(shadow: Shadow, sentence: str) -> None:
    assert copies(shadow, body=b"abc") == [sentence]


def test_a_copy_is_told_to_be_one() -> None:
    assert copies(Shadow("next", "2.0.0"), asked=request(x_stepdown_shadow="any")) == [
        "Shadow next (2.0.0) does not get a copy: the request is a copy itself, as x-stepdown-shadow says."
    ]


def test_a_share_of_keys_says_where_the_key_lies() -> None:
    at = hash_of(b"s:header:x-user-id:u7") / 2**32 * 100
    for percent, outcome in ((at + 1, "gets"), (at - 1, "does not get")):
        shadow = Shadow("next", "2.0.0", percent=percent, per="key", salt="s")
        assert copies(shadow, asked=request(x_user_id="u7")) == [
            f"Shadow next (2.0.0) {outcome} a copy: the key lies at {at:.3f} % of all, and it takes those under "
            f"{percent:g} %."
        ]


@pytest.mark.parametrize(
    ("recording", "sentence"),
    [
        (Recording(0.01, "/r"), "The recording may get a copy: it takes 1 % of such requests."),
        (Recording(1.0, "/r", when=BETA), "The recording does not get a copy: it wants that header x-plan is 'beta'."),
        (
            Recording(1.0, "/r", max_body=2),
            "The recording does not get a copy: the body has 3 bytes, and at most 2 are recorded.",
        ),
    ],
)
def test_a_recording_says_the_same_of_itself(recording: Recording, sentence: str) -> None:
    assert copies(record=recording, body=b"abc") == [sentence]


def test_machines_are_told_how_likely_a_copy_is() -> None:
    explanation = told(routed(Shadow("next", "2.0.0", percent=20), Shadow("own", "1.0.0")))
    assert explanation.shadows == (
        ShadowTold("next", "2.0.0", 0.2, "it takes 20 % of such requests"),
        ShadowTold("own", "1.0.0", 0.0, "1.0.0 serves the request itself"),
    )


def test_a_refused_request_is_copied_to_nobody() -> None:
    explanation = told(routed(Shadow("next", "2.0.0")), up=False)
    assert explanation.refusal is not None
    assert explanation.shadows == ()


def test_what_decides_is_explained_without_asking_a_shadows_flag() -> None:
    """The view remembers what flags have said, and a decision's record shows that."""
    route = routed(Shadow("next", "2.0.0", when=FlagIs(flag="trial")))
    view = route.view(request(), (), None, "10.0.0.1", 0.0)
    explanation = route.explain(view, (), None, "10.0.0.1", [True] * 3, lambda: 0)
    assert (explanation.shadows, explanation.flags, view.answered) == ((), (), {})
    with_copies(explanation, route, view, None, "10.0.0.1", None)
    assert list(view.answered) == ["trial"]
