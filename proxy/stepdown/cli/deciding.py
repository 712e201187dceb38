"""Commands that decide: their usage errors are not taken for a decision that is still open."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from typer.core import TyperCommand, TyperGroup

from stepdown.cli.shadow_limits import EXIT_UNUSABLE


class DecidingCommand(TyperCommand):
    """A command whose usage errors are not taken for a decision that is still open, which is 2."""

    def make_context(self, *given: Any, **more: Any) -> Any:
        """Also reads the arguments."""
        with _mistakes():
            return super().make_context(*given, **more)


class DecidingGroup(TyperGroup):
    """A group of such commands, whose names may be wrong too."""

    def make_context(self, *given: Any, **more: Any) -> Any:
        """Also reads the group's own arguments."""
        with _mistakes():
            return super().make_context(*given, **more)

    def resolve_command(self, *given: Any, **more: Any) -> Any:
        """The command of this name."""
        with _mistakes():
            return super().resolve_command(*given, **more)


@contextmanager
def _mistakes() -> Iterator[None]:
    """Give what is a mistake in the command a code of its own."""
    try:
        yield
    except Exception as error:
        if getattr(error, "exit_code", 0) == 2:  # click's, of what cannot be used
            error.exit_code = EXIT_UNUSABLE  # type: ignore[attr-defined]
        raise
