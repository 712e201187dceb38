"""`rollouts`: what is compiled, what is refused with its place and its fix, and what such a rule serves today."""

from __future__ import annotations

import pytest

from stepdown.decide.driving import in_effect, with_driven
from stepdown.decide.rollout_spec import Ceiling, Driven, Share
from stepdown.decide.spec import versions_of
from tests.kit.configuration import Folder

TEXT = """\
models:
  churn:
    default_version: "1.1.0"
    versions:
      "1.0.0": {schema: contracts/1.0.0.json}
      "1.1.0": {schema: contracts/1.1.0.json, endpoints: ["http://v1:8080"]}
      "2.0.0": {schema: contracts/2.0.0.json, endpoints: ["http://v2:8080"]}
    adapters:
      - {from: "2.0.0", to: "1.1.0", response: [{remove: /explanation}]}
routes:
  churn:
    match: {path: /infer}
    model: churn
    rules:
      - {name: everyone, rollout: churn-2}
rollouts:
  churn-2:
    stable: "1.1.0"
    candidate: "2.0.0"
    steps: [5, 25, {weight: 50, for: 1h, min_requests: 5000, manual: true}, 100]
    guards:
      - errors
      - {kind: event, event: click, name: ctr, margin: 10%}
"""
NO_SCHEMA = {
    "1.0.0": ("{schema: contracts/1.0.0.json}", "{}"),
    "1.1.0": ("schema: contracts/1.1.0.json, ", ""),
    "2.0.0": ("schema: contracts/2.0.0.json, ", ""),
}
CONTRACT = '{"properties": {"score": {"type": "number"}}}'
DECLARED = '"1.0.0", "1.1.0", "2.0.0"'
SHADOW = 'shadow: {version: "2.0.0", percent: 20}'


@pytest.fixture
def churn(folder: Folder) -> Folder:
    for version in ("1.0.0", "1.1.0", "2.0.0"):
        folder.write(f"contracts/{version}.json", CONTRACT)
    return folder


def text(*changes: tuple[str, str]) -> str:
    found = TEXT
    for written, instead in changes:
        assert written in found
        found = found.replace(written, instead)
    return found


def guards(*those: str) -> tuple[str, str]:
    return TEXT[TEXT.index("    guards:") :], f"    guards: [{', '.join(those)}]\n"


def test_a_rollout_that_ends_at_half_never_waits_for_servers_of_stable(churn: Folder) -> None:
    ends = text((", 100]", "]"), ('candidate: "2.0.0"', 'candidate: "2.0.0"\n    min_ready: 2'))
    (rollout,) = churn.load(ends).spec.rollouts
    assert (rollout.steps[-1].weight, rollout.min_ready) == (50, 2)


def test_a_rollout_is_carried_whole(churn: Folder) -> None:
    (rollout,) = churn.load(TEXT).spec.rollouts
    assert (rollout.name, rollout.stable, rollout.candidate) == ("churn-2", "1.1.0", "2.0.0")
    assert [(step.weight, step.least_duration, step.least_units, step.gate) for step in rollout.steps] == [
        (5, 600, 1000, False),
        (25, 600, 1000, False),
        (50, 3600, 5000, True),
        (100, 600, 1000, False),
    ]
    assert rollout.guards == (
        Share(name="errors", kind="errors"),
        Share(name="ctr", kind="click", must_not="fall", margin=0.1),
    )


STATE = "state: {rollouts: rollouts.db}\n"
ADMIN = "admin: {listen: 127.0.0.1:0, tokens: [{name: ops, role: operate, token: {env: TOKEN}}]}\n"


def test_where_no_state_is_kept_stable_has_everything_and_a_warning_says_so(churn: Folder) -> None:
    loaded = churn.load(TEXT)
    (rule,) = loaded.spec.routes[0].rules
    assert (rule.rollout, rule.split) == ("churn-2", (("1.1.0", 1),))
    assert loaded.spec.models[0].latest == "1.1.0"
    assert [str(finding).split("stepdown.yaml:")[1] for finding in loaded.warnings] == [
        "15:35: warning: routes.churn.rules[0].rollout: there is no place for the state of churn-2, so it cannot be"
        " started: 1.1.0 has 100 % of the rule everyone and 2.0.0 has 0 %, so clients that ask for its shape get 406;"
        " allowed it with state: {rollouts: FILE}",
        '23:9: warning: rollouts.churn-2.guards[1]: the event "click" can be reported by nobody: there is no feedback;'
        " allowed it for `stepdown rollout simulate` and `plan`",
    ]


def test_an_event_that_somebody_can_report_is_not_doubtful(churn: Folder) -> None:
    feedback = "feedback: {secrets: {env: SECRET}, keys: [{name: shop, key: {env: KEY}}]}\n"
    environ = {"SECRET": "tokens-are-signed-with-this", "KEY": "and-posted-back-with-this"}
    assert ["reported" in str(one) for one in churn.load(TEXT + feedback, environ=environ).warnings] == [False]
    driven = churn.load(TEXT + feedback + STATE + ADMIN, environ=environ | {"TOKEN": "may-operate-what-there-is"})
    assert driven.warnings == ()


def test_with_a_place_for_its_state_and_somebody_to_start_it_nothing_is_doubtful_about_a_rollout(churn: Folder) -> None:
    loaded = churn.load(text(guards("errors")) + STATE + ADMIN, environ={"TOKEN": "may-operate-what-there-is"})
    assert loaded.warnings == ()
    assert loaded.spec.routes[0].rules[0].split == (("1.1.0", 1),)


def test_where_nobody_can_start_a_rollout_a_warning_says_so(churn: Folder) -> None:
    (warning,) = churn.load(text(guards("errors")) + STATE).warnings
    assert str(warning).endswith(
        "warning: routes.churn.rules[0].rollout: there is no admin API, by which churn-2 would be started and stopped; "
        "allowed it with admin: {listen: ADDRESS}"
    )


def test_a_candidate_that_another_rule_names_is_not_missed(churn: Folder) -> None:
    beta = '      - {name: beta, when: {header: {x-plan: beta}}, split: {"2.0.0": 1}}\n'
    loaded = churn.load(text(("    rules:\n", f"    rules:\n{beta}")))
    assert "406" not in loaded.warnings[0].message


def test_without_guards_it_has_the_four_usual_ones(churn: Folder) -> None:
    (rollout,) = churn.load(text((guards()[0], ""))).spec.rollouts
    assert [(guard.name, guard.kind) for guard in rollout.guards if isinstance(guard, Share)] == [
        ("errors", "errors"),
        ("adapter_failures", "adapter_failures"),
        ("contract_violations", "contract_violations"),
        ("latency", "slow"),
    ]


def test_the_usual_guards_of_models_without_contracts_leave_contracts_out(churn: Folder) -> None:
    bare = text(
        (guards()[0], ""),
        NO_SCHEMA["1.1.0"],
        NO_SCHEMA["2.0.0"],
        ('      "1.0.0": {schema: contracts/1.0.0.json}\n', ""),
    )
    (rollout,) = churn.load(bare).spec.rollouts
    assert [guard.name for guard in rollout.guards] == ["errors", "adapter_failures", "latency"]


def test_contracts_of_the_candidate_alone_are_no_reason_to_compare_and_good_for_a_limit(churn: Folder) -> None:
    bare = (NO_SCHEMA["1.1.0"], ('      "1.0.0": {schema: contracts/1.0.0.json}\n', ""))
    (rollout,) = churn.load(text((guards()[0], ""), *bare)).spec.rollouts
    assert [guard.name for guard in rollout.guards] == ["errors", "adapter_failures", "latency"]
    (rollout,) = churn.load(text(guards("{kind: contract_violations, limit: 1%}"), *bare)).spec.rollouts
    assert [type(guard) for guard in rollout.guards] == [Ceiling]


def test_an_older_contract_than_that_of_stable_is_one_that_both_may_break(churn: Folder) -> None:
    down = '    adapters:\n      - {from: "1.1.0", to: "1.0.0", response: [{remove: /explanation}]}\n'
    changes = (guards("contract_violations"), NO_SCHEMA["1.1.0"], ("    adapters:\n", down))
    (rollout,) = churn.load(text(*changes)).spec.rollouts
    assert [guard.name for guard in rollout.guards] == ["contract_violations"]


def test_a_limit_makes_a_ceiling(churn: Folder) -> None:
    route = ("    model: churn\n", f"    model: churn\n    {SHADOW}\n")
    (rollout,) = churn.load(text(guards("{kind: shadow_different, limit: 2%}"), route)).spec.rollouts
    assert rollout.guards == (Ceiling(name="shadow_different", kind="shadow_different", limit=0.02),)


def test_a_warm_up_has_the_share_of_the_shadow(churn: Folder) -> None:
    route = ("    model: churn\n", f"    model: churn\n    {SHADOW}\n")
    (rollout,) = churn.load(text(("steps: [5,", "steps: [0, 5,"), route)).spec.rollouts
    assert [(step.weight, step.shadow) for step in rollout.steps[:2]] == [(0, 20), (5, 0)]


def test_latest_and_ranges_mean_what_stable_and_the_candidate_can_both_give(churn: Folder) -> None:
    churn.write("contracts/2.0.0.json", '{"properties": {"score": {"type": "string"}}, "required": ["score"]}')
    below = (
        '{from: "2.0.0", to: "1.1.0", response: [{remove: /explanation}]}',
        '{from: "2.0.0", to: "1.0.0", response: [{replace: {path: /score, value: 0.5}}]}',
    )
    oldest = ('default_version: "1.1.0"', 'default_version: "^1"')
    model = churn.load(text(below, oldest)).spec.models[0]
    assert (model.latest, model.default_version) == ("1.0.0", "1.0.0")
    alone = text(below, oldest, ("{name: everyone, rollout: churn-2}", '{name: everyone, split: {"1.1.0": 1}}'))
    model = churn.load(alone[: alone.index("rollouts:")]).spec.models[0]
    assert (model.latest, model.default_version) == ("1.1.0", "1.1.0")


def test_of_versions_that_are_kept_apart_stable_says_what_latest_means(churn: Folder) -> None:
    apart = (
        '{from: "2.0.0", to: "1.1.0", response: [{remove: /explanation}]}',
        '{from: "2.0.0", to: "1.1.0", refuse: scores differ}',
    )
    assert churn.load(text(apart)).spec.models[0].latest == "1.1.0"


def test_segments_come_first_and_then_everybody_from_less(churn: Folder) -> None:
    steps = ("[5, 25,", "[{segment: beta, weight: 50}, {segment: beta, weight: 100, manual: true}, 5, 25,")
    loaded = churn.load(text(steps, BETA))
    (rollout,) = loaded.spec.rollouts
    assert [(step.segment, step.weight, step.gate) for step in rollout.steps[:3]] == [
        ("beta", 50, False),
        ("beta", 100, True),
        (None, 5, False),
    ]
    assert not [finding for finding in loaded.warnings if "used by no rule" in finding.message]


def test_what_a_step_gives_keeps_the_promises_of_the_file(churn: Folder) -> None:
    steps = ("[5, 25,", "[{segment: beta, weight: 50}, 5, 25,")
    loaded = churn.load(text(steps, BETA))
    model = loaded.spec.models[0]
    reached = {(chain.served, chain.pinned) for chain in model.chains}
    for step, weight in ((0, 50), (1, 5), (4, 100)):
        driven = Driven(run=1, step=step, weight=weight, stable="1.1.0")
        for route in in_effect(with_driven(loaded.spec, {"churn-2": driven})):
            served = {version for rule in route.rules for version in versions_of(rule)}
            assert all((one, model.default_version) in reached for one in served - {model.default_version})


def test_an_included_file_may_bring_its_rollouts(churn: Folder) -> None:
    churn.write("team.yaml", TEXT)
    assert [one.name for one in churn.load("include: team.yaml\n").spec.rollouts] == ["churn-2"]


STABLE, CANDIDATE = '    stable: "1.1.0"', '    candidate: "2.0.0"'
BETA = (
    "- {kind: event, event: click, name: ctr, margin: 10%}\n",
    "- {kind: event, event: click, name: ctr, margin: 10%}\nsegments: {beta: {header: {x-plan: beta}}}\n",
)
MISTAKES: dict[str, tuple[tuple[tuple[str, str], ...], str]] = {
    "an unknown stable": (
        ((STABLE, '    stable: "1.2.0"'),),
        f'18:13: rollouts.churn-2.stable: found "1.2.0"; allowed a declared version: {DECLARED}; did you mean "1.1.0"?',
    ),
    "an unknown candidate": (
        ((CANDIDATE, '    candidate: "2.0.1"'),),
        f'19:16: rollouts.churn-2.candidate: found "2.0.1"; allowed a declared version: {DECLARED}; '
        'did you mean "2.0.0"?',
    ),
    "a version that no server runs": (
        ((STABLE, '    stable: "1.0.0"'),),
        '18:13: rollouts.churn-2.stable: found "1.0.0", which has no endpoints; allowed a version that servers run: '
        '"1.1.0", "2.0.0"',
    ),
    "a candidate that is stable": (
        ((CANDIDATE, '    candidate: "1.1.0"'),),
        '19:16: rollouts.churn-2.candidate: found "1.1.0", which is stable too; allowed another version than stable',
    ),
    "steps that fall": (
        (("[5, 25,", "[25, 5,"),),
        "20:12: rollouts.churn-2.steps: found the weights 25, 5, 50, 100; allowed weights that rise with each step",
    ),
    "a step that is a text": (
        (("[5, 25,", '["5%", 25,'),),
        '20:13: rollouts.churn-2.steps[0]: found "5%"; allowed a weight in per cent such as 5, or a mapping such as '
        "{weight: 5, for: 10m}",
    ),
    "a direction of what has one": (
        (guards("{kind: errors, must_not: fall}"),),
        "21:14: rollouts.churn-2.guards[0]: found must_not with errors; allowed it with kind: event, prometheus or "
        "webhook only",
    ),
    "weights of a segment that fall": (
        (("[5, 25,", "[{segment: beta, weight: 50}, {segment: beta, weight: 20}, 5, 25,"), BETA),
        "20:12: rollouts.churn-2.steps: found the weights beta 50, beta 20, 5, 25, 50, 100; allowed weights that rise "
        "with each step, of each segment and of everybody, and those of segments above everybody's before",
    ),
    "a segment that has as much already": (
        (("[5, 25,", "[5, {segment: beta, weight: 5}, 25,"), BETA),
        "20:12: rollouts.churn-2.steps: found the weights 5, beta 5, 25, 50, 100; allowed weights that rise with each "
        "step, of each segment and of everybody, and those of segments above everybody's before",
    ),
    "a last step for some": (
        ((", 100]", ", {segment: beta, weight: 100}]"), BETA),
        "20:12: rollouts.churn-2.steps: found a last step for beta only; allowed a last step for everybody",
    ),
    "an unknown segment": (
        (("[5, 25,", "[{segment: bet, weight: 50}, 5, 25,"), BETA),
        '20:23: rollouts.churn-2.steps[0].segment: found "bet"; allowed one of segments: "beta"; did you mean "beta"?',
    ),
    "a segment where there are none": (
        (("[5, 25,", "[{segment: beta, weight: 50}, 5, 25,"),),
        '20:23: rollouts.churn-2.steps[0].segment: found "beta"; allowed one of segments: there are none',
    ),
    "a segment of which nobody takes part": (
        (("[5, 25,", "[{segment: beta, weight: 0}, 5, 25,"), BETA),
        "20:13: rollouts.churn-2.steps[0]: found the segment beta with a weight of 0, so that nobody takes part; "
        "allowed a weight above 0, or a warm-up without segment",
    ),
    "a weight that no slot has": (
        (("[5, 25,", "[0.004, 25,"),),
        "20:13: rollouts.churn-2.steps[0]: found 0.004 %, which is less than one of 10,000 slots; "
        "allowed at least 0.01, or 0 for a warm-up",
    ),
    "a segment that reads what the route does not have": (
        (
            ("[5, 25,", "[{segment: beta, weight: 50}, 5, 25,"),
            (BETA[0], BETA[1].replace("header: {x-plan: beta}", "percent: 5%")),
        ),
        "20:14: rollouts.churn-2.steps[0].segment: found percent or key_in, and the route churn has no key; allowed "
        "them on a route with a key: where a request says whose it is",
    ),
    "a segment's step that stable could never take back": (
        (
            (
                "[5, 25, {weight: 50, for: 1h, min_requests: 5000, manual: true}, 100]",
                "[{segment: beta, weight: 60}, 5]",
            ),
            BETA,
            (CANDIDATE, f"{CANDIDATE}\n    min_ready: 2"),
        ),
        "20:16: rollouts.churn-2.min_ready: found 2, and 1.1.0 has 1 endpoint, so no step above 50 % would ever be "
        "taken; allowed a number up to 1",
    ),
    "a step over 100": (
        (("100]", "120]"),),
        "20:77: rollouts.churn-2.steps[3]: found the number 120; allowed a number from 0 to 100: 20 is every fifth",
    ),
    "a step that stable could never take back": (
        ((CANDIDATE, f"{CANDIDATE}\n    min_ready: 2"),),
        "20:16: rollouts.churn-2.min_ready: found 2, and 1.1.0 has 1 endpoint, so no step above 50 % would ever be "
        "taken; allowed a number up to 1",
    ),
    "a deadline before the end": (
        (("for: 1h,", "for: 1h, deadline: 10m,"),),
        "18:5: rollouts.churn-2: found a deadline of 600 s for step 3, which lasts at least 3600 s; "
        "allowed a deadline after `for`, or 0 for none",
    ),
    "a rollout that no rule names": (
        (("rollout: churn-2}", 'split: {"1.1.0": 1, "2.0.0": 0}}'),),
        "17:3: rollouts.churn-2: no rule names it; allowed a rule with rollout: churn-2 in the place of its split",
    ),
    "a rule whose rollout is not there": (
        (("rollout: churn-2}", "rollout: churn-3}"),),
        '15:35: routes.churn.rules[0].rollout: found "churn-3"; allowed one of rollouts: "churn-2"; '
        'did you mean "churn-2"?',
    ),
    "a rollout beside a split": (
        (("rollout: churn-2}", 'rollout: churn-2, split: {"1.1.0": 1}}'),),
        "15:9: routes.churn.rules[0]: found split and rollout; allowed one of them",
    ),
    "a candidate that takes over": (
        (("rollout: churn-2}", 'rollout: churn-2, instead: ["2.0.0"]}'),),
        '15:54: routes.churn.rules[0].instead[0]: found "2.0.0", which is the candidate of its rollout; '
        "allowed versions that may take over at any time",
    ),
    "an unknown kind of guard": (
        (guards("{kind: latencies}"),),
        '21:21: rollouts.churn-2.guards[0].kind: found "latencies"; allowed errors or client_errors or timeouts or '
        "adapter_failures or contract_violations or stream_errors or latency or shadow_different or event or "
        "prometheus or webhook or threshold; "
        'did you mean "latency"?',
    ),
    "two guards of one name": (
        (guards("errors", "errors"),),
        '21:22: rollouts.churn-2.guards[1]: found a second guard called "errors"; allowed a `name` of its own for each',
    ),
    "broken contracts of a candidate alone": (
        (guards("contract_violations"), *(NO_SCHEMA[version] for version in ("1.0.0", "1.1.0"))),
        "21:14: rollouts.churn-2.guards[0]: found contract_violations, and no answer of 1.1.0 can break a contract; "
        "allowed it with a schema of 1.1.0 in models.churn, or with a limit for the candidate",
    ),
    "a limit on broken contracts that there are not": (
        (guards("{kind: contract_violations, limit: 1%}"), *NO_SCHEMA.values()),
        "21:14: rollouts.churn-2.guards[0]: found contract_violations, and neither version of models.churn has a "
        "contract; allowed it where versions have a schema",
    ),
    "copies that are compared and never made": (
        (guards("{kind: shadow_different, limit: 2%}"),),
        "21:14: rollouts.churn-2.guards[0]: found shadow_different, and the route churn copies nothing to 2.0.0; "
        'allowed it with shadow: {version: "2.0.0", percent: 20} at the route',
    ),
    "a warm-up without copies": (
        (("[5, 25,", "[0, 25,"),),
        "20:13: rollouts.churn-2.steps[0]: found a warm-up, and the route churn copies nothing to 2.0.0; "
        'allowed it with shadow: {version: "2.0.0", percent: 20} at the route',
    ),
    "an event without a name": (
        (guards("{kind: event}"),),
        "21:14: rollouts.churn-2.guards[0]: found an event without its name; allowed event: NAME with kind: event",
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_has_its_place_and_its_fix(name: str, churn: Folder) -> None:
    changes, message = MISTAKES[name]
    found = [line for line in churn.refusal(text(*changes)) if ": warning: " not in line]
    assert f"stepdown.yaml:{message}" in found


def test_two_rules_cannot_share_a_rollout(churn: Folder) -> None:
    second = "  other: {match: {path: /other}, model: churn, rules: [{rollout: churn-2}]}\nrollouts:\n"
    found = [line for line in churn.refusal(text(("rollouts:\n", second))) if ": warning: " not in line]
    assert found == [
        'stepdown.yaml:16:66: routes.other.rules[0].rollout: found "churn-2" in a second rule, and a rollout owns the '
        "split of one; allowed it in one rule (routes.churn has it), and a rollout of its own for other"
    ]


def test_the_candidate_has_to_keep_every_promise_although_it_gets_nothing(churn: Folder) -> None:
    churn.write("contracts/2.0.0.json", '{"properties": {"score": {"type": "string"}}}')
    bare = text(
        ('      - {from: "2.0.0", to: "1.1.0", response: [{remove: /explanation}]}\n', ""), ("    adapters:\n", "")
    )
    found = [line for line in churn.refusal(bare) if "cannot answer in the shape of 1.1.0" in line]
    assert len(found) == 1
    assert found[0].startswith("stepdown.yaml:17:5: rollouts.churn-2.candidate: 2.0.0 cannot answer")
