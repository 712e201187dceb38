from __future__ import annotations

from stepdown.config.describe_error import section_at
from stepdown.config.file import (
    EndpointSection,
    HealthSection,
    KeySourceSection,
    RootFile,
    RouteSection,
    VersionSection,
)
from stepdown.config.file.match import MatchSection
from stepdown.config.file.model import SecretSection
from stepdown.config.file.operators import FieldSection
from stepdown.config.file.when import WhenSection
from stepdown.config.tree import find, plain
from stepdown.config.validate import Valid, validate
from stepdown.config.yaml_reader import read


def validated(text: str) -> Valid[RootFile]:
    root, findings = read(text, "f.yaml", {})
    assert root is not None
    assert not findings
    return validate(root, RootFile)


def test_what_is_valid_is_left_as_it_is() -> None:
    valid = validated("workers: 2\n")
    assert valid.findings == []
    assert valid.removed == frozenset()
    assert valid.file is not None
    assert valid.file.workers == 2


def test_wrong_parts_are_taken_out_and_the_rest_can_be_used() -> None:
    valid = validated("workers: two\nretries: {minimum: 5, budget: much}\nlog: {formt: json}\n")
    assert valid.file is not None
    assert valid.file.workers == 1
    assert valid.file.retries.minimum == 5
    assert valid.removed == {("workers",), ("retries", "budget"), ("log", "formt")}
    assert len(valid.findings) == 3


def test_an_item_and_something_in_it_go_together_and_the_next_item_stays_whole() -> None:
    key = "key: [{header: a}, {header: b, cookie: c, x: 1}, {header: d}]"
    valid = validated(f"routes: {{r: {{model: m, match: {{}}, {key}}}}}\n")
    assert valid.file is not None
    assert [source.header for source in valid.file.routes["r"].key] == ["a", "d"]
    assert find(valid.root, ("routes", "r", "key")).numbers[-1] == 2


def test_what_breaks_by_the_removal_is_removed_without_a_word() -> None:
    valid = validated("routes: {r: {model: m, match: {path: x}, rules: [{split: {'1.0.0': -1}}]}}\n")
    assert valid.file is not None
    assert valid.file.routes["r"].match.path is None
    assert valid.file.routes["r"].rules is None
    assert [finding.key for finding in valid.findings] == [
        "routes.r.match.path",
        'routes.r.rules[0].split."1.0.0"',
    ]


def test_the_tree_that_was_read_stays_as_it_was_also_where_parts_are_shared() -> None:
    text = "a: &a {connect: soon, whole: 1s}\ntimeouts: *a\nroutes: {r: {model: m, match: {}, timeouts: *a}}\n"
    root, _ = read(text, "f.yaml", {})
    before = plain(root)
    valid = validate(root, RootFile)
    assert plain(root) == before
    assert ("timeouts", "connect") in valid.removed
    assert ("routes", "r", "timeouts", "connect") in valid.removed
    assert [finding.key for finding in valid.findings] == ["timeouts.connect", "routes.r.timeouts.connect", "a"]


def test_the_section_of_a_path_is_found_through_shorthands() -> None:
    version = ("models", "m", "versions", "1.0.0")
    for path, section in (
        ((), RootFile),
        (("routes", "r"), RouteSection),
        (("routes", "r", "key", 0), KeySourceSection),
        (("routes", "r", "rules", 0, "when"), WhenSection),
        (("routes", "r", "rules", 0, "when", "any", 1, "not", "header", "x"), FieldSection),
        (("routes", "r", "match"), MatchSection),
        (version, VersionSection),
        ((*version, "health"), HealthSection),
        ((*version, "endpoints", 0), EndpointSection),
        ((*version, "endpoints", 0, "set_headers", "x"), SecretSection),
        (("workers",), None),
        (("nothing", "here"), None),
    ):
        assert section_at(RootFile, path) is section
