"""Flags in the file: what names them, what is refused, and a flag file that cannot be used any more."""

from __future__ import annotations

import json
from typing import Any

import pytest

from stepdown.decide.flag_spec import FlagRule, NamedFact
from stepdown.decide.flags import compile_flags
from stepdown.decide.flags.document import LARGEST_FILE
from stepdown.decide.when import All, FlagIs
from tests.kit.configuration import Folder, changed

HEAD = ("listen: 127.0.0.1:8080", "listen: 127.0.0.1:8080\nflags: {file: flags.json}")
BETA = "when: {header: {x-plan: beta}}"
EVERYONE = '{name: everyone, split: {"1.1.0": 95, "2.0.0": 5}}'
FLAGGED = 'flag: {name: churn, versions: {old: "1.1.0", new: "v2.0.0"}, default: "1.1.0"}'


def flag(*variants: str, **more: Any) -> dict[str, Any]:
    values: dict[str, Any] = {"on": True, "off": False}
    return {
        "state": "ENABLED",
        "variants": {name: values.get(name, name) for name in variants},
        "defaultVariant": variants[0],
        **more,
    }


def file(**flags: Any) -> str:
    return json.dumps({"flags": {name.replace("_", "-"): flag for name, flag in flags.items()}})


GOOD = {"churn": flag("old", "new"), "beta_users": flag("on", "off"), "unasked": flag("x")}


@pytest.fixture
def flagged(folder: Folder) -> Folder:
    folder.write("flags.json", file(**GOOD))
    return folder


def text(when: str = BETA, rule: str = FLAGGED) -> str:
    return changed(
        HEAD, (BETA, f"when: {{{when}}}" if when != BETA else when), (EVERYONE, f"{{name: everyone, {rule}}}")
    )


def test_conditions_and_rules_ask_flags_and_only_those_travel(flagged: Folder) -> None:
    loaded = flagged.load(text("flag: beta-users"))
    beta, everyone = loaded.spec.routes[0].rules
    assert beta.when == FlagIs(flag="beta-users")
    assert everyone.flag == FlagRule(flag="churn", versions=(("old", "1.1.0"), ("new", "2.0.0")), default="1.1.0")
    assert everyone.split == (("1.1.0", 1), ("2.0.0", 0))
    assert loaded.spec.flags is not None
    assert compile_flags(loaded.spec.flags.document).names == {"churn", "beta-users"}
    assert loaded.spec.flags.fractional == 2
    assert loaded.flags_ok is True
    assert loaded.warnings == ()
    assert flagged.path / "flags.json" in loaded.watched.stamps


def test_a_condition_may_want_variants_of_several_flags(flagged: Folder) -> None:
    when = flagged.load(text("flag: {churn: new, beta-users: true}")).spec.routes[0].rules[0].when
    assert when == All((FlagIs(flag="churn", variant="new"), FlagIs(flag="beta-users")))


def test_without_a_question_no_flag_travels_and_without_flags_nothing_is_said(flagged: Folder) -> None:
    assert flagged.load(changed(HEAD)).spec.flags is None
    loaded = flagged.load(changed())
    assert (loaded.spec.flags, loaded.flags, loaded.flags_ok) == (None, None, None)


def test_the_generation_of_fractional_is_the_file_s(flagged: Folder) -> None:
    given = text().replace("flags.json}", "flags.json, fractional: 3}")
    loaded = flagged.load(given)
    assert loaded.spec.flags is not None
    assert loaded.spec.flags.fractional == 3
    [finding] = flagged.refusal(given.replace("fractional: 3", "fractional: 4"))
    assert "flags.fractional: found the number 4; allowed 1 or 2 or 3" in finding


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (text("flag: beta-user"), 'found "beta-user"; allowed one of the flags in its file: "beta-users", "churn", '
         '"unasked"; did you mean "beta-users"?'),
        (text("flag: churn"), 'found "churn", which has no variant with the value true; allowed one of its variants: '
         "{churn: old or new}"),
        (text("flag: {churn: nwe}"), 'allowed a variant of churn: "old", "new"; did you mean "new"?'),
        (text("flag: {}"), "allowed at least 1"),
        (text(rule=FLAGGED.replace("name: churn", "name: chrun")), 'did you mean "churn"?'),
        (text(rule=FLAGGED.replace("new:", "nwe:")), 'allowed a variant of churn: "old", "new"; did you mean "new"?'),
        (text(rule=FLAGGED.replace("v2.0.0", "2.0.1")), 'found "2.0.1"; allowed a declared version'),
        (text(rule=FLAGGED.replace("v2.0.0", "1.0.0")), 'found "1.0.0", which has no endpoints'),
        (text(rule=FLAGGED.replace(', default: "1.1.0"', "")), 'found no "default"'),
        (text(rule=f'{FLAGGED}, split: {{"1.1.0": 1}}'), "found split and flag; allowed one of them"),
        (text(rule=f"{FLAGGED}, smooth: true"), "allowed drain and smooth with a split only"),
        (text(rule="salt: x"), "found neither split nor colours nor flag nor rollout; allowed one of them"),
        (text().replace("file: flags.json", "file: flags.json, provider: my.module:flags"), "found file and provider"),
    ],
    ids=[str(number) for number in range(13)],
)  # fmt: skip
def test_what_cannot_be_asked_is_refused_with_what_is_near(flagged: Folder, given: str, told: str) -> None:
    findings = flagged.refusal(given)
    assert any(told in finding for finding in findings), findings


def test_a_flag_without_a_flag_file_is_refused(folder: Folder) -> None:
    [finding] = folder.refusal(text().replace(HEAD[1], HEAD[0]))
    assert 'rules[1].flag.name: found "churn", and no flags; allowed `flags: {file: FILE}`, which has it' in finding


def test_every_version_of_a_flag_is_held_to_what_clients_were_promised(flagged: Folder) -> None:
    endpoints = '"1.0.0": {schema: contracts/1.0.0.json,'
    given = text(rule=FLAGGED.replace('default: "1.1.0"', 'default: "1.0.0"'))
    findings = flagged.refusal(given.replace(endpoints, f"{endpoints} endpoints: [http://old:80],"))
    assert any("flag.default: 1.0.0 cannot answer in the shape of 1.1.0" in finding for finding in findings), findings


def test_a_variant_without_a_version_is_a_warning(flagged: Folder) -> None:
    flagged.write("flags.json", file(**GOOD | {"churn": flag("old", "new", "odd")}))
    [warning] = flagged.warnings(text())
    assert '"odd" of churn has no version here: requests with it get 1.1.0' in warning


def test_a_variant_that_is_misspelt_is_told_once(flagged: Folder) -> None:
    findings = flagged.refusal(text(rule=FLAGGED.replace("new:", "nwe:")))
    assert len(findings) == 1, findings


def test_what_targeting_reads_and_no_request_has_is_a_warning(flagged: Folder) -> None:
    targeting = {"if": [{"==": [{"var": "email"}, {"var": "param.tenant"}]}, "new", {"var": {"var": "client"}}]}
    asked = {"churn": flag("old", "new", targeting=targeting), "unasked": flag("x", targeting={"nope": 1})}
    flagged.write("flags.json", file(**GOOD | asked))
    warnings = "\n".join(flagged.warnings(text()))
    assert 'the flag churn reads "email", which no request has; allowed "targetingKey", "method"' in warnings
    assert "the flag churn reads param.tenant, which the path of the route churn does not have" in warnings
    assert "which facts the flag churn reads is known only when it is evaluated" in warnings
    assert "nope" not in warnings, "nobody asks that flag"
    flagged.write("flags.json", file(**GOOD | {"churn": flag("old", "new", targeting={"nope": 1})}))
    assert "#/flags/churn/targeting/nope" in flagged.warnings(text())[0]
    without_key = text().replace("    key: [{header: x-user-id}, {cookie: uid}]\n", "")
    by_key: dict[str, Any] = {"fractional": [["old", 1], ["new", 1]]}
    flagged.write("flags.json", file(**GOOD | {"churn": flag("old", "new", targeting=by_key)}))
    [warning] = flagged.warnings(without_key)
    assert "the flag churn reads targetingKey, and the route churn has no key" in warning


def test_facts_get_the_names_that_the_file_has_for_them(flagged: Folder) -> None:
    reads = {"cat": [{"var": "email"}, {"var": "country"}, {"var": "plan"}, {"var": "tenant"}]}
    flagged.write("flags.json", file(**GOOD | {"churn": flag("old", "new", targeting=reads)}))

    def named(facts: str) -> str:
        return text().replace("flags.json}", f"flags.json, context: {{{facts}}}}}")

    facts = "email: {header: X-Email}, country: {query: c}, plan: {cookie: p}, tenant: {param: t}"
    [warning] = flagged.warnings(named(facts))
    assert "the flag churn reads param.t, which the path of the route churn does not have" in warning
    loaded = flagged.load(named(facts.replace(", tenant: {param: t}", "")))
    assert loaded.spec.flags is not None
    assert loaded.spec.flags.context == (
        NamedFact("email", "header", "x-email"), NamedFact("country", "query", "c"), NamedFact("plan", "cookie", "p")
    )  # fmt: skip
    assert [str(one).partition("reads ")[2][:8] for one in loaded.warnings] == ['"tenant"']
    for wrong, told in (
        ("header: {query: c}", 'found "header"; allowed another name'),
        ("a.b: {query: c}", "allowed another name, without a dot"),
        ("a: {query: c, param: d}", "found 2 sources; allowed exactly one of header, query, cookie, param"),
        ("a: {}", "found 0 sources"),
    ):
        findings = flagged.refusal(named(wrong))
        assert any(told in finding for finding in findings), findings


BROKEN: dict[str, tuple[str | bytes, str]] = {
    "not JSON": ('{"flags": {', "no JSON at line 1, column 12"),
    "no UTF-8": (b'{"flags": {"\xff": 1}}', "no JSON"),
    "a wrong state": (file(churn=flag("old", "new") | {"state": "on"}), "#/flags/churn/state: a state is ENABLED or"),
    "infinite": (
        file(churn=flag("old", "new")).replace('"new": "new"', '"new": 1e999'),
        "number that JSON cannot carry",
    ),
    "huge": (" " * (LARGEST_FILE + 1), "is longer than 8388608 bytes"),
    "deep": ('{"flags": ' + "[" * 100_000, "nested too deeply"),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_file_that_cannot_be_used_is_refused_at_first_and_later_keeps_the_old_one(flagged: Folder, kind: str) -> None:
    content, told = BROKEN[kind]
    before = flagged.load(text())
    flagged.write("flags.json", content)
    findings = flagged.refusal(text())
    assert len(findings) == 1, findings
    assert "stepdown.yaml:2:" in findings[0]
    assert told in findings[0]
    after = flagged.load(text(), previous=before)
    assert after.spec == before.spec
    assert after.flags_ok is False
    assert len(after.warnings) == 1
    assert "the flags that were read before stay in force" in str(after.warnings[0])
    flagged.write("flags.json", file(**GOOD | {"churn": flag("new", "old")}))
    mended = flagged.load(text(), previous=after)
    assert mended.flags_ok is True
    assert mended.spec.flags != before.spec.flags


def test_only_what_decides_travels_to_the_workers(flagged: Folder) -> None:
    targeting = {"if": [{"$ref": "staff"}, "new", {"and": [True, "old"]}]}
    churn = flag("old", "new", targeting=targeting, metadata={"owner": "x" * 1000})
    churn["variants"]["new"] = {"weights": list(range(1000))}
    evaluators = {"staff": {"and": [{"$ref": "known"}]}, "known": {"var": "header.a"}, "unused": ["y" * 1000]}
    flagged.write("flags.json", json.dumps({"flags": GOOD | {"churn": churn}, "$evaluators": evaluators}))
    spec = flagged.load(text()).spec
    assert spec.flags is not None
    travels = json.loads(spec.flags.document)
    assert travels["$evaluators"].keys() == {"staff", "known"}
    assert travels["flags"].keys() == {"churn"}
    assert "xxx" not in spec.flags.document
    assert travels["flags"]["churn"]["variants"] == {"old": "old", "new": {}}
    compiled, whole = compile_flags(spec.flags.document), compile_flags((flagged.path / "flags.json").read_bytes())
    for facts in ({"header": {"a": "yes"}}, {}):
        assert compiled.evaluate("churn", facts, now=0).variant == whole.evaluate("churn", facts, now=0).variant


def test_another_file_that_cannot_be_used_is_refused(flagged: Folder) -> None:
    before = flagged.load(text())
    flagged.write("others.json", "{")
    [finding] = flagged.refusal(text().replace("flags.json", "others.json"), previous=before)
    assert "the file others.json cannot be used" in finding


def test_a_file_that_is_gone_keeps_the_old_one_even_for_another_generation(flagged: Folder) -> None:
    before = flagged.load(text())
    (flagged.path / "flags.json").unlink()
    after = flagged.load(text().replace("flags.json}", "flags.json, fractional: 1}"), previous=before)
    assert after.flags_ok is False
    assert after.spec.flags is not None
    assert after.spec.flags.fractional == 1
    assert "does not exist" in str(after.warnings[0])


def test_every_mistake_of_the_file_is_told(flagged: Folder) -> None:
    broken = {"churn": flag("old") | {"state": "on", "defaultVariant": "odl"}, "b": flag("x") | {"extra": 1}}
    flagged.write("flags.json", file(**broken))
    findings = "\n".join(flagged.refusal(text()))
    for place in ("#/flags/churn/state", "#/flags/churn/defaultVariant", "#/flags/b/extra"):
        assert place in findings


def test_a_flag_that_was_removed_refuses_the_reload(flagged: Folder) -> None:
    before = flagged.load(text())
    flagged.write("flags.json", file(beta_users=flag("on", "off")))
    [finding] = flagged.refusal(text(), previous=before)
    assert 'rules[1].flag.name: found "churn"; allowed one of the flags in its file: "beta-users"' in finding
