"""`--max-different` and `--min-compared`: what decides whether a version differs too often."""

from __future__ import annotations

import sys
from typing import NamedTuple, NoReturn

import typer
from pydantic_core import PydanticCustomError

from stepdown.config.file.values import read_share

EXIT_UNUSABLE = 3
"""Not 2, which says that a decision is still open: who waits for one must not wait for a wrong option."""


class Limits(NamedTuple):
    """What a report is held against."""

    max_different: float
    """Share, 0 to 1."""
    min_compared: int


def limits_of(max_different: str | None, min_compared: int | None) -> Limits | None:
    """What the options say; `None` where nothing is to be decided. Gives up where they say nothing that can be used."""
    if max_different is None:
        if min_compared is not None:
            give_up("--min-compared: goes together with --max-different")
        return None
    return Limits(share_of("--max-different", max_different), min_compared or 1)


def share_of(option: str, text: str, code: int = EXIT_UNUSABLE) -> float:
    """A share (0 to 1) of `0.5%` or `0.005`; gives up on anything else, with the exit code of the command."""
    try:
        return read_share(float(text) if text.replace(".", "", 1).isdigit() else text)
    except PydanticCustomError as error:
        give_up(f"{option} {text}: {error.message()}", code)


def give_up(message: str, code: int = EXIT_UNUSABLE) -> NoReturn:
    """End with what cannot be used."""
    print(message, file=sys.stderr)
    raise typer.Exit(code)
