from __future__ import annotations

from stepdown.decide.spec import HeaderMatch, KeySource, Match
from tests.kit.configuration import GOOD, Folder, changed


def in_route(line: str) -> tuple[str, str]:
    return "    model: churn\n", f"    model: churn\n    {line}\n"


def test_shorthands_of_matches_are_resolved(folder: Folder) -> None:
    headers = "{X-A: x, x-b: {in: [y, z]}, x-c: {prefix: q}, x-d: {exists: false}, x-e: {sha256: '" + "AB" * 32 + "'}}"
    hosts = "host: A.example.com., hosts: ['*.B.example.com']"
    match = f"{{{hosts}, path_prefix: /v2, methods: [GET, GET], header: {headers}}}"
    route = folder.load(changed(("{path: /v2/models/churn/infer, methods: [POST]}", match))).spec.routes[0]
    assert route.match == Match(
        hosts=("a.example.com", "*.b.example.com"),
        path_prefix="/v2",
        methods=("GET",),
        headers=(
            HeaderMatch(name="x-a", equals="x"),
            HeaderMatch(name="x-b", any_of=("y", "z")),
            HeaderMatch(name="x-c", prefix="q"),
            HeaderMatch(name="x-d", exists=False),
            HeaderMatch(name="x-e", sha256="ab" * 32),
        ),
    )


def test_keys_are_a_list_or_one_source(folder: Folder) -> None:
    key = "key: [{header: x-user-id}, {cookie: uid}]"
    text = changed((key, "key: [{header: X-User-Id}, {json: /user/id}, client_ip, {cookie: uid}]"))
    assert folder.load(text + "trusted_hops: 0\n").spec.routes[0].key == (
        KeySource(header="x-user-id"),
        KeySource(json="/user/id"),
        KeySource(client_ip=True),
        KeySource(cookie="uid"),
    )
    assert folder.load(changed((key, "key: {cookie: uid}"))).spec.routes[0].key == (KeySource(cookie="uid"),)


def test_the_part_called_version_pins_unless_another_is_named(folder: Folder) -> None:
    def param(path: str, line: str = "errors: v2") -> str | None:
        match = ("{path: /v2/models/churn/infer, methods: [POST]}", f"{{{path}}}")
        return folder.load(changed(match, in_route(line))).spec.routes[0].version_param

    assert param('path: "/v/{version}/infer"') == "version"
    assert param('path_prefix: "/v/{version}"') == "version"
    assert param('path: "/v/{version}:predict"') == "version"
    assert param('path: "/v/{v}/infer"') is None
    assert param('path: "/v/{v}/infer"', "version_param: v") == "v"


def test_timeouts_and_limits_of_a_route_replace_those_of_the_file_one_by_one(folder: Folder) -> None:
    general = "timeouts: {connect: 1s, whole: 1m}\nlimits: {request_body: 1MiB, pending: 5}\n"
    text = changed(in_route("timeouts: {connect: 250ms}\n    limits: {pending: 7}"))
    spec = folder.load(text + general).spec
    timeouts, limits = spec.routes[0].timeouts, spec.routes[0].limits
    assert (timeouts.connect, timeouts.whole, timeouts.keep_alive) == (0.25, 60.0, 75.0)
    assert (limits.request_body, limits.pending, limits.connections) == (1024 * 1024, 7, 1024)
    assert (spec.client_timeouts.connect, spec.client_timeouts.whole) == (1.0, 60.0)


def test_asking_a_native_version_needs_a_model_that_may_be_asked_twice(folder: Folder) -> None:
    asking = in_route("on_adapter_failure: ask_native")
    assert folder.load(changed(asking)).spec.routes[0].on_adapter_failure == "ask_native"
    assert folder.refusal(changed(asking, ("repeatable: true", "repeatable: false"))) == [
        'stepdown.yaml:25:25: routes.churn.on_adapter_failure: found "ask_native"; allowed fail, passthrough, or '
        "ask_native with models.churn.repeatable: true"
    ]


def test_matches_that_differ_only_in_names_of_parts_are_the_same(folder: Folder) -> None:
    path = ("path: /v2/models/churn/infer", 'path: "/v2/{a}/infer"')
    other = (
        "  second: {match: {path: '/v2/{b}/infer', methods: [POST]}, model: churn, split: {'1.1.0': 1, '2.0.0': 0}}\n"
    )
    assert folder.refusal(changed(path) + other) == [
        "stepdown.yaml:29:19: routes.second.match: found the same match as the route churn (stepdown.yaml:23); "
        "allowed another"
    ]
    folder.load(changed(path) + other.replace("POST", "GET"))


def test_a_verb_behind_a_part_makes_another_path(folder: Folder) -> None:
    path = ("path: /v2/models/churn/infer", 'path: "/v1/models/{a}"')
    second = "  second: {match: {path: '/v1/models/{b}:predict', methods: [POST]}, model: churn, split: {'1.1.0': 1}}\n"
    folder.load(changed(path) + second)
    assert folder.refusal(changed(path) + second.replace(":predict", ":pre-dict"))[0].endswith(
        "or with a verb behind it, as in /v1/models/{model}:predict"
    )


def test_the_rest_of_the_file_reaches_the_specification(folder: Folder) -> None:
    spec = folder.load(
        GOOD
        + "passthrough_to: [http://a:80, {url: http://b:80, path: /docs}]\ntrusted_hops: 2\nmax_client_connections: 7\n"
        "retries: {budget: 10%, minimum: 0}\nlog: {format: json, level: debug, access: true}\n"
        "explain: {allow: [10.1.2.3/8, '::1']}\n"
    ).spec
    assert [endpoint.id for endpoint in spec.passthrough_to] == ["http://a:80", "http://b:80/docs"]
    assert (spec.trusted_hops, spec.max_client_connections) == (2, 7)
    assert (spec.retry_budget, spec.retry_minimum) == (0.1, 0)
    assert (spec.log.format, spec.log.level, spec.log.access) == ("json", "debug", True)
    assert spec.explain.allow == ("10.0.0.0/8", "::1/128")


def test_nothing_fills_in_the_path_of_a_passthrough(folder: Folder) -> None:
    assert folder.refusal(GOOD + "passthrough_to: {url: http://a:80, path: '/{a}'}\n") == [
        'stepdown.yaml:29:42: passthrough_to.path: found "/{a}"; allowed a path without {name}: no route fills it in'
    ]


def test_rules_after_one_for_everyone_are_doubtful(folder: Folder) -> None:
    assert folder.warnings(changed(("when: {header: {x-plan: beta}}", "when: {}"))) == [
        "stepdown.yaml:28:9: warning: routes.churn.rules[1]: never used: rule 1 before it is for everyone; "
        "allowed conditions (`when`) in all rules but the last"
    ]


def test_rules_without_names_and_the_split_for_one_rule(folder: Folder) -> None:
    rules = folder.load(changed(("name: beta, ", ""), ("name: everyone, ", "salt: s, "))).spec.routes[0].rules
    assert [(rule.name, rule.salt) for rule in rules] == [("rule-1", "churn/rule-1"), ("default", "s")]
    text = GOOD[: GOOD.index("    rules:")] + '    split: {"v1.1.0": 1, "2.0.0": 3}\n'
    (rule,) = folder.load(text).spec.routes[0].rules
    assert (rule.name, rule.split, rule.salt) == ("default", (("1.1.0", 1), ("2.0.0", 3)), "churn/default")


def test_a_version_is_in_a_split_once_however_it_is_written(folder: Folder) -> None:
    assert folder.refusal(changed(('"1.1.0": 95, "2.0.0": 5', '"1.1.0": 95, "v1.1.0": 5'))) == [
        'stepdown.yaml:28:47: routes.churn.rules[1].split."v1.1.0": found "v1.1.0" a second time; '
        "allowed each version once"
    ]


def test_a_split_that_is_refused_is_not_called_missing(folder: Folder) -> None:
    rules = GOOD[GOOD.index("    rules:") :]
    assert folder.refusal(changed((rules, '    split: {"1.1.0": -1, "2.0.0": 5}\n'))) == [
        'stepdown.yaml:26:22: routes.churn.split."1.1.0": found the number -1; allowed a number from 0 on'
    ]
