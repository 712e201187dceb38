"""A step that is declared to be impossible: never planned, told wherever the way is missed, alone in its entry."""

from __future__ import annotations

import pytest

from stepdown.config.survey import survey
from tests.kit.configuration import GOOD, Folder, changed

ADAPTERS = GOOD[GOOD.index("    adapters:") : GOOD.index("    clients:")]
CLIENTS = GOOD[GOOD.index("    clients:") : GOOD.index("routes:")]
REFUSED = '    adapters:\n      - {from: "2.0.0", to: "1.1.0", refuse: the embedding space differs}\n'
WHY = "2.0.0 -> 1.1.0 is refused: the embedding space differs"


@pytest.mark.parametrize("default", ["1.1.0", "2.0.0"])
def test_an_old_server_that_stays_routed_keeps_every_promise(folder: Folder, default: str) -> None:
    text = changed((ADAPTERS, REFUSED), ('default_version: "1.1.0"', f'default_version: "{default}"'))
    spec = folder.load(text.replace('split: {"1.1.0": 95, "2.0.0": 5}', 'split: {"2.0.0": 1, "1.1.0": 0}')).spec
    assert {(chain.served, chain.pinned) for chain in spec.models[0].chains} == {("1.1.0", "1.0.0")}
    assert [(one.served, one.pinned, one.why) for one in spec.models[0].refused] == [
        ("2.0.0", "1.0.0", WHY),
        ("2.0.0", "1.1.0", WHY),
    ]


@pytest.mark.parametrize("default", ["1.1.0", "2.0.0"])
def test_without_an_old_server_promises_are_refused_with_the_reason(folder: Folder, default: str) -> None:
    text = changed((ADAPTERS, REFUSED), (CLIENTS, ""), ('default_version: "1.1.0"', f'default_version: "{default}"'))
    found = folder.refusal(text.replace('split: {"1.1.0": 95, "2.0.0": 5}', 'split: {"2.0.0": 1}'))
    errors = [line for line in found if "warning" not in line]
    assert errors
    for line in errors:
        assert f": {WHY}; allowed an old server for " in line
        assert "endpoints, and a rule that names it" in line


def test_no_step_is_derived_where_one_is_refused(folder: Folder) -> None:
    refused = ADAPTERS + '      - {from: "1.1.0", to: "1.0.0", refuse: no reason}\n'
    (model,) = survey(folder.write("stepdown.yaml", changed((ADAPTERS, refused))), {}).models
    assert ("1.1.0", "1.0.0") not in model.plan.chains
    assert model.plan.missing("2.0.0", "1.0.0") == "1.1.0 -> 1.0.0 is refused: no reason"


@pytest.mark.parametrize("key", ["response: []", "hook: json:loads", "prune: true", "errors: []"])
def test_a_refusal_stands_alone(folder: Folder, key: str) -> None:
    entry = f'    adapters:\n      - {{from: "2.0.0", to: "1.1.0", refuse: x, {key}}}\n'
    found = folder.refusal(changed((ADAPTERS, entry)))
    assert any(
        f"found refuse and {key.partition(':')[0]}; allowed refuse alone beside from and to" in line for line in found
    )


def test_a_refusal_and_an_adapter_for_the_same_pair_are_one_too_many(folder: Folder) -> None:
    both = ADAPTERS + '      - {from: "2.0.0", to: "1.1.0", refuse: x}\n'
    (message,) = folder.refusal(changed((ADAPTERS, both)))
    assert "found a second adapter from 2.0.0 to 1.1.0" in message
