from __future__ import annotations

from pathlib import Path

import pytest

from stepdown.config import ProcessSettings, load
from stepdown.decide.spec import decode, encode
from tests.kit.configuration import GOOD, Folder, changed

MODELS = GOOD[GOOD.index("models:") : GOOD.index("routes:")]
ROUTES = GOOD[GOOD.index("routes:") :]
MAIN = "listen: 127.0.0.1:8080\ninclude: [teams/*.yaml]\n"
IN_TEAMS = MODELS.replace("contracts/", "../contracts/")
OTHER_TEAM = """\
models: {fraud: {versions: {"1.0.0": {endpoints: [http://fraud:80]}}}}
routes: {fraud: {match: {path: /fraud}, model: fraud}}
"""


def test_the_worked_example_becomes_a_specification_that_survives_the_way_to_a_worker(folder: Folder) -> None:
    loaded = folder.load(GOOD)
    assert loaded.warnings == ()
    assert decode(encode(loaded.spec)) == loaded.spec
    (model,) = loaded.spec.models
    assert (model.default_version, model.latest, model.repeatable) == ("1.1.0", "1.1.0", True)
    assert [version.id for version in model.versions] == ["1.0.0", "1.1.0", "2.0.0"]
    (route,) = loaded.spec.routes
    assert [(rule.name, rule.split, rule.salt) for rule in route.rules] == [
        ("beta", (("2.0.0", 100),), "churn/beta"),
        ("everyone", (("1.1.0", 95), ("2.0.0", 5)), "churn/everyone"),
    ]


def test_every_file_that_was_read_is_known(folder: Folder) -> None:
    names = {str(file.relative_to(folder.path)) for file in folder.load(GOOD).files}
    assert names == {"stepdown.yaml", "contracts/1.0.0.json", "contracts/1.1.0.json", "contracts/2.0.0.json"}
    assert folder.load().files[0] == folder.file


def test_process_settings_have_defaults_for_a_pod(folder: Folder) -> None:
    assert folder.load(GOOD).process == ProcessSettings(
        listen=("127.0.0.1", 8080), status=None, admin=None, workers=1, drain_delay=5.0, drain_grace=20.0
    )
    more = "status: 127.0.0.1:0\nadmin: {listen: 127.0.0.1:0}\nworkers: 2\ndrain: {delay: 0, grace: 1m}\n"
    assert folder.load(GOOD + more).process == ProcessSettings(
        listen=("127.0.0.1", 8080),
        status=("127.0.0.1", 0),
        admin=("127.0.0.1", 0),
        workers=2,
        drain_delay=0.0,
        drain_grace=60.0,
    )


def test_an_admin_api_without_tokens_is_doubtful(folder: Folder) -> None:
    assert folder.warnings(GOOD + "admin: {listen: 127.0.0.1:0}\n") == [
        "stepdown.yaml:29:1: warning: admin: found no tokens: every call of the admin API is refused; "
        "allowed at least one"
    ]


def test_the_admin_api_may_be_called_by_names_that_the_file_has(folder: Folder) -> None:
    loaded = folder.load(GOOD + "admin: {listen: 127.0.0.1:0, hosts: [Stepdown.models.svc, stepdown]}\n")
    assert loaded.process.admin_hosts == ("stepdown.models.svc", "stepdown")
    assert folder.load(GOOD + "admin: {listen: 127.0.0.1:0}\n").process.admin_hosts == ()


def test_no_pattern_names_the_admin_api(folder: Folder) -> None:
    assert folder.refusal(GOOD + 'admin: {listen: 127.0.0.1:0, hosts: [a, "*.svc"]}\n')[-1:] == [
        'stepdown.yaml:29:41: admin.hosts[1]: found "*.svc"; allowed a whole name, such as stepdown.models.svc',
    ]


def test_a_file_that_routes_nothing_is_doubtful(folder: Folder) -> None:
    assert folder.warnings("listen: 127.0.0.1:0\n") == [
        "stepdown.yaml:1:1: warning: nothing is routed: every request will be answered with 404; "
        "allowed routes or passthrough_to"
    ]
    assert folder.warnings("passthrough_to: http://churn:80\n") == []


def test_files_that_cannot_be_read_are_findings(folder: Folder) -> None:
    assert folder.refusal() == ["stepdown.yaml:1:1: the file does not exist"]
    assert folder.refusal("a: ä\n".encode("latin-1")) == ["stepdown.yaml:1:1: the file is not UTF-8"]
    assert folder.refusal(b"a: 1\nb: \xff\n") == ["stepdown.yaml:2:1: the file is not UTF-8"]
    assert folder.refusal("- a\n") == ["stepdown.yaml:1:1: found a list; allowed a mapping"]
    assert folder.refusal(b"#" * (8 * 1024 * 1024 + 1)) == ["stepdown.yaml:1:1: the file is longer than 8388608 bytes"]
    folder.file.unlink()
    folder.file.mkdir()
    assert folder.refusal() == ["stepdown.yaml:1:1: the file cannot be read: Is a directory"]


def test_a_byte_order_mark_does_no_harm(folder: Folder) -> None:
    assert folder.load(b"\xef\xbb\xbf" + GOOD.encode()).spec == folder.load(GOOD).spec


# --- included files -------------------------------------------------------------------------------------------------


def test_included_files_contribute_models_and_routes(folder: Folder) -> None:
    folder.write("teams/churn.yaml", IN_TEAMS + ROUTES)
    folder.write("teams/fraud.yaml", OTHER_TEAM)
    loaded = folder.load(MAIN)
    assert [model.name for model in loaded.spec.models] == ["churn", "fraud"]
    assert [route.name for route in loaded.spec.routes] == ["churn", "fraud"]
    assert loaded.spec.routes[0] == folder.load(GOOD).spec.routes[0]


def test_mistakes_of_all_files_are_told_at_once_each_in_its_file(folder: Folder) -> None:
    folder.write("teams/churn.yaml", (IN_TEAMS + ROUTES).replace("POST", "post"))
    folder.write("teams/fraud.yaml", OTHER_TEAM.replace("model: fraud}", "model: frod}"))
    assert folder.refusal(MAIN + "workers: 0\n") == [
        "stepdown.yaml:3:10: workers: found the number 0; allowed a number from 1 on",
        'teams/churn.yaml:22:53: routes.churn.match.methods[0]: found "post"; '
        "allowed a method in capitals, one of DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT, QUERY",
        'teams/fraud.yaml:2:48: routes.fraud.model: found "frod"; allowed one of models: "churn", "fraud"; '
        'did you mean "fraud"?',
    ]  # fmt: skip


def test_a_name_in_two_files_names_both_places(folder: Folder) -> None:
    folder.write("teams/a.yaml", OTHER_TEAM)
    folder.write("teams/b.yaml", 'models: {fraud: {versions: {"1.0.0": {}}}}\n')
    assert folder.refusal(MAIN) == [
        'teams/b.yaml:1:10: models.fraud: found "fraud" a second time; '
        "allowed each name once in all files; the first is at teams/a.yaml:1:10"
    ]


def test_only_models_and_routes_may_be_included(folder: Folder) -> None:
    folder.write("teams/a.yaml", "listen: 127.0.0.1:80\nmodel: {}\nroutes: []\n")
    shared = "models, routes, segments, rollouts"
    assert folder.refusal(MAIN) == [
        f'teams/a.yaml:1:1: listen: found the key "listen" in an included file; allowed {shared}',
        f'teams/a.yaml:2:1: model: found the key "model" in an included file; allowed {shared}; did you mean "models"?',
        "teams/a.yaml:3:9: routes: found a list; allowed a mapping",
    ]


def test_a_pattern_without_files_is_doubtful_and_what_is_no_name_is_refused(folder: Folder) -> None:
    assert folder.warnings(GOOD + "include: teams/*.yaml\n") == [
        'stepdown.yaml:29:10: warning: include: no file matches "teams/*.yaml"'
    ]
    assert folder.refusal(GOOD + 'include: ["", 5]\n') == [
        'stepdown.yaml:29:11: include[0]: found ""; allowed the name of a file',
        'stepdown.yaml:29:15: include[1]: found the number 5; allowed a text; quote it: "5"',
    ]


def test_a_file_that_matches_its_own_pattern_is_read_once(folder: Folder) -> None:
    assert folder.load(GOOD + 'include: ["*.yaml", stepdown.yaml]\n').spec == folder.load(GOOD).spec


# --- the last good copy ---------------------------------------------------------------------------------------------


@pytest.fixture
def teams(folder: Folder) -> Folder:
    folder.write("teams/churn.yaml", IN_TEAMS + ROUTES)
    folder.write("teams/fraud.yaml", OTHER_TEAM)
    return folder


BROKEN = {
    "no YAML": IN_TEAMS + ROUTES + "]",
    "a structural mistake": (IN_TEAMS + ROUTES).replace("POST", "post"),
    "a name that does not exist": (IN_TEAMS + ROUTES).replace('to: "1.1.0"', 'to: "1.2.0"'),
    "a contract that does not exist": (IN_TEAMS + ROUTES).replace("1.1.0.json", "1.2.0.json"),
    "nothing": "",
}


@pytest.mark.parametrize("text", BROKEN.values(), ids=BROKEN)
def test_one_broken_file_does_not_hold_up_the_change_of_another(teams: Folder, text: str) -> None:
    before = teams.load(MAIN)
    teams.write("teams/churn.yaml", text)
    teams.write("teams/fraud.yaml", OTHER_TEAM.replace("http://fraud:80", "http://fraud:81"))
    after = teams.load(previous=before)
    assert after.spec.models[0] == before.spec.models[0]
    assert after.spec.models[1].versions[0].endpoints[0].port == 81
    assert {warning.place.file for warning in after.warnings} == {str(teams.path / "teams/churn.yaml")}
    assert "the last good copy of this file stays in force" in {warning.problem for warning in after.warnings}
    assert len(after.warnings) > 1


def test_the_copy_stays_good_over_several_reloads_until_the_file_is_mended(teams: Folder) -> None:
    loaded = before = teams.load(MAIN)
    teams.write("teams/churn.yaml", "broken")
    for _ in range(3):
        loaded = teams.load(previous=loaded)
        assert loaded.spec == before.spec
    teams.write("teams/churn.yaml", (IN_TEAMS + ROUTES).replace("95", "90"))
    mended = teams.load(previous=loaded)
    assert mended.warnings == ()
    assert mended.spec.routes[0].rules[1].split[0] == ("1.1.0", 90)


def test_the_copy_includes_the_contracts_as_they_were(teams: Folder) -> None:
    before = teams.load(MAIN)
    teams.write("contracts/1.1.0.json", "{broken")
    after = teams.load(previous=before)
    assert after.spec == before.spec
    assert "is no usable contract" in str(after.warnings)


def test_a_change_that_only_breaks_other_files_is_not_taken_either(teams: Folder) -> None:
    teams.write("teams/churn.yaml", IN_TEAMS)
    teams.write("teams/routes.yaml", ROUTES)
    before = teams.load(MAIN)
    teams.write("teams/churn.yaml", IN_TEAMS.replace("  churn:\n", "  renamed:\n"))
    after = teams.load(MAIN + "trusted_hops: 1\n", previous=before)
    assert after.spec.models == before.spec.models
    assert after.spec.trusted_hops == 1
    assert 'found "churn"; allowed one of models: "renamed", "fraud"' in "\n".join(map(str, after.warnings))


def test_at_the_first_load_there_is_no_copy(teams: Folder) -> None:
    teams.write("teams/churn.yaml", "broken")
    assert teams.refusal(MAIN) == ['teams/churn.yaml:1:1: found "broken"; allowed a mapping']


def test_the_main_file_has_no_copy(teams: Folder) -> None:
    before = teams.load(MAIN)
    assert teams.refusal(MAIN + "workers: x\n", previous=before) == [
        'stepdown.yaml:3:10: workers: found "x"; allowed a whole number'
    ]


def test_a_file_that_is_gone_is_gone(teams: Folder) -> None:
    before = teams.load(MAIN)
    (teams.path / "teams/fraud.yaml").unlink()
    assert [model.name for model in teams.load(previous=before).spec.models] == ["churn"]


def test_a_copy_that_does_not_fit_the_rest_any_more_is_refused_with_what_was_found_first(teams: Folder) -> None:
    before = teams.load(MAIN)
    teams.write("teams/churn.yaml", IN_TEAMS)
    teams.write("teams/fraud.yaml", OTHER_TEAM + "x: 1\n")
    found = teams.refusal(changed(("listen: 127.0.0.1:8080", MAIN)), previous=before)
    assert any('models.churn: found "churn" a second time' in line for line in found)


def test_paths_are_shown_as_they_were_given(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.write("stepdown.yaml", GOOD)
    monkeypatch.chdir(folder.path)
    assert load(Path("stepdown.yaml"), {}).files[0] == Path("stepdown.yaml")


def test_the_same_files_make_the_same_specification_wherever_they_lie(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    absolute = folder.load(GOOD).spec
    monkeypatch.chdir(folder.path)
    relative = load(Path("stepdown.yaml"), {}).spec
    assert relative.models[0].chains[1].steps[0].where == "stepdown.yaml:14"
    assert encode(relative) == encode(absolute)
