"""Rules: what takes over, what goes in turn, and salts that outlive names."""

from __future__ import annotations

import pytest

from tests.kit.configuration import Folder, changed

EVERYONE = '{name: everyone, split: {"1.1.0": 95, "2.0.0": 5}}'
ENDPOINTS = (
    '"1.0.0": {schema: contracts/1.0.0.json,',
    '"1.0.0": {schema: contracts/1.0.0.json, endpoints: [http://old:80],',
)


def everyone(options: str, split: str = '{"1.1.0": 95, "2.0.0": 5}') -> tuple[str, str]:
    return EVERYONE, f"{{name: everyone, split: {split}, {options}}}"


def test_a_rule_says_who_takes_over_and_what_goes_in_turn(folder: Folder) -> None:
    plain = folder.load(changed()).spec.routes[0].rules[1]
    assert (plain.instead, plain.smooth) == ((), False)
    made = folder.load(changed(everyone('instead: ["2.0.0", "1.1.0"], smooth: true'))).spec.routes[0].rules[1]
    assert (made.instead, made.smooth, made.salt) == (("2.0.0", "1.1.0"), True, "churn/everyone")


@pytest.mark.parametrize(
    ("version", "told"),
    [
        ("9.9.9", 'routes.churn.rules[1].instead[0]: found "9.9.9"; allowed a declared version'),
        ("1.0.0", 'routes.churn.rules[1].instead[0]: found "1.0.0", which has no endpoints'),
        ("2.0.0", 'routes.churn.rules[1].instead[1]: found "2.0.0" a second time; allowed each version once'),
    ],
)
def test_a_version_that_cannot_take_over_is_refused_at_its_place(folder: Folder, version: str, told: str) -> None:
    findings = folder.refusal(changed(everyone(f'instead: ["{version}", "2.0.0"]')))
    assert len(findings) == 1, findings
    assert told in findings[0]


def test_what_takes_over_is_held_to_what_clients_were_promised(folder: Folder) -> None:
    findings = folder.refusal(changed(ENDPOINTS, everyone('instead: ["1.0.0"]')))
    assert len(findings) == 1, findings
    assert (
        "routes.churn.rules[1].instead[0]: 1.0.0 cannot answer in the shape of 1.1.0 (the default version)"
        in findings[0]
    )
    assert "stepdown.yaml:28:70:" in findings[0]


def test_what_takes_over_gives_every_shape_that_it_reaches(folder: Folder) -> None:
    text = changed(('split: {"2.0.0": 100}', 'split: {"1.1.0": 100}'), everyone('instead: ["2.0.0"]', '{"1.1.0": 1}'))
    assert folder.warnings(text) == []
    assert folder.warnings(text.replace(', instead: ["2.0.0"]', "")) != []


def test_the_salt_is_that_of_the_file_or_made_of_the_names(folder: Folder) -> None:
    def salts(*changes: tuple[str, str]) -> list[str]:
        return [rule.salt for rule in folder.load(changed(*changes)).spec.routes[0].rules]

    assert salts() == ["churn/beta", "churn/everyone"]
    assert salts(everyone("salt: churn-2026")) == ["churn/beta", "churn-2026"]
    assert salts(everyone("salt: churn-2026"), ("name: everyone", "name: all")) == ["churn/beta", "churn-2026"]
