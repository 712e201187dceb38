"""What may be told of a failed adaptation where a shadow has values that nobody is to see."""

from __future__ import annotations

from stepdown.decide.shadow_spec import Shadow

_PLACE = 2
"""Parts of a sentence that say where: the step, and the operation with its path. What follows may quote a value."""


def told(detail: str, shadow: Shadow) -> str:
    """The sentence, or of it only where something failed: an operation's own words quote what it has found."""
    if not shadow.examples.redact:
        return detail
    parts = detail.split(": ", _PLACE)
    return (
        detail if len(parts) <= _PLACE else ": ".join([*parts[:_PLACE], "why is not shown, as the shadow has redact"])
    )
