from __future__ import annotations

import pytest

from tests.kit.configuration import GOOD, Folder, changed


@pytest.mark.parametrize(
    ("pin", "resolved"),
    [("^1.0", "1.1.0"), ("1.0.0", "1.0.0"), ("v1.1.0", "1.1.0"), ('"1"', "1.1.0"), ("latest", "1.1.0")],
)
def test_clients_and_default_are_resolved_to_exact_versions(folder: Folder, pin: str, resolved: str) -> None:
    loaded = folder.load(
        changed(("version: ^1.0", f"version: {pin}"), ('default_version: "1.1.0"', f"default_version: {pin}"))
    )
    model = loaded.spec.models[0]
    assert model.clients[0].version == model.default_version == resolved


def test_a_range_is_resolved_to_the_newest_version_that_can_always_be_delivered(folder: Folder) -> None:
    assert folder.load(changed(("version: ^1.0", 'version: ">=1.0"'))).spec.models[0].clients[0].version == "1.1.0"


def test_a_range_of_which_nothing_can_always_be_delivered_is_refused(folder: Folder) -> None:
    found = folder.refusal(changed(("version: ^1.0", "version: ^2.0")))
    assert found == [
        'stepdown.yaml:28:34: routes.churn.rules[1].split."1.1.0": 1.1.0 cannot answer in the shape of 2.0.0 '
        "(pinned by an entry of clients): it is older, and adapters step down only; "
        "allowed versions from 2.0.0 on, or an older pin"
    ]


def test_a_model_with_one_version_needs_no_default(folder: Folder) -> None:
    text = 'models: {m: {versions: {"1.0.0": {endpoints: [http://m:80]}}}}\nroutes: {r: {match: {path: /}, model: m}}\n'
    loaded = folder.load(text)
    assert loaded.spec.models[0].default_version == "1.0.0"
    assert loaded.spec.routes[0].rules[0].split == (("1.0.0", 1),)
    assert folder.refusal(changed(('    default_version: "1.1.0"\n', ""))) == [
        'stepdown.yaml:3:3: models.churn: found no "default_version"; allowed the shape for clients that pin nothing: '
        '"1.0.0", "1.1.0", "2.0.0"'
    ]


@pytest.mark.parametrize(
    ("split", "latest"),
    [('{"2.0.0": 1}', "2.0.0"), ('{"1.1.0": 1}', "1.1.0"), ('{"1.1.0": 1, "2.0.0": 0}', "1.1.0")],
)
def test_latest_is_what_every_version_of_the_default_rule_can_deliver(folder: Folder, split: str, latest: str) -> None:
    assert folder.load(changed(('split: {"1.1.0": 95, "2.0.0": 5}', f"split: {split}"))).spec.models[0].latest == latest


def test_latest_is_never_retired_and_a_prerelease_only_if_there_is_nothing_else(folder: Folder) -> None:
    model = 'models: {m: {default_version: "1.0.0", versions: {%s}}}\n'
    served = "{endpoints: [http://m:80]}"
    retired = "{endpoints: [http://m:81], retired: true}"
    for versions, latest in (
        (f'"1.0.0": {served}, "1.1.0": {retired}', "1.0.0"),
        (f'"1.0.0": {served}, "1.1.0-rc.1": {served}', "1.0.0"),
        (f'"1.0.0": {{}}, "1.1.0-rc.1": {served}', "1.1.0-rc.1"),
        ('"1.0.0": {}, "1.1.0": {}', "1.1.0"),
    ):
        assert folder.load(model % versions).spec.models[0].latest == latest


def test_latest_moves_across_a_major_only_with_consent(folder: Folder) -> None:
    before = folder.load(GOOD)
    moved = changed(('split: {"1.1.0": 95, "2.0.0": 5}', 'split: {"2.0.0": 1}'))
    assert folder.refusal(moved, previous=before) == [
        "stepdown.yaml:3:3: models.churn.accept_latest: latest would move from 1.1.0 to 2.0.0, across a MAJOR; "
        'allowed accept_latest: "2.0.0" to agree to it'
    ]
    agreed = moved.replace("repeatable: true", 'accept_latest: "2.0.0"')
    assert folder.load(agreed, previous=before).spec.models[0].latest == "2.0.0"
    assert folder.load(moved).spec.models[0].latest == "2.0.0"


def test_latest_moves_within_a_major_by_itself(folder: Folder) -> None:
    newer = ("2.0.0", "1.9.0"), ("contracts/1.9.0", "contracts/2.0.0")
    before = folder.load(changed(*newer))
    assert before.spec.models[0].latest == "1.1.0"
    after = folder.load(changed(*newer, ('"1.1.0": 95, ', "")), previous=before)
    assert after.spec.models[0].latest == "1.9.0"


def test_where_all_versions_are_retired_none_is_offered(folder: Folder) -> None:
    text = 'models: {m: {default_version: "1.0.0", versions: {"1.0.0": {retired: true}}}}\n'
    assert folder.refusal(text) == [
        'stepdown.yaml:1:31: models.m.default_version: found "1.0.0": 1.0.0 is retired; '
        "allowed a version that is not retired; none is left"
    ]


def test_nothing_is_said_of_latest_where_rules_could_not_be_read(folder: Folder) -> None:
    before = folder.load(GOOD)
    assert folder.refusal(changed(('"1.1.0": 95, "2.0.0": 5', '"1.1.0": -1, "2.0.0": 5')), previous=before) == [
        'stepdown.yaml:28:43: routes.churn.rules[1].split."1.1.0": found the number -1; allowed a number from 0 on'
    ]
