"""Every mistake in a configuration has one clear message with its place, and disturbs nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.kit.configuration import GOOD, Folder, changed

ADAPTERS = GOOD[GOOD.index("    adapters:") : GOOD.index("    clients:")]
RULES = GOOD[GOOD.index("    rules:") :]
DECLARED = '"1.0.0", "1.1.0", "2.0.0"'
ENVIRON = {"A": "a-token-that-is-long", "B": "another-token-that-is-long"}
TOKENS = "tokens: [{name: a, role: %s, token: %s}]"


def in_admin(tokens: str) -> tuple[str, str]:
    return "listen: 127.0.0.1:8080", f'admin: {{listen: "127.0.0.1:9901", {tokens}}}'


def in_route(line: str) -> tuple[str, str]:
    return "    model: churn\n", f"    model: churn\n    {line}\n"


# name: (change of the worked example, the only message)
MISTAKES: dict[str, tuple[tuple[str, str], str]] = {
    "wrong YAML": (
        ("listen: 127.0.0.1:8080", "listen: [127.0.0.1:8080"),
        "stepdown.yaml:2:7: no YAML: did not find expected ',' or ']' while parsing a flow sequence",
    ),
    "a tab": (
        ("  churn:\n    default", "\tchurn:\n    default"),
        "stepdown.yaml:3:1: no YAML: found character that cannot start any token while scanning for the next token",
    ),
    "a second document": (
        ("routes:\n", "---\nroutes:\n"),
        "stepdown.yaml:21:1: found a second document; allowed one document in a file",
    ),
    "an unknown key": (
        ("repeatable: true", "repeatabel: true"),
        'stepdown.yaml:5:5: models.churn.repeatabel: found the unknown key "repeatabel"; allowed default_version, '
        'accept_latest, repeatable, versions, adapters, clients; did you mean "repeatable"?',
    ),
    "a key twice": (
        ("    repeatable: true\n", "    repeatable: true\n    repeatable: false\n"),
        'stepdown.yaml:6:5: models.churn.repeatable: found the key "repeatable" a second time; '
        "allowed each key once; the first is at line 5",
    ),
    "a missing key": (
        ("    model: churn\n", ""),
        'stepdown.yaml:22:3: routes.churn: found no "model"; allowed name of one of `models`',
    ),
    "a boolean of YAML 1.1": (
        ("repeatable: true", "repeatable: on"),
        'stepdown.yaml:5:17: models.churn.repeatable: found "on"; allowed true or false',
    ),
    "an endpoint that is no URL": (
        ("[http://churn-v1:8080]", "[churn-v1:8080]"),
        'stepdown.yaml:8:59: models.churn.versions."1.1.0".endpoints[0]: found "churn-v1:8080"; '
        "allowed a URL such as http://churn-v1:8080",
    ),
    "an endpoint without a port that exists": (
        ("[http://churn-v1:8080]", "[http://churn-v1:80800]"),
        'stepdown.yaml:8:59: models.churn.versions."1.1.0".endpoints[0]: found "http://churn-v1:80800"; '
        "allowed a URL such as http://churn-v1:8080",
    ),
    "an endpoint with a path in its URL": (
        ("[http://churn-v1:8080]", "[http://churn-v1:8080/v2]"),
        'stepdown.yaml:8:59: models.churn.versions."1.1.0".endpoints[0]: found "http://churn-v1:8080/v2"; '
        "allowed a URL such as http://churn-v1:8080; the path goes to `path` of the endpoint",
    ),
    "an endpoint twice": (
        ("[http://churn-v1:8080]", "[http://churn-v1:8080, {url: http://CHURN-v1:8080/}]"),
        'stepdown.yaml:8:81: models.churn.versions."1.1.0".endpoints[1]: found http://churn-v1:8080 a second time; '
        "allowed each endpoint once",
    ),
    "an endpoint's path with a name that the route lacks": (
        ("path: /v2/models/churn/versions/v2/infer", 'path: "/v2/{model}/infer"'),
        'stepdown.yaml:12:47: models.churn.versions."2.0.0".endpoints[0].path: found {model}, which the path of the '
        "route churn does not have; allowed a path without {name}",
    ),
    "tls without https": (
        ("[http://churn-v1:8080]", "[{url: http://churn-v1:8080, tls: {}}]"),
        'stepdown.yaml:8:92: models.churn.versions."1.1.0".endpoints[0].tls: found tls for a URL that begins with '
        "http://; allowed tls with https:// only",
    ),
    "a missing certificate file": (
        ("[http://churn-v1:8080]", "[{url: https://churn-v1:8080, tls: {ca_file: no.pem}}]"),
        'stepdown.yaml:8:103: models.churn.versions."1.1.0".endpoints[0].tls.ca_file: the file no.pem does not exist; '
        "allowed a file of certificates (PEM)",
    ),
    "a header that the proxy manages": (
        ("{url: http://churn-v2:8080,", '{url: http://churn-v2:8080, set_headers: {Content-Length: "5"},'),
        'stepdown.yaml:12:55: models.churn.versions."2.0.0".endpoints[0].set_headers.Content-Length: found '
        '"Content-Length"; allowed a header that the proxy does not manage itself (for Host, use host_header)',
    ),
    "an unknown preset": (
        ('"1.1.0": {schema', '"1.1.0": {health: open-inferense, schema'),
        'stepdown.yaml:8:25: models.churn.versions."1.1.0".health: found "open-inferense"; allowed open-inference; '
        'did you mean "open-inference"?',
    ),
    "a missing schema file": (
        ("contracts/1.1.0.json", "contracts/1.1.json"),
        'stepdown.yaml:8:25: models.churn.versions."1.1.0".schema: the file contracts/1.1.json does not exist; '
        "allowed a contract such as a JSON Schema file",
    ),
    "an adapter for a version that does not exist": (
        ('from: "2.0.0"', 'from: "2.1.0"'),
        'stepdown.yaml:14:15: models.churn.adapters[0].from: found "2.1.0"; allowed a declared version: '
        f'{DECLARED}; did you mean "2.0.0"?',
    ),
    "an adapter that steps up": (
        ('from: "2.0.0"\n        to: "1.1.0"', 'from: "1.1.0"\n        to: "2.0.0"'),
        'stepdown.yaml:14:15: models.churn.adapters[0].from: found "1.1.0"; allowed a version newer than "2.0.0": '
        "adapters step down",
    ),
    "an unknown operation": (
        ("- sigmoid: /score", "- sigmoidd: /score"),
        "stepdown.yaml:18:23: models.churn.adapters[0].response[1].sigmoidd: there is no operation 'sigmoidd'; "
        'did you mean "sigmoid"?',
    ),
    "a hook that is no function": (
        ("response:\n", "hook: nothing\n        response:\n"),
        'stepdown.yaml:16:15: models.churn.adapters[0].hook: found "nothing"; allowed package.module:function',
    ),
    "a hook of which there is no module": (
        ("response:\n", "hook: no_such_module:fn\n        response:\n"),
        "stepdown.yaml:16:15: models.churn.adapters[0].hook: 'no_such_module:fn' cannot be imported: "
        "No module named 'no_such_module'; allowed a function that Python finds here, as installed or on PYTHONPATH",
    ),
    "a hook of which there is no function": (
        ("response:\n", "hook: json:fn\n        response:\n"),
        "stepdown.yaml:16:15: models.churn.adapters[0].hook: 'json:fn' cannot be imported: "
        "module 'json' has no attribute 'fn'; allowed a function that Python finds here, as installed or on PYTHONPATH",
    ),
    "a negative weight": (
        ('"1.1.0": 95', '"1.1.0": -95'),
        'stepdown.yaml:28:43: routes.churn.rules[1].split."1.1.0": found the number -95; allowed a number from 0 on',
    ),
    "weights that are all zero": (
        ('"1.1.0": 95, "2.0.0": 5', '"1.1.0": 0, "2.0.0": 0'),
        "stepdown.yaml:28:33: routes.churn.rules[1].split: found only weights of 0; "
        "allowed at least one weight above 0",
    ),
    "a weight that is no whole number": (
        ('"1.1.0": 95', '"1.1.0": 9.5'),
        'stepdown.yaml:28:43: routes.churn.rules[1].split."1.1.0": found the number 9.5; allowed a whole number',
    ),
    "a split over an unknown version": (
        ('"2.0.0": 5', '"2.1.0": 5'),
        'stepdown.yaml:28:47: routes.churn.rules[1].split."2.1.0": found "2.1.0"; allowed a declared version: '
        f'{DECLARED}; did you mean "2.0.0"?',
    ),
    "a split over a version without servers": (
        ('"2.0.0": 5', '"1.0.0": 5'),
        'stepdown.yaml:28:47: routes.churn.rules[1].split."1.0.0": found "1.0.0", which has no endpoints; '
        'allowed a version that servers run: "1.1.0", "2.0.0"',
    ),
    "a condition in the last rule": (
        ("name: everyone, split", "name: everyone, when: {methods: [POST]}, split"),
        "stepdown.yaml:28:26: routes.churn.rules[1].when: found a condition in the last rule; allowed a last rule "
        "without `when`, for everyone else",
    ),
    "two rules of one name": (
        ("name: beta", "name: everyone"),
        'stepdown.yaml:28:16: routes.churn.rules[1].name: found the name "everyone" a second time; '
        "allowed each name once",
    ),
    "rules and split": (
        ("    rules:", '    split: {"1.1.0": 1}\n    rules:'),
        "stepdown.yaml:23:5: routes.churn: found rules and split; allowed one of the two",
    ),
    "neither rules nor split for two served versions": (
        (RULES, ""),
        "stepdown.yaml:22:3: routes.churn: found neither rules nor split; allowed rules or split, because 2 versions "
        "of churn have endpoints",
    ),
    "an only rule that gives nothing to anybody": (
        (RULES, '    rules: [{name: all, split: {"1.1.0": 0}}]\n'),
        "stepdown.yaml:26:32: routes.churn.rules[0].split: found only weights of 0; allowed at least one weight "
        "above 0",
    ),
    "an unquoted version": (
        ('default_version: "1.1.0"', "default_version: 1.1"),
        "stepdown.yaml:4:22: models.churn.default_version: found the number 1.1; allowed a version or range such as "
        '"1.1.0", "1" or ^1.2; quote it: "1.1"',
    ),
    "an unknown default version": (
        ('default_version: "1.1.0"', 'default_version: "1.2.0"'),
        f'stepdown.yaml:4:22: models.churn.default_version: found "1.2.0"; allowed a declared version: {DECLARED}; '
        'did you mean "1.1.0"?',
    ),
    "a retired default version": (
        ('"1.1.0": {schema', '"1.1.0": {retired: true, schema'),
        'stepdown.yaml:4:22: models.churn.default_version: found "1.1.0": 1.1.0 is retired; allowed a version that is '
        'not retired: "1.0.0", "2.0.0"',
    ),
    "a range that holds no version": (
        ("version: ^1.0", "version: ^3.0"),
        f'stepdown.yaml:20:54: models.churn.clients[0].version: found "^3.0"; allowed a declared version: {DECLARED}',
    ),
    "a range that is none": (
        ("version: ^1.0", "version: newest"),
        'stepdown.yaml:20:54: models.churn.clients[0].version: found "newest"; allowed a version or range such as '
        '"1.1.0", "1", ^1.2 or latest',
    ),
    "a client that is everyone": (
        ("match: {header: {x-api-key: abc}}", "match: {}"),
        "stepdown.yaml:20:17: models.churn.clients[0].match: found no condition; allowed at least one; everyone else "
        "gets default_version",
    ),
    "an unknown model": (
        ("model: churn\n", "model: chrun\n"),
        'stepdown.yaml:24:12: routes.churn.model: found "chrun"; allowed one of models: "churn"; did you mean "churn"?',
    ),
    "two equal matches": (
        (
            "routes:\n",
            "routes:\n  other: {match: {methods: [POST], path: /v2/models/churn/infer}, model: churn, "
            'split: {"1.1.0": 1, "2.0.0": 0}}\n',
        ),
        "stepdown.yaml:24:12: routes.churn.match: found the same match as the route other (stepdown.yaml:22); "
        "allowed another",
    ),
    "a method in small letters": (
        ("methods: [POST]", "methods: [post]"),
        'stepdown.yaml:23:53: routes.churn.match.methods[0]: found "post"; allowed a method in capitals, one of '
        "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT, QUERY",
    ),
    "a method that there is not": (
        ("when: {header: {x-plan: beta}}", "when: {methods: [PSOT]}"),
        'stepdown.yaml:27:39: routes.churn.rules[0].when.methods[0]: found "PSOT"; allowed a method in capitals, '
        "one of DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT, QUERY",
    ),
    "a path without its slash": (
        ("path: /v2/models/churn/infer", "path: v2/models/churn/infer"),
        'stepdown.yaml:23:19: routes.churn.match.path: found "v2/models/churn/infer"; allowed a path that begins with '
        "/ and has no query",
    ),
    "a template for part of a segment": (
        ("path: /v2/models/churn/infer", 'path: "/v2/models/churn-{x}/infer"'),
        'stepdown.yaml:23:19: routes.churn.match.path: found "/v2/models/churn-{x}/infer"; allowed {name} for one '
        "whole segment, as in /v2/models/churn/versions/{version}/infer, or with a verb behind it, as in "
        "/v1/models/{model}:predict",
    ),
    "a name twice in one template": (
        ("path: /v2/models/churn/infer", 'path: "/v2/{x}/{x}"'),
        'stepdown.yaml:23:19: routes.churn.match.path: found "/v2/{x}/{x}"; allowed each {name} once in a path',
    ),
    "a path and a prefix": (
        ("path: /v2/models/churn/infer", "path: /v2, path_prefix: /v2"),
        "stepdown.yaml:23:12: routes.churn.match: found path and path_prefix; allowed one of the two",
    ),
    "a version_param that the path lacks": (
        in_route("version_param: version"),
        'stepdown.yaml:25:20: routes.churn.version_param: found "version"; allowed a {name} of the path: it has none',
    ),
    "a header with two conditions": (
        ("{x-plan: beta}", "{x-plan: {prefix: b, exists: true}}"),
        "stepdown.yaml:27:46: routes.churn.rules[0].when.header.x-plan: found 2 conditions; allowed exactly one of "
        "equals, in, prefix, suffix, regex, semver, cidr, sha256, key_in, exists",
    ),
    "a header compared with a number": (
        ("{x-plan: beta}", "{x-plan: 1}"),
        "stepdown.yaml:27:46: routes.churn.rules[0].when.header.x-plan: found the number 1; allowed a text; "
        'quote it: "1"',
    ),
    "an unknown source of the key": (
        ("{cookie: uid}", "{cokie: uid}"),
        'stepdown.yaml:25:33: routes.churn.key[1].cokie: found the unknown key "cokie"; allowed header, cookie, json, '
        'client_ip; did you mean "cookie"?',
    ),
    "client_ip that clients could choose": (
        ("{cookie: uid}", "client_ip"),
        "stepdown.yaml:25:32: routes.churn.key[1]: found client_ip without trusted_hops; allowed client_ip together "
        "with trusted_hops (0 where no proxy is in front), so that clients cannot choose it",
    ),
    "ask_native for a model that may not be asked twice": (
        ("    model: churn\n", "    model: other\n    on_adapter_failure: ask_native\n"),
        'stepdown.yaml:24:12: routes.churn.model: found "other"; allowed one of models: "churn"',
    ),
    "a sunset before deprecation": (
        ("sunset: 2027-06-01", "sunset: 2026-06-01"),
        'stepdown.yaml:7:16: models.churn.versions."1.0.0": found a sunset before deprecated; allowed a sunset that '
        "is not before deprecated (RFC 9745)",
    ),
    "a date that is none": (
        ("sunset: 2027-06-01", "sunset: 2027-6-1"),
        'stepdown.yaml:7:79: models.churn.versions."1.0.0".sunset: found "2027-6-1"; allowed a date such as '
        "2026-12-01, or a time with its zone such as 2026-12-01T12:00:00Z",
    ),
    "an address without a host": (
        ("127.0.0.1:8080", "8080"),
        "stepdown.yaml:1:9: listen: found the number 8080; allowed HOST:PORT such as 0.0.0.0:8080 or [::1]:8080",
    ),
    "an address twice": (
        ("listen: 127.0.0.1:8080", "listen: 127.0.0.1:8080\nstatus: 127.0.0.1:8080"),
        'stepdown.yaml:2:9: status: found "127.0.0.1:8080"; allowed an address other than that of listen',
    ),
    "a duration without a unit that exists": (
        in_route("timeouts: {connect: 2 sec}"),
        'stepdown.yaml:25:25: routes.churn.timeouts.connect: found "2 sec"; allowed a duration such as 2s, 500ms, 1m, '
        "or a number of seconds, up to 30 days",
    ),
    "a size without a unit that exists": (
        in_route("limits: {request_body: 8 megs}"),
        'stepdown.yaml:25:28: routes.churn.limits.request_body: found "8 megs"; allowed a size such as 8MiB, 64KiB, '
        "1GB, or a number of bytes",
    ),
    "an environment variable that is not set": (
        ("listen: 127.0.0.1:8080", "listen: ${LISTEN}"),
        "stepdown.yaml:1:9: listen: the environment variable LISTEN is not set; allowed a variable that is set, or "
        "${LISTEN:-default}",
    ),
    "a reference that is not closed": (
        ("listen: 127.0.0.1:8080", "listen: ${LISTEN"),
        "stepdown.yaml:1:9: listen: found a broken reference; allowed ${NAME} or ${NAME:-default}; a literal ${ is "
        "written $${",
    ),
    "an included file that does not exist": (
        ("listen: 127.0.0.1:8080", "include: more/churn.yaml"),
        "more/churn.yaml:1:1: the file, included at stepdown.yaml:1:10, does not exist",
    ),
    "a token in the file itself": (
        in_admin(TOKENS % ("view", "hunter2hunter2")),
        "stepdown.yaml:1:73: admin.tokens[0].token: found a value in the file itself; "
        "allowed {env: NAME} or {file: PATH}",
    ),
    "a token's variable that is not set": (
        in_admin(TOKENS % ("view", "{env: TOKEN}")),
        "stepdown.yaml:1:79: admin.tokens[0].token.env: the environment variable TOKEN is not set; "
        "allowed a variable that is set",
    ),
    "an unknown role": (
        in_admin(TOKENS % ("viev", "{env: TOKEN}")),
        'stepdown.yaml:1:60: admin.tokens[0].role: found "viev"; allowed view or operate; did you mean "view"?',
    ),
    "a section that is a list": (
        ("key: [{header: x-user-id}, {cookie: uid}]", "match: []"),
        'stepdown.yaml:25:5: routes.churn.match: found the key "match" a second time; allowed each key once; '
        "the first is at line 23",
    ),
    "nothing where a mapping belongs": (
        ("routes:\n", "routes:\n  other:\n"),
        "stepdown.yaml:22:9: routes.other: found nothing; allowed a mapping",
    ),
    "two tokens of one name": (
        in_admin("tokens: [{name: a, role: view, token: {env: A}}, {name: a, role: view, token: {env: B}}]"),
        'stepdown.yaml:1:91: admin.tokens[1].name: found the name "a" a second time; allowed each name once',
    ),
    "a header whose secret is missing": (
        ("[http://churn-v1:8080]", "[{url: http://churn-v1:8080, set_headers: {authorization: {env: KEY}}}]"),
        'stepdown.yaml:8:122: models.churn.versions."1.1.0".endpoints[0].set_headers.authorization.env: '
        "the environment variable KEY is not set; allowed a variable that is set",
    ),
    "an accepted latest that does not exist": (
        ("repeatable: true", 'accept_latest: "3.0.0"'),
        f'stepdown.yaml:5:20: models.churn.accept_latest: found "3.0.0"; allowed a declared version: {DECLARED}; '
        'did you mean "2.0.0"?',
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_has_one_clear_message(name: str, tmp_path: Path) -> None:
    change, message = MISTAKES[name]
    assert Folder(tmp_path).refusal(changed(change), environ=ENVIRON) == [message]


def test_what_this_version_cannot_do_yet_is_said_in_so_many_words(tmp_path: Path) -> None:
    found = Folder(tmp_path).refusal(changed(("    model: churn\n", "    model: churn\n    state: {}\n")))
    assert found == ['stepdown.yaml:25:5: routes.churn.state: "state" is not supported by this version']


@pytest.mark.parametrize(
    ("contract", "reason"),
    [
        ("{", "is no usable contract"),
        ('{"type": "nothing"}', "is no usable contract"),
        ('{"$ref": "https://example.com/a.json"}', "is no usable contract"),
        ('{"const": 1e999}', "holds a number that JSON cannot carry"),
    ],
)
def test_a_contract_that_cannot_be_used_is_placed_where_it_is_named(contract: str, reason: str, tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.write("contracts/1.1.0.json", contract)
    (message,) = folder.refusal(GOOD)
    assert message.startswith(
        f'stepdown.yaml:8:25: models.churn.versions."1.1.0".schema: the file contracts/1.1.0.json {reason}'
    )


def test_what_depends_on_a_wrong_part_is_not_told_as_well(tmp_path: Path) -> None:
    versions = GOOD[GOOD.index("    versions:") : GOOD.index("    adapters:")]
    text = changed((versions, "    versions: {}\n"), (RULES, ""))
    assert Folder(tmp_path).refusal(text) == [
        "stepdown.yaml:6:15: models.churn.versions: found a mapping; allowed at least 1"
    ]


def test_without_an_adapter_coverage_names_it_for_every_rule_that_needs_it(tmp_path: Path) -> None:
    reason = (
        "2.0.0 cannot answer in the shape of 1.1.0 (the default version): 2.0.0 -> 1.1.0: no adapter is declared; "
        "allowed an adapter for it in models.churn.adapters"
    )
    assert Folder(tmp_path).refusal(changed((ADAPTERS, ""))) == [
        f'stepdown.yaml:21:62: routes.churn.rules[0].split."2.0.0": {reason}',
        f'stepdown.yaml:22:47: routes.churn.rules[1].split."2.0.0": {reason}',
    ]


def test_all_mistakes_are_told_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    found = Folder(tmp_path).refusal(
        changed(
            ("repeatable: true", "repeatable: yes"),
            ("contracts/1.0.0.json", "contracts/1.json"),
            ("[http://churn-v1:8080]", "[churn-v1:8080]"),
            ('to: "1.1.0"', 'to: "1.2.0"'),
            ("- sigmoid: /score", "- sigmoidd: /score"),
            ("methods: [POST]", "methods: [POST], paht: /"),
            ('"1.1.0": 95', '"1.1.0": -1'),
        )
    )
    assert [line.split(": ")[0:2] for line in found] == [
        ["stepdown.yaml:5:17", "models.churn.repeatable"],
        ["stepdown.yaml:7:25", 'models.churn.versions."1.0.0".schema'],
        ["stepdown.yaml:8:59", 'models.churn.versions."1.1.0".endpoints[0]'],
        ["stepdown.yaml:15:13", "models.churn.adapters[0].to"],
        ["stepdown.yaml:18:23", "models.churn.adapters[0].response[1].sigmoidd"],
        ["stepdown.yaml:23:60", "routes.churn.match.paht"],
        ["stepdown.yaml:28:43", 'routes.churn.rules[1].split."1.1.0"'],
    ]


def test_a_refused_reload_leaves_the_configuration_in_force_as_it_was(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    before = folder.load(GOOD)
    spec = before.spec
    folder.refusal(changed(("repeatable: true", "repeatable: on")), previous=before)
    assert before.spec is spec
    assert folder.load(GOOD, previous=before).spec == spec
