"""What is seen in the terminal while a switch is under way: one line that changes, or a line now and then in a file."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from typing import Any, TextIO

from stepdown.cli.admin_client import AdminError

BETWEEN_LINES = 10.0
"""Seconds, where lines cannot be written over."""
GONE_WITHIN = 5.0
"""Seconds for which it is looked whether a switch has ended whose caller has left."""

Ask = Callable[[], Mapping[str, Any]]
"""`GET /v1/switches`."""


class Progress:
    """Of one switch."""

    def __init__(self, ask: Ask, place: str, stream: TextIO | None = None) -> None:
        self._ask = ask
        self._place = place
        self._stream = sys.stderr if stream is None else stream
        self._width = 0
        self._said = float("-inf")

    def look(self) -> bool:
        """Show how far it is; whether it was seen to be under way."""
        way = self._one().get("under_way")
        if way is not None:
            self._say(line(self._place, way))
        return way is not None

    def clear(self) -> None:
        """Take the line away, so that what follows stands alone."""
        if self._width:
            self._stream.write(f"\r{'':{self._width}}\r")
            self._stream.flush()
            self._width = 0

    def ended(self) -> str:
        """What became of it after its caller has left, as a sentence."""
        give_up = time.monotonic() + GONE_WITHIN
        while time.monotonic() < give_up:
            one = self._one()
            if one and one["under_way"] is None:
                return f"Interrupted: the switch is over; {one['active']} is active."
            time.sleep(0.1)
        return "Interrupted: it is not known what became of the switch. `stepdown switch --status` tells."

    def _one(self) -> Mapping[str, Any]:
        """What the sidecar says of the place; nothing where it says nothing."""
        try:
            places = self._ask()["places"]
        except AdminError:
            return {}
        return next((one for one in places if one["place"] == self._place), {})

    def _say(self, text: str) -> None:
        if self._stream.isatty():
            self._stream.write(f"\r{text:{self._width}}")
            self._width = len(text)
        elif time.monotonic() >= self._said + BETWEEN_LINES:
            self._said = time.monotonic()
            self._stream.write(f"{text}\n")
        self._stream.flush()


def line(place: str, way: Mapping[str, Any]) -> str:
    """Where a switch stands, in one line."""
    warmth = way["warm_up"]
    head = f"{place} -> {way['colour']}"
    if warmth is None:
        return f"{head}: it is checked whether it is ready"
    copies = f"{warmth['answered']} copies answered, {warmth['failed']} failed"
    needed = f" ({warmth['copies']} of {warmth['min_copies']})" if warmth["copies"] < warmth["min_copies"] else ""
    if way["phase"] != "warming":
        return f"{head}: warmed up, {copies}; it is checked once more"
    waited = "left" if warmth["seconds"] < warmth["duration"] else "more at most"
    return f"{head}: warming up, {copies}{needed}, {warmth['seconds_left']:.0f} s {waited}"


def told(warmth: Mapping[str, Any]) -> list[str]:
    """What a warm-up came to, in sentences."""
    share = f" ({warmth['failed'] / warmth['copies']:.2%})" if warmth["failed"] else ""
    kinds = ", ".join(f"{count} {kind}" for kind, count in warmth["failures"].items())
    lines = [
        f"  Warmed up for {warmth['seconds']:.0f} s: {warmth['answered']} copies were answered and {warmth['failed']} "
        f"failed{share}{f': {kinds}' if kinds else ''}."
    ]
    if warmth["client_errors"]:
        lines.append(
            f"  {warmth['client_errors']} of the answers say 4xx: copies carry no credentials (401, 403), and clients "
            "make mistakes. Such answers warm little up."
        )
    return lines
