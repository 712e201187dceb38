"""A command that decides: its usage errors are not taken for a decision that is still open."""

from __future__ import annotations

from typing import Any

from typer.core import TyperCommand

from stepdown.cli.shadow_limits import EXIT_UNUSABLE


class DecidingCommand(TyperCommand):
    """A command whose usage errors are not taken for a decision that is still open, which is 2."""

    def make_context(self, *given: Any, **more: Any) -> Any:
        """Also reads the arguments."""
        try:
            return super().make_context(*given, **more)
        except Exception as error:
            if getattr(error, "exit_code", 0) == 2:  # click's, of what cannot be used
                error.exit_code = EXIT_UNUSABLE  # type: ignore[attr-defined]
            raise
