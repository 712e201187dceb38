"""Colours in the file: of a version's endpoints, and of a rule."""

from __future__ import annotations

import pytest

from stepdown.decide.spec import Colours, WarmUp
from tests.kit.configuration import Folder, changed

SPLIT = 'split: {"1.1.0": 95, "2.0.0": 5}'
OLD = "endpoints: [http://churn-v1:8080]"


def rule(text: str) -> str:
    return changed((SPLIT, text))


def servers(text: str) -> str:
    return changed((OLD, text))


def test_a_rule_with_colours_gives_everything_to_the_active_one(folder: Folder) -> None:
    text = 'colours: {blue: "1.1.0", green: "2.0"}, active: green, switch: {ready: 5, timeout: 2s}'.replace(
        '"2.0"', '"2.0.0"'
    )
    made = folder.load(rule(text)).spec.routes[0].rules[1]
    assert made.split == (("1.1.0", 0), ("2.0.0", 1))
    assert made.colours == Colours(names=("blue", "green"), active="green", declared="green", ready=5, timeout=2.0)
    assert made.salt == "churn/everyone"


@pytest.mark.parametrize(
    ("text", "plan"),
    [
        ("", None),
        (", switch: {warm_up: {}}", WarmUp()),
        (
            ", switch: {warm_up: {percent: 5, duration: 2m, timeout: 10m, min_copies: 9, max_errors: 0.5%, "
            "deadline: 3s}}",
            WarmUp(percent=5.0, duration=120.0, timeout=600.0, min_copies=9, max_errors=0.005, deadline=3.0),
        ),
    ],
    ids=range(3),
)
def test_a_warm_up_is_what_the_file_says_and_none_without_it(folder: Folder, text: str, plan: WarmUp | None) -> None:
    made = folder.load(rule(f'colours: {{blue: "1.1.0", green: "2.0.0"}}, active: blue{text}')).spec
    colours = made.routes[0].rules[1].colours
    assert colours is not None
    assert colours.warm_up == plan


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("percent: 0", "allowed more than 0"),
        ("percent: 20%", "allowed a number from 0 to 100"),
        ("duration: 2h", "allowed a number up to 3600"),
        ("min_copies: 0", "allowed a number from 1 on"),
        ("max_errors: 2", "allowed a percentage such as 20%"),
        ("seconds: 60", 'found the unknown key "seconds"'),
    ],
    ids=range(6),
)
def test_what_is_wrong_with_a_warm_up_is_told_at_its_place(folder: Folder, text: str, told: str) -> None:
    switch = f"switch: {{warm_up: {{{text}}}}}"
    (finding,) = folder.refusal(rule(f'colours: {{blue: "1.1.0", green: "2.0.0"}}, active: blue, {switch}'))
    assert told in finding
    assert f"routes.churn.rules[1].switch.warm_up.{text.partition(':')[0]}" in finding


def test_endpoints_by_colour(folder: Folder) -> None:
    text = servers("endpoints: {a: [http://one:1, {url: http://two:2}], b: [http://three:3]}, active: b")
    one = folder.load(text).spec.models[0].versions[1]
    assert [endpoint.id for endpoint in one.endpoints] == ["http://three:3"]
    assert [endpoint.id for endpoint in one.idle] == ["http://one:1", "http://two:2"]
    assert one.colours == Colours(names=("a", "b"), active="b", declared="b")


def test_both_colours_are_covered(folder: Folder) -> None:
    """The client that pins ^1.0 has to get its shape from either."""
    text = rule('colours: {blue: "1.1.0", green: "2.0.0"}, active: blue')
    without = text.replace("    adapters:\n", "    adapters: []\n    clients:\n", 1)
    start, end = without.index("      - from:"), without.index("    clients:\n      - {match")
    findings = folder.refusal(without[:start] + without[end:].replace("    clients:\n", "", 1))
    said = "\n".join(findings)
    assert "rules[1].colours.green: 2.0.0 cannot answer in the shape of 1.1.0 (the default version)" in said


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('colours: {blue: "1.1.0", green: "2.0.0"}', "found colours without active; allowed active: blue or green"),
        ('colours: {blue: "1.1.0"}, active: blue', "found 1; allowed two colours"),
        ('colours: {blue: "1.1.0", back: "2.0.0"}, active: blue', 'found "back"; allowed another name'),
        ('colours: {blue: "1.1.0", green: "2.0.0"}, active: red', 'found active: "red"; allowed blue or green'),
        ('colours: {blue: "1.1.0", green: "1.1.0"}, active: blue', 'colours.green: found "1.1.0" a second time'),
        ('colours: {blue: "1.1.0", green: "9.9.9"}, active: blue', 'colours.green: found "9.9.9"; allowed a declared'),
        ('colours: {blue: "1.0.0", green: "1.1.0"}, active: blue', 'found "1.0.0", which has no endpoints'),
        (f'{SPLIT}, colours: {{blue: "1.1.0", green: "2.0.0"}}, active: blue', "found split and colours"),
        (f"{SPLIT}, active: blue", "found active without colours"),
        ("salt: s", "found neither split nor colours"),
        ('colours: {blue: "1.1.0", green: "2.0.0"}, active: blue, switch: {ready: 0}', "allowed a number from 1 on"),
        ('colours: {blue: "1.1.0", green: "2.0.0"}, active: blue, switch: {timeout: 2m}', "allowed a number up to 45"),
    ],
    ids=range(12),
)
def test_what_is_wrong_with_a_rules_colours_is_told_at_its_place(folder: Folder, text: str, told: str) -> None:
    findings = folder.refusal(rule(text))
    assert len(findings) == 1, findings
    assert told in findings[0]
    assert "routes.churn.rules[1]" in findings[0]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("endpoints: {blue: [http://a:1], green: [http://a:1]}, active: blue", "found http://a:1 a second time"),
        (
            "endpoints: {blue: [http://a:1], green: []}, active: blue",
            "endpoints.green: found a list; allowed at least 1",
        ),
        ("endpoints: {blue: [http://a:1]}, active: blue", "found 1; allowed two colours"),
        ("endpoints: {blue: [http://a:1], green: [http://b:1]}", "found colours of endpoints without active"),
        ("endpoints: [http://a:1], active: blue", "found active without colours"),
        ("endpoints: {blue: [http://a:1], green: [{url: http://b:1, path: '/{x}'}]}, active: blue", "found {x}"),
        ("endpoints: {blue: [http://a:1], green: [{url: http://b:1, paht: /x}]}, active: blue", 'unknown key "paht"'),
        ("endpoints: 7", "found the number 7; allowed a list"),
    ],
    ids=range(8),
)
def test_what_is_wrong_with_a_versions_colours_is_told_at_its_place(folder: Folder, text: str, told: str) -> None:
    findings = folder.refusal(servers(text))
    assert len(findings) == 1, findings
    assert told in findings[0]
    assert 'models.churn.versions."1.1.0"' in findings[0]


def test_one_rule_of_a_route_has_colours(folder: Folder) -> None:
    coloured = 'colours: {blue: "1.1.0", green: "2.0.0"}, active: blue'
    (finding,) = folder.refusal(changed((SPLIT, coloured), ('split: {"2.0.0": 100}', coloured)))
    assert "rules[1].colours: found colours in a second rule" in finding


def test_a_secret_of_an_idle_endpoint_is_read_too(folder: Folder) -> None:
    secret = "set_headers: {x-key: {env: NOT_SET}}"
    text = servers(f"endpoints: {{blue: [http://a:1], green: [{{url: http://b:1, {secret}}}]}}, active: blue")
    (finding,) = folder.refusal(text)
    assert "endpoints.green[0].set_headers.x-key.env: the environment variable NOT_SET is not set" in finding
