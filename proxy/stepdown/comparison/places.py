"""Where in a document something is: a chain of steps, written out only when somebody asks."""

from __future__ import annotations

from stepdown.comparison.rules import State

DEEPEST = 32
"""Steps that a path shows; what is below counts there."""
LONGEST = 300
"""Characters of a pointer that are kept."""


class Place:
    """One step below another place."""

    __slots__ = ("above", "name", "shown", "state")

    def __init__(self, above: Place | None, name: str | int, shown: str | None, state: State) -> None:
        """`name` is the member's or the index; `shown` what stands for it in a path, where that is not the name."""
        self.above = above
        self.name = name
        self.shown = shown
        self.state = state
        """What holds here; what is at or below a redacted place is secret, from that step's name on."""

    @property
    def path(self) -> str:
        """With `*` for every index and for members of which nothing may be shown."""
        return self._written(False)

    @property
    def pointer(self) -> str:
        """RFC 6901, with the index in which the served document has it."""
        return self._written(True)

    def _written(self, exact: bool) -> str:
        steps: list[Place] = []
        place: Place | None = self
        while place is not None and place.above is not None:  # the root is no step
            steps.append(place)
            place = place.above
        if place is not None and place.state.secret:
            return ""
        parts: list[str] = []
        for step in reversed(steps[-DEEPEST:]):
            parts.append(step._text(exact))
            if step.state.secret:
                break
        if len(steps) > DEEPEST and not steps[-DEEPEST].state.secret:
            parts.append("...")
        # A lone surrogate is in no encoding of a report.
        text = "".join(f"/{part}" for part in parts).encode("utf-8", "backslashreplace").decode()
        return text if len(text) <= LONGEST else text[: LONGEST - 3] + "..."

    def _text(self, exact: bool) -> str:
        if self.shown is not None and (self.state.secret or not exact):
            return self.shown
        if isinstance(self.name, int):
            return str(self.name) if exact else "*"
        return escaped(self.name)


def root(state: State) -> Place:
    """The whole document."""
    return Place(None, "", None, state)


def escaped(name: str) -> str:
    """A member's name in a path of the extended kind (`stepdown_adapters.paths`)."""
    if "~" in name or "/" in name:
        name = name.replace("~", "~0").replace("/", "~1")
    if name == "*":
        return "~2"
    return "~3" + name[1:] if name.startswith("[") else name
