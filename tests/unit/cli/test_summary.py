from __future__ import annotations

from stepdown.cli.summary import described, way
from stepdown.decide.spec import Chain, HeaderMatch, Match, Step


def test_a_match_is_one_line() -> None:
    headers = (
        HeaderMatch(name="a", equals="1"),
        HeaderMatch(name="b", any_of=("2", "3")),
        HeaderMatch(name="c", prefix="4"),
        HeaderMatch(name="d", exists=True),
        HeaderMatch(name="e", exists=False),
        HeaderMatch(name="f", sha256="ab" * 32),
    )
    match = Match(methods=("GET", "POST"), hosts=("h.example.com",), path_prefix="/v2/", headers=headers)
    assert described(match) == "GET|POST h.example.com /v2/... a=1 b=2|3 c=4... d no e f=sha256:abababab..."
    assert described(Match(path="/v/{version}")) == "/v/{version}"
    assert described(Match(path_prefix="/")) == "/..."
    assert described(Match()) == "everyone"


def test_how_a_shape_comes_about_is_one_word_and_the_way() -> None:
    adapter, projection = Step(source="3.0.0", target="2.0.0"), Step(source="2.0.0", target="1.0.0", kind="projection")
    assert way(None, native=True) == "native"
    assert way(None, native=False) == "-"
    assert way(Chain(served="2.0.0", pinned="1.0.0", steps=(projection,)), native=False) == "projected"
    assert way(Chain(served="3.0.0", pinned="1.0.0", steps=(adapter, projection)), native=False) == "adapted via 2.0.0"
