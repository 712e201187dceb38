"""An OpenFeature provider that does what a file says: answers, raises, lies, hangs, or ends the process it is in.

The file's text is one of `variant NAME`, `value TEXT`, `user` (the variant is the targeting key), `lie`, `raise`,
`not found`, `hang`, `exit` (SystemExit), `die` (the whole process). It is read at each evaluation. A file beside it,
`NAME.start`, says what starting does: `raise` or `hang`; there is none where it just starts. `hang` ends when the file
says something else. When the text is another one than the last time, the provider says that its flags have changed.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from openfeature.evaluation_context import EvaluationContext
from openfeature.event import ProviderEventDetails
from openfeature.exception import ErrorCode
from openfeature.flag_evaluation import FlagResolutionDetails, Reason
from openfeature.provider import AbstractProvider, Metadata


class CommandedProvider(AbstractProvider):
    """Made with the path of its file."""

    def __init__(self, commands: str, log: str = "") -> None:
        super().__init__()
        self._file = Path(commands)
        self._log = Path(log) if log else None
        self._last = ""

    def _note(self, what: str) -> None:
        if self._log is not None:
            with self._log.open("a", encoding="utf-8") as log:
                log.write(f"{what}\n")

    def initialize(self, evaluation_context: EvaluationContext) -> None:
        start = Path(f"{self._file}.start")
        if start.exists():
            if start.read_text() == "raise":
                raise RuntimeError("no connection to the flag service")
            _wait(start.exists)
        self._note("start")

    def shutdown(self) -> None:
        self._note("shutdown")

    def get_metadata(self) -> Metadata:
        return Metadata("commanded")

    def _answer(self, key: str, default: Any, context: EvaluationContext | None) -> Any:
        command = self._file.read_text()
        if command != self._last:
            if self._last:
                self.emit_provider_configuration_changed(ProviderEventDetails())
            self._last = command
        asked = context or EvaluationContext()
        told = {**asked.attributes, "targetingKey": asked.targeting_key}
        self._note(f"{key} {told}")
        match command.split(maxsplit=1):
            case ["variant", name]:
                return FlagResolutionDetails(default, variant=name, reason=Reason.TARGETING_MATCH)
            case ["value", text]:
                return FlagResolutionDetails(text, reason="made up")
            case ["true"]:
                return FlagResolutionDetails(True, reason=Reason.SPLIT)
            case ["user"]:
                return FlagResolutionDetails(default, variant=asked.targeting_key, reason=Reason.TARGETING_MATCH)
            case ["lie"]:
                return FlagResolutionDetails(["no", 1], variant="new", reason=Reason.STATIC)
            case ["not", "found"]:
                return FlagResolutionDetails(default, error_code=ErrorCode.FLAG_NOT_FOUND, error_message="which flag?")
            case ["hang"]:
                _wait(lambda: self._file.read_text() == "hang")
            case ["exit"]:
                raise SystemExit(7)
            case ["die"]:
                os._exit(9)
        raise RuntimeError("the flag service is down")

    def resolve_boolean_details(
        self, flag_key: str, default_value: bool, evaluation_context: EvaluationContext | None = None
    ) -> FlagResolutionDetails[bool]:
        return self._answer(flag_key, default_value, evaluation_context)

    def resolve_string_details(
        self, flag_key: str, default_value: str, evaluation_context: EvaluationContext | None = None
    ) -> FlagResolutionDetails[str]:
        return self._answer(flag_key, default_value, evaluation_context)

    def resolve_integer_details(
        self, flag_key: str, default_value: int, evaluation_context: EvaluationContext | None = None
    ) -> FlagResolutionDetails[int]:
        return self._answer(flag_key, default_value, evaluation_context)

    def resolve_float_details(
        self, flag_key: str, default_value: float, evaluation_context: EvaluationContext | None = None
    ) -> FlagResolutionDetails[float]:
        return self._answer(flag_key, default_value, evaluation_context)

    def resolve_object_details(
        self, flag_key: str, default_value: Any, evaluation_context: EvaluationContext | None = None
    ) -> FlagResolutionDetails[Any]:
        return self._answer(flag_key, default_value, evaluation_context)


def make(**options: str) -> CommandedProvider:
    """As a team would write it."""
    return CommandedProvider(**options)


def nothing(**_options: str) -> str:
    """No provider."""
    return "a text"


NUMBER = 5


def _wait(as_long_as: Callable[[], bool]) -> None:
    while as_long_as():
        time.sleep(0.005)
