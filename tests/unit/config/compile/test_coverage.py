from __future__ import annotations

from tests.kit.configuration import GOOD, Folder, changed

ADAPTERS = GOOD[GOOD.index("    adapters:") : GOOD.index("    clients:")]
REMEDY = "allowed an adapter for it in models.churn.adapters"
CLIENTS = GOOD[GOOD.index("    clients:") : GOOD.index("routes:")]


def test_every_pair_that_can_be_had_has_its_chain(folder: Folder) -> None:
    chains = {
        (c.served, c.pinned): [(s.source, s.target, s.kind) for s in c.steps]
        for c in folder.load(GOOD).spec.models[0].chains
    }
    assert chains == {
        ("1.1.0", "1.0.0"): [("1.1.0", "1.0.0", "projection")],
        ("2.0.0", "1.1.0"): [("2.0.0", "1.1.0", "adapter")],
        ("2.0.0", "1.0.0"): [("2.0.0", "1.1.0", "adapter"), ("1.1.0", "1.0.0", "projection")],
    }


def test_a_projection_removes_what_the_older_contract_does_not_know(folder: Folder) -> None:
    chain = next(c for c in folder.load(GOOD).spec.models[0].chains if c.served == "1.1.0")
    assert chain.steps[0].response == ({"remove": "/note"},)


def test_a_version_that_only_a_weight_of_zero_names_may_stand_in_and_is_covered_too(folder: Folder) -> None:
    found = folder.refusal(changed((ADAPTERS, ""), ('"2.0.0": 100', '"1.1.0": 100'), ('"2.0.0": 5', '"2.0.0": 0')))
    assert len(found) == 1
    assert found[0].startswith('stepdown.yaml:22:47: routes.churn.rules[1].split."2.0.0": 2.0.0 cannot answer')


def test_pins_of_clients_are_covered_like_the_default(folder: Folder) -> None:
    no_step = ('"1.0.0": {schema: contracts/1.0.0.json, ', '"1.0.0": {')
    found = folder.refusal(changed(no_step, ("version: ^1.0", "version: 1.0.0")))
    said = "(pinned by an entry of clients): 1.1.0 -> 1.0.0: no adapter is declared"
    assert [line.split(": ", 2)[1:] for line in found] == [
        [
            f'routes.churn.rules[{rule}].split."{served}"',
            f"{served} cannot answer in the shape of 1.0.0 {said}; {REMEDY}",
        ]
        for rule, served in ((0, "2.0.0"), (1, "1.1.0"), (1, "2.0.0"))
    ]


def test_why_no_step_could_be_derived_is_said(folder: Folder) -> None:
    folder.write(
        "contracts/1.0.0.json", '{"type": "object", "properties": {"score": {"type": "string"}}, "required": ["score"]}'
    )
    found = folder.refusal(changed((CLIENTS, "")))
    assert found == [
        "stepdown.yaml:20:3: routes.churn: no version can answer in the shape of 1.0.0: 1.1.0 -> 1.0.0: no adapter is "
        "declared and the contracts differ at /score: 'type' is 'number' instead of 'string'; "
        f"{REMEDY}, or retired: true for 1.0.0"
    ]


def test_a_retired_shape_needs_no_cover(folder: Folder) -> None:
    text = changed((CLIENTS, ""), ('"1.0.0": {schema: contracts/1.0.0.json, ', '"1.0.0": {retired: true, '))
    assert folder.load(text).warnings == ()


def test_equal_contracts_are_no_step_across_a_major(folder: Folder) -> None:
    found = folder.refusal(changed((ADAPTERS, ""), ("contracts/2.0.0.json", "contracts/1.1.0.json")))
    assert "2.0.0 -> 1.1.0: no adapter is declared" in found[0]


def test_a_minor_of_version_zero_may_break_and_is_no_step_either(folder: Folder) -> None:
    text = changed(
        ("1.0.0", "0.1.0"),
        ("1.1.0", "0.2.0"),
        ("^1.0", "0.2.0"),
        ("contracts/0.1", "contracts/1.0"),
        ("contracts/0.2", "contracts/1.1"),
    )
    assert "no version can answer in the shape of 0.1.0" in folder.refusal(text)[0]


def test_a_served_version_that_no_rule_names_is_doubtful(folder: Folder) -> None:
    text = changed(('"2.0.0": 100', '"1.1.0": 100'), (', "2.0.0": 5', ""))
    assert folder.warnings(text) == [
        'stepdown.yaml:9:7: warning: models.churn.versions."2.0.0": clients that ask for 2.0.0 get 406 on the '
        'route churn: none of its rules names 2.0.0; allowed a rule that names it, if only with no weight: "2.0.0": 0'
    ]


def test_pinning_servers_needs_servers_and_still_covers_the_default(folder: Folder) -> None:
    servers = ("    model: churn\n", "    model: churn\n    pin: server\n")
    assert folder.load(changed(servers)).spec.routes[0].pin == "server"
    assert folder.refusal(changed(servers, ("version: ^1.0", "version: 1.0.0"))) == [
        "stepdown.yaml:20:54: models.churn.clients[0].version: found 1.0.0, which has no endpoints, but the route "
        "churn pins servers; allowed a version that servers run, or pin: shape"
    ]
    assert len(folder.refusal(changed(servers, (ADAPTERS, "")))) == 2
