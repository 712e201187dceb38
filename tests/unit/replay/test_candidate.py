"""Who gets recorded requests, and by which rules answers are compared."""

from __future__ import annotations

from typing import Any

import pytest

from stepdown.comparer.configurations import Configuration
from stepdown.decide import spec
from stepdown.decide.shadow_spec import Comparing, Shadow
from stepdown.replay.candidate import Candidates, Sending, Target, TargetError, parse_target
from tests.kit import specs


def configured(*shadows: Shadow) -> spec.SnapshotSpec:
    """1.0.0 has no server, 2.0.0 and 3.0.0 have one each."""
    versions = (specs.version("1.0.0"), specs.version("2.0.0", 1002), specs.version("3.0.0", 1003))
    return specs.snapshot(specs.route({"2.0.0": 100}, shadows=shadows), models=[specs.model(*versions)])


def found(candidates: Candidates, served: str = "2.0.0", pinned: str = "1.0.0") -> tuple[Configuration, Shadow]:
    made = candidates.find("r", "m", served, pinned)
    assert not isinstance(made, str), made
    return made


def urls(made: tuple[Configuration, Shadow]) -> list[str]:
    configuration, shadow = made
    return [endpoint.id for endpoint in configuration.endpoints(configuration.routes["r"], shadow)]


@pytest.mark.parametrize(
    ("text", "version", "id", "path"),
    [
        ("2.0.0", "2.0.0", None, None),
        ("http://h:9", "", "http://h:9", None),
        ("http://h/", "", "http://h:80", None),
        ("https://h/a/b", "", "https://h:443/a/b", "/a/b"),
        ("2.0.0=http://[::1]:9/x", "2.0.0", "http://[::1]:9/x", "/x"),
    ],
)
def test_targets_are_read(text: str, version: str, id: str | None, path: str | None) -> None:
    target = parse_target(text)
    assert target.version == version
    assert (target.endpoint and target.endpoint.id, target.endpoint and target.endpoint.path) == (id, path)


@pytest.mark.parametrize(
    "text",
    [
        "ftp://h", "http://", "http://h:0", "http://h:99999", "http://u:p@h", "http://h/?a=1", "http://h/#a",
        "http://h/{x}", "http://h/a b", "http://h/ä", "=http://h", "http://[::1",
    ],
)  # fmt: skip
def test_what_is_no_target_is_refused(text: str) -> None:
    with pytest.raises(TargetError):
        parse_target(text)


def test_a_version_is_sent_to_its_own_endpoints() -> None:
    made = found(Candidates(Target("3.0.0", None), Sending(), configured()))
    assert made[1].version == "3.0.0"
    assert urls(made) == ["http://127.0.0.1:1003"]


def test_a_version_at_a_url_is_sent_there_whatever_the_file_says_of_it() -> None:
    for version in ("1.0.0", "3.0.0"):
        made = found(Candidates(parse_target(f"{version}=http://h:9"), Sending(), configured()))
        assert made[1].version == version
        assert urls(made) == ["http://h:9"]


def test_a_url_alone_is_of_the_version_that_answered() -> None:
    candidates = Candidates(parse_target("http://h:9"), Sending(), configured())
    for served in ("2.0.0", "3.0.0"):
        made = found(candidates, served)
        assert made[1].version == served
        assert urls(made) == ["http://h:9"]


def test_without_a_configuration_only_one_shape_can_be_compared() -> None:
    candidates = Candidates(parse_target("http://h:9"), Sending(), None)
    configuration, shadow = found(candidates, "2.0.0", "2.0.0")
    assert configuration.adapter("m", "2.0.0", "2.0.0") is None
    assert shadow.version == "2.0.0"
    assert candidates.find("r", "m", "2.0.0", "1.0.0") == "to be adapted, which --config FILE says how to do"
    other = Candidates(parse_target("3.0.0=http://h:9"), Sending(), None)
    assert other.find("r", "m", "2.0.0", "2.0.0") == "to be adapted, which --config FILE says how to do"


def test_what_the_configuration_does_not_have_is_said() -> None:
    with pytest.raises(TargetError, match="has to be said with a configuration"):
        Candidates(Target("3.0.0", None), Sending(), None)
    for version in ("1.0.0", "9.0.0"):
        with pytest.raises(TargetError, match=f"{version}: no model has this version with endpoints; allowed 2.0.0, 3"):
            Candidates(Target(version, None), Sending(), configured())
    candidates = Candidates(Target("3.0.0", None), Sending(), configured())
    assert candidates.find("gone", "m", "2.0.0", "1.0.0") == "of a route that the configuration does not have"
    assert candidates.find("r", "other", "2.0.0", "1.0.0") == "of another model than the route has now"
    anyone = Candidates(parse_target("http://h:9"), Sending(), configured())
    assert anyone.find("r", "m", "9.0.0", "1.0.0") == "of a model without a candidate 9.0.0"


RULES = Comparing(ignore=("/id",))
OTHERS = Comparing(ignore=("/time",))


@pytest.mark.parametrize(
    ("shadows", "ignored"),
    [
        ((), ()),
        ((Shadow(name="a", version="3.0.0", compare=RULES),), ("/id",)),
        ((Shadow(name="a", version="2.0.0", compare=RULES),), ("/id",)),
        (
            (
                Shadow(name="a", version="2.0.0", compare=OTHERS),
                Shadow(name="b", version="3.0.0", compare=RULES),
                Shadow(name="c", version="3.0.0", compare=OTHERS),
            ),
            ("/id",),
        ),
        ((Shadow(name="a", version="1.0.0", compare=RULES), Shadow(name="b", version="2.0.0", compare=RULES)), ()),
    ],
)
def test_rules_are_those_of_the_shadow_of_that_version_or_of_the_only_one(
    shadows: tuple[Shadow, ...], ignored: tuple[str, ...]
) -> None:
    _, shadow = found(Candidates(Target("3.0.0", None), Sending(ignore=("/mine", "/id")), configured(*shadows)))
    assert shadow.compare.ignore == tuple(dict.fromkeys((*ignored, "/mine", "/id")))


def test_a_replay_has_its_own_bounds_and_fields_and_keeps_the_shadows_rules() -> None:
    given: dict[str, Any] = {"rate": 5.0, "percent": 1.0, "noise": 50.0, "idle": True, "concurrent": 1, "max_body": 10}
    shadow = Shadow(name="next", version="3.0.0", host="endpoint", set_headers=(("X-A", "1"), ("x-b", "2")), **given)
    sending = Sending(seconds=3.0, concurrent=7, headers=(("x-A", "mine"),))
    _, made = found(Candidates(Target("3.0.0", None), sending, configured(shadow)))
    assert (made.name, made.host) == ("replay", "endpoint")
    assert dict(made.set_headers) == {"x-a": "mine", "x-b": "2"}
    assert (made.rate, made.noise, made.idle, made.concurrent, made.deadline) == (0.0, 0.0, False, 7, 3.0)
    assert made.max_body > 10_000_000
