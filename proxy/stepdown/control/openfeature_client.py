"""The border to OpenFeature: a provider is imported and started here, asked, and closed. Everything here may block.

It runs in threads that may hang or be left alone (`flag_threads`, `flag_provider`), and nothing of the SDK or of the
provider gets past it: what a provider says is held to what was declared, and comes out as an `Answer`.
"""

from __future__ import annotations

import importlib
import logging
import time
from collections.abc import Callable, Mapping
from functools import reduce
from itertools import count
from typing import Any, get_args

from openfeature import api
from openfeature.client import OpenFeatureClient
from openfeature.evaluation_context import EvaluationContext
from openfeature.event import EventDetails, ProviderEvent
from openfeature.provider.no_op_provider import NoOpProvider

from stepdown.control.flag_threads import clean
from stepdown.decide.flag_questions import Answer, Question
from stepdown.decide.flags import ErrorCode, Kind, Reason
from stepdown.decide.flags.evaluation import is_a

LONGEST_VARIANT = 200
_ZERO: Mapping[Kind, Any] = {"boolean": False, "string": "", "integer": 0, "float": 0.0, "object": {}}
"""What a provider is to give where it has nothing to say."""
_REASONS = frozenset(get_args(Reason)) - {"CACHE_MISS"}
_ERRORS = frozenset(get_args(ErrorCode))
_numbers = count(1)


class ProviderError(Exception):
    """There is no provider at the end of an import path, or it does not start."""


class _OneAMinute(logging.Filter):
    """The SDK logs every evaluation that raises; a provider that fails for an hour is said so otherwise."""

    def __init__(self) -> None:
        super().__init__()
        self._next = 0.0

    def filter(self, record: logging.LogRecord) -> bool:
        now = time.monotonic()
        if now < self._next:
            return False
        self._next = now + 60
        return True


class OpenProvider:
    """A provider that has started."""

    def __init__(self, path: str, options: Mapping[str, Any], changed: Callable[[], None]) -> None:
        """Import, make and start it; `changed` is called from any thread when its flags have changed.

        Raises:
            Exception: whatever the provider raises, or `ProviderError`.
        """
        sdk = logging.getLogger("openfeature")
        if not any(isinstance(one, _OneAMinute) for one in sdk.filters):
            sdk.addFilter(_OneAMinute())
        self._domain = f"stepdown-{next(_numbers)}"
        self._changed = changed
        provider = _made(path, options)
        try:
            api.set_provider_and_wait(provider, self._domain)
        except BaseException:
            api.set_provider(NoOpProvider(), self._domain)
            raise
        self._client: OpenFeatureClient = api.get_client(self._domain)
        self._client.add_handler(ProviderEvent.PROVIDER_CONFIGURATION_CHANGED, self._on_change)

    def evaluate(self, question: Question) -> Answer:
        """What the provider says; raises nothing but what only a broken SDK would raise."""
        default = _ZERO[question.kind]
        context = EvaluationContext(question.key, dict(question.context))
        evaluate = getattr(self._client, f"get_{question.kind}_details")
        details = evaluate(question.flag, default, context)
        error = getattr(details.error_code, "value", details.error_code)
        return judged(question, details.value, details.variant, details.reason, error, details.error_message)

    def close(self) -> None:
        """Ask it no more, and have it shut down in a thread of its own."""
        self._client.remove_handler(ProviderEvent.PROVIDER_CONFIGURATION_CHANGED, self._on_change)
        api.set_provider(NoOpProvider(), self._domain)

    def _on_change(self, _details: EventDetails) -> None:
        self._changed()


def judged(  # noqa: PLR0917 - what an evaluation has
    question: Question, value: Any, variant: Any, reason: Any, error: Any, message: Any
) -> Answer:
    """What a provider gave, held to what was declared; where it names no variant, the value does."""
    kind, ticket = question.kind, question.ticket
    told = clean(str(message or ""))
    why: Any = str(reason) if str(reason) in _REASONS else "UNKNOWN"
    if error is not None or why == "ERROR":
        code: Any = str(error) if str(error) in _ERRORS else "GENERAL"
        return Answer(ticket, error=code, message=told)
    if not is_a(value, kind) or (kind == "float" and isinstance(value, bool)):
        return Answer(ticket, error="TYPE_MISMATCH", message=f"a {type(value).__name__} where {kind} was declared")
    if variant is not None and not isinstance(variant, str):
        return Answer(ticket, error="TYPE_MISMATCH", message=f"a variant that is a {type(variant).__name__}")
    if not variant:
        if why in {"DEFAULT", "DISABLED"} and value == _ZERO[kind]:
            return Answer(ticket, reason=why)
        variant = named_by_value(kind, value)
    if variant is not None and (len(variant) > LONGEST_VARIANT or clean(variant) != variant):
        return Answer(ticket, error="GENERAL", message=f"a variant of {len(variant)} characters that is no name")
    scalar = value if kind in {"boolean", "integer"} or (kind == "string" and clean(value) == value) else None
    if isinstance(scalar, int) and not -(2**63) <= scalar < 2**63:
        scalar = None
    return Answer(ticket, scalar, variant, why)


def named_by_value(kind: Kind, value: Any) -> str | None:
    """The variant that a value stands for where the provider names none."""
    match kind:
        case "boolean":
            return "true" if value else "false"
        case "string":
            return str(value) or None
        case "integer":
            return str(value)
        case _:
            return None


def _made(path: str, options: Mapping[str, Any]) -> Any:
    module, _, name = path.partition(":")
    found: Any = reduce(getattr, name.split("."), importlib.import_module(module))
    if _is_provider(found) and not isinstance(found, type):
        if options:
            raise ProviderError(f"{path} is an instance, which takes no options")
        return found
    if not callable(found):
        raise ProviderError(f"{path} is a {type(found).__name__}, neither callable nor a provider")
    provider = found(**options)
    if not _is_provider(provider):
        raise ProviderError(f"{path} gave a {type(provider).__name__}, which is no OpenFeature provider")
    return provider


def _is_provider(value: Any) -> bool:
    return all(hasattr(value, name) for name in ("resolve_boolean_details", "resolve_string_details", "get_metadata"))
