"""Flags of an OpenFeature provider in the file: declared, looked for without being imported, and what is refused."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from stepdown.config.compile.provided import missing
from stepdown.decide.flag_spec import NamedFact, ProvidedFlag
from tests.kit.configuration import Folder, changed

BETA = "when: {header: {x-plan: beta}}"
EVERYONE = '{name: everyone, split: {"1.1.0": 95, "2.0.0": 5}}'
RULE = '{name: everyone, flag: {name: ranker, versions: {old: "1.1.0", new: "2.0.0"}, default: "1.1.0"}}'
FLAGS = (
    'flags: {provider: "stored_flags:make", options: {key: "${KEY}", deep: [1, {a: true}]}, ttl: 3s, first_wait: 20ms, '
)
DECLARED = "declare: {ranker: string, tier: string, beta: boolean}, context: {email: {header: X-Email}}}"


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A module that must not be imported, where modules are looked for."""
    file = tmp_path / "modules" / "stored_flags.py"
    file.parent.mkdir()
    file.write_text(
        "import os, json as j\nraise SystemExit('imported')\ndef make(): ...\nasync def later(): ...\nclass Kind: ...\n"
        "NUMBER = 5\nmade = Kind()\nif os:\n    def under(): ...\nelse:\n    other = make()\ntry:\n    import x as y\n"
        "except ImportError:\n    spare = make\n"
    )
    monkeypatch.syspath_prepend(str(file.parent))
    return file


@pytest.fixture
def provided(folder: Folder, module: Path) -> Folder:
    return folder


def text(when: str = "header: {x-plan: beta}", rule: str = RULE, flags: str = FLAGS + DECLARED) -> str:
    return changed(
        ("listen: 127.0.0.1:8080", f"listen: 127.0.0.1:8080\n{flags}"), (BETA, f"when: {{{when}}}"), (EVERYONE, rule)
    )


GOOD = text("flag: {tier: gold, beta: true}")


def test_what_is_asked_travels_and_what_starts_the_provider_does_not(provided: Folder) -> None:
    loaded = provided.load(GOOD, environ={"KEY": "secret-key"})
    assert loaded.warnings == ()
    assert "stored_flags" not in sys.modules
    flags = loaded.spec.flags
    assert flags is not None
    assert flags.provided is not None
    assert flags.context == (NamedFact("email", "header", "x-email"),)
    assert flags.provided.flags == (
        ProvidedFlag("tier", "string", ("gold",)), ProvidedFlag("beta", "boolean"),
        ProvidedFlag("ranker", "string", ("old", "new")),
    )  # fmt: skip
    assert (flags.provided.ttl, flags.provided.first_wait, flags.provided.timeout) == (3.0, 0.02, 2.0)
    assert loaded.provider is not None
    assert loaded.provider.path == "stored_flags:make"
    assert loaded.provider.options == {"key": "secret-key", "deep": [1, {"a": True}]}
    assert "secret-key" not in f"{loaded.provider!r} {loaded!r} {loaded.spec!r}"


def test_a_provider_of_which_nothing_is_asked_is_not_started(provided: Folder) -> None:
    loaded = provided.load(
        changed(("listen: 127.0.0.1:8080", f"listen: 127.0.0.1:8080\n{FLAGS.replace('${KEY}', 'k')}{DECLARED}"))
    )
    assert (loaded.spec.flags, loaded.provider) == (None, None)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (GOOD.replace("stored_flags:make", "stored_flogs:make"), "no module stored_flogs; allowed a module on"),
        (GOOD.replace("stored_flags:make", "stored_flags.deeper:make"), "there is no module stored_flags.deeper"),
        (GOOD.replace(":make", ":maker"), 'stored_flags has no maker; allowed a name in stored_flags; did you mean "'),
        (GOOD.replace(":make", ":NUMBER"), "NUMBER in stored_flags is neither callable nor a provider"),
        (GOOD.replace(":make", ":later"), "later in stored_flags is neither callable nor a provider"),
        (GOOD.replace(":make", ""), 'found "stored_flags"; allowed an import path such as mypackage.flags'),
        (GOOD.replace("ranker: string", "rankr: string"), 'found "ranker"; allowed one of flags.declare: "beta", "ra'
         'nkr", "tier"; did you mean "rankr"?'),
        (GOOD.replace("ranker: string, tier: string, beta: boolean", ""), "one of flags.declare: there are none"),
        (GOOD.replace("beta: boolean", "beta: string"), 'found "beta", which is declared as string and never true; '
         "allowed one of its variants: {beta: VARIANT}"),
        (GOOD.replace("beta: boolean", "beta: bool"), 'found "bool"; allowed boolean or string or integer or float or'),
        (GOOD.replace("ttl: 3s", "ttl: 10ms"), "flags.ttl: found"),
        (GOOD.replace("first_wait: 20ms", "first_wait: 5s"), "flags.first_wait: found"),
        (GOOD.replace("ttl: 3s", "timeout: 0s"), "flags.timeout: found"),
        (GOOD.replace("ttl: 3s", "fractional: 2"), "found fractional; allowed fractional with a file only"),
        (GOOD.replace("flags: {", "flags: {file: flags.json, "), "found file and provider; allowed one of them"),
        (GOOD.replace("{email: {header: X-Email}}", "{" + ", ".join(f"f{n}: {{query: q}}" for n in range(33)) + "}"),
         "found 33 facts; allowed up to 32 facts in context"),
        (text(flags="flags: {ttl: 5s}"), "found neither file nor provider; allowed one of them"),
        (text(flags="flags: {file: x.json, declare: {a: string}}"), "found declare; allowed declare with a provider"),
    ],
    ids=[str(number) for number in range(18)],
)  # fmt: skip
def test_what_cannot_be_asked_is_refused_with_what_is_near(provided: Folder, given: str, told: str) -> None:
    findings = provided.refusal(given, environ={"KEY": "k"})
    assert any(told in finding for finding in findings), findings


def test_a_name_is_believed_where_only_running_the_module_could_tell(module: Path) -> None:
    for name in ("make", "Kind", "made", "under", "other", "y", "spare", "j", "Kind.of"):
        assert missing(f"stored_flags:{name}") is None, name
    module.write_text("from somewhere import *\n")
    assert missing("stored_flags:anything") is None
    module.write_text("def __getattr__(name): ...\n")
    assert missing("stored_flags:anything") is None
    module.write_text("this is no Python\n")
    assert missing("stored_flags:anything") is None


def test_packages_without_a_file_of_their_own_are_looked_into(module: Path) -> None:
    deep = module.parent / "bare" / "time" / "flags.py"
    deep.parent.mkdir(parents=True)
    deep.write_text("def make(): ...\n")
    assert missing("bare.time.flags:make") is None
    assert missing("bare.time.flags:mak") == ("bare.time.flags has no mak", "a name in bare.time.flags", "make")
    assert missing("bare.sys:path") is not None


def test_the_sdk_has_to_be_installed(module: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [str(module.parent)])
    monkeypatch.setattr(sys, "meta_path", [finder for finder in sys.meta_path if "Editable" not in repr(finder)])
    assert missing("stored_flags:make") == (
        "the package openfeature-sdk is not installed", "pip install 'stepdown[openfeature]'"
    )  # fmt: skip


def test_a_route_without_a_key_and_a_part_that_its_path_does_not_have_are_doubtful(provided: Folder) -> None:
    given = GOOD.replace("    key: [{header: x-user-id}, {cookie: uid}]\n", "").replace(
        "{header: X-Email}", "{param: mail}"
    )
    warnings = provided.warnings(given, environ={"KEY": "k"})
    assert any('"beta", "tier" is asked without a targetingKey: the route churn has no key' in one for one in warnings)
    assert any("the path of the route churn has no {mail}, which flags.context names" in one for one in warnings)


def test_a_rule_by_a_boolean_names_true_and_false(provided: Folder) -> None:
    rule = RULE.replace("name: ranker, versions: {old:", "name: beta, versions: {old:")
    [warning] = provided.warnings(text(rule=rule), environ={"KEY": "k"})
    assert "beta is boolean: its variants are true and false where the provider names none" in warning
    rule = rule.replace("old:", '"false":').replace("new:", '"true":')
    assert provided.warnings(text(rule=rule), environ={"KEY": "k"}) == []
