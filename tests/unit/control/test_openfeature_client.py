"""The border to OpenFeature: import paths, starting, and what a provider says held to what was declared."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from openfeature.evaluation_context import EvaluationContext
from openfeature.event import ProviderEventDetails
from openfeature.flag_evaluation import FlagResolutionDetails, Reason
from openfeature.provider.in_memory_provider import InMemoryFlag, InMemoryProvider

from stepdown.control.openfeature_client import OpenProvider, ProviderError, judged
from stepdown.decide.flag_questions import Answer, Question
from tests.kit.looping import PATIENCE, eventually

COMMANDED = "tests.kit.commanded_provider"


def by_plan(flag: InMemoryFlag[str], context: EvaluationContext) -> FlagResolutionDetails[str]:
    variant = "new" if context.attributes.get("plan") == "beta" else "old"
    return FlagResolutionDetails(flag.variants[variant], variant=variant, reason=Reason.TARGETING_MATCH)


IN_MEMORY = InMemoryProvider(
    {
        "beta": InMemoryFlag("on", {"on": True, "off": False}),
        "tier": InMemoryFlag("gold", {"gold": "au", "silver": "ag"}),
        "retries": InMemoryFlag("few", {"few": 3}),
        "share": InMemoryFlag("half", {"half": 0.5}),
        "limits": InMemoryFlag("wide", {"wide": {"max": 3}}),
        "ranker": InMemoryFlag("old", {"old": "1", "new": "2"}, context_evaluator=by_plan),
    }
)
"""As a team might give it: an instance."""


def ignore() -> None:
    """Flags have changed."""


@pytest.fixture
def commands(tmp_path: Path) -> Path:
    file = tmp_path / "commands"
    file.write_text("variant new")
    return file


def asked(flag: str, kind: Any, key: str | None = "ann", **context: str) -> Question:
    return Question(7, flag, kind, key, tuple(context.items()))


def test_each_type_is_asked_as_what_it_was_declared() -> None:
    provider = OpenProvider(f"{__name__}:IN_MEMORY", {}, ignore)
    try:
        assert provider.evaluate(asked("beta", "boolean")) == Answer(7, True, "on", "STATIC")
        assert provider.evaluate(asked("tier", "string")) == Answer(7, "au", "gold", "STATIC")
        assert provider.evaluate(asked("retries", "integer")) == Answer(7, 3, "few", "STATIC")
        assert provider.evaluate(asked("share", "float")) == Answer(7, None, "half", "STATIC")
        assert provider.evaluate(asked("limits", "object")) == Answer(7, None, "wide", "STATIC")
        for plan, variant in (("beta", "new"), ("basic", "old")):
            assert provider.evaluate(asked("ranker", "string", plan=plan)).variant == variant
        missing = provider.evaluate(asked("nope", "string"))
        assert (missing.error, missing.variant, missing.message) == ("FLAG_NOT_FOUND", None, "Flag 'nope' not found")
        assert provider.evaluate(asked("tier", "boolean")).error == "TYPE_MISMATCH"
    finally:
        provider.close()


def test_the_key_and_the_facts_are_what_the_provider_is_told(commands: Path, tmp_path: Path) -> None:
    log = tmp_path / "log"
    provider = OpenProvider(f"{COMMANDED}:CommandedProvider", {"commands": str(commands), "log": str(log)}, ignore)
    provider.evaluate(asked("ranker", "string", email="a@b"))
    provider.evaluate(asked("ranker", "string", None))
    provider.close()
    assert eventually(lambda: "shutdown" in log.read_text())
    assert log.read_text().splitlines() == [
        "start",
        "ranker {'email': 'a@b', 'targetingKey': 'ann'}",
        "ranker {'targetingKey': None}",
        "shutdown",
    ]


@pytest.mark.parametrize(
    ("path", "error", "told"),
    [
        ("no_such_module:make", ModuleNotFoundError, "no_such_module"),
        (f"{COMMANDED}:missing", AttributeError, "missing"),
        (f"{COMMANDED}:NUMBER", ProviderError, "is a int, neither callable nor a provider"),
        (f"{COMMANDED}:nothing", ProviderError, "gave a str, which is no OpenFeature provider"),
        (f"{COMMANDED}:CommandedProvider", TypeError, "unexpected keyword argument"),
        (f"{__name__}:IN_MEMORY", ProviderError, "is an instance, which takes no options"),
    ],
)
def test_what_is_no_provider_does_not_start(path: str, error: type[Exception], told: str) -> None:
    with pytest.raises(error, match=told):
        OpenProvider(path, {"other": 1}, ignore)


def test_one_that_fails_to_start_raises_and_can_be_tried_again(commands: Path) -> None:
    start = Path(f"{commands}.start")
    start.write_text("raise")
    with pytest.raises(RuntimeError, match="no connection to the flag service"):
        OpenProvider(f"{COMMANDED}:make", {"commands": str(commands)}, ignore)
    start.unlink()
    provider = OpenProvider(f"{COMMANDED}:make", {"commands": str(commands)}, ignore)
    assert provider.evaluate(asked("ranker", "string")).variant == "new"
    provider.close()


def test_two_providers_live_side_by_side(commands: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_text("variant other")
    first = OpenProvider(f"{COMMANDED}:make", {"commands": str(commands)}, ignore)
    second = OpenProvider(f"{COMMANDED}:make", {"commands": str(other)}, ignore)
    assert first.evaluate(asked("ranker", "string")).variant == "new"
    assert second.evaluate(asked("ranker", "string")).variant == "other"
    first.close()
    assert second.evaluate(asked("ranker", "string")).variant == "other"
    second.close()


def test_a_provider_says_that_its_flags_have_changed() -> None:
    changed = threading.Event()
    provider = OpenProvider(f"{__name__}:IN_MEMORY", {}, changed.set)
    IN_MEMORY.emit_provider_configuration_changed(ProviderEventDetails())
    assert changed.wait(PATIENCE)
    provider.close()


@pytest.mark.parametrize(
    ("command", "error", "told"),
    [
        ("raise", "GENERAL", "the flag service is down"),
        ("not found", "FLAG_NOT_FOUND", "which flag?"),
        ("lie", "TYPE_MISMATCH", ""),
        ("variant " + "x" * 201, "GENERAL", "a variant of 201 characters"),
    ],
)
def test_what_a_provider_does_wrong_is_an_error(commands: Path, command: str, error: str, told: str) -> None:
    commands.write_text(command)
    provider = OpenProvider(f"{COMMANDED}:make", {"commands": str(commands)}, ignore)
    answer = provider.evaluate(asked("ranker", "string"))
    assert (answer.variant, answer.value, answer.reason, answer.error) == (None, None, "ERROR", error)
    assert told in answer.message
    provider.close()


@pytest.mark.parametrize(
    ("kind", "value", "variant", "reason", "expected"),
    [
        ("boolean", True, None, "SPLIT", (True, "true", "SPLIT")),
        ("boolean", False, None, "TARGETING_MATCH", (False, "false", "TARGETING_MATCH")),
        ("boolean", False, None, "DEFAULT", (None, None, "DEFAULT")),
        ("boolean", True, None, "DEFAULT", (True, "true", "DEFAULT")),
        ("boolean", False, "off", "DEFAULT", (False, "off", "DEFAULT")),
        ("string", "gold", None, "made up", ("gold", "gold", "UNKNOWN")),
        ("string", "gold", "", None, ("gold", "gold", "UNKNOWN")),
        ("string", "", None, "DISABLED", (None, None, "DISABLED")),
        ("string", "", None, "STATIC", ("", None, "STATIC")),
        ("string", "x" * 300, "long", "STATIC", (None, "long", "STATIC")),
        ("integer", 3, None, "CACHED", (3, "3", "CACHED")),
        ("integer", 10**30, "huge", "STATIC", (None, "huge", "STATIC")),
        ("float", 0.5, None, "STATIC", (None, None, "STATIC")),
        ("object", {"a": 1}, None, "STATIC", (None, None, "STATIC")),
        ("string", "gold", None, "CACHE_MISS", ("gold", "gold", "UNKNOWN")),
    ],
)
def test_where_no_variant_is_named_the_value_names_it(
    kind: Any, value: Any, variant: Any, reason: Any, expected: tuple[Any, Any, str]
) -> None:
    answer = judged(asked("f", kind), value, variant, reason, None, None)
    assert (answer.value, answer.variant, answer.reason, answer.error) == (*expected, None)


@pytest.mark.parametrize(
    ("kind", "value", "variant"),
    [
        ("boolean", 1, "on"), ("boolean", "true", "on"), ("string", True, "on"), ("string", None, "on"),
        ("integer", True, "on"), ("integer", 1.5, "on"), ("float", True, "on"), ("object", "x", "on"),
        ("string", "x", 5), ("string", "x", ["on"]),
    ],
)  # fmt: skip
def test_a_lie_about_types_is_an_error(kind: Any, value: Any, variant: Any) -> None:
    answer = judged(asked("f", kind), value, variant, "STATIC", None, None)
    assert (answer.variant, answer.error) == (None, "TYPE_MISMATCH")
    assert answer.message


def test_texts_that_cannot_travel_do_not() -> None:
    assert judged(asked("f", "string"), "x", "\udc80", "STATIC", None, None).error == "GENERAL"
    assert judged(asked("f", "string"), "\udc80", "on", "STATIC", None, None).value is None
    told = judged(asked("f", "string"), "x", None, "ERROR", "odd", "\udc80" * 500)
    assert (told.error, len(told.message)) == ("GENERAL", 200 * 6)
