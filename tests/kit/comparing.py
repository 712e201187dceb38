"""Comparisons in few words: rules, replies, and what was found."""

from __future__ import annotations

from typing import Any

from stepdown.comparison.answers import Difference, Judged, Reply
from stepdown.comparison.compare import Comparison
from stepdown.decide.shadow_spec import Comparing

JSON = "application/json"


def reply(document: Any = None, **changes: Any) -> Reply:
    """A good answer that was read already, unless `body` is given."""
    given: dict[str, Any] = (
        {"status": 200, "media": JSON} | ({} if "body" in changes else {"document": document}) | changes
    )
    return Reply(**given)


def differences(served: Any, candidate: Any, redact: tuple[str, ...] = (), **rules: Any) -> list[Difference]:
    """Of two documents, by rules as `Comparing` has them."""
    return Comparison(Comparing(**rules), redact).compare(reply(served), reply(candidate)).differences


def found(served: Any, candidate: Any, redact: tuple[str, ...] = (), **rules: Any) -> list[tuple[str, str]]:
    """Kind and pointer of each difference."""
    return [(one.kind, one.pointer) for one in differences(served, candidate, redact, **rules)]


def judged(served: Any, candidate: Any, *, noise: Any = ..., **changes: Any) -> Judged:
    """A request of which all answers came; with `noise`, a second one of the served version too."""
    copy = None if noise is ... else reply(noise)
    given: dict[str, Any] = {"contract": "1.0.0", "at": 1000.0} | changes
    return Judged(served=reply(served), candidate=reply(candidate), noise=copy, **given)
