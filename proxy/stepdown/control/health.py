"""What a probe's result makes of an endpoint: a table, and the comparison of what a server claims with the file.

No I/O; `control.probes` asks the servers and passes results and the time in.

| state   | passed          | failed           | wrong server    |
|---------|-----------------|------------------|-----------------|
| unknown | up, at once     | down, at once    | down, at once   |
| up      | stays           | down after fall  | down, at once   |
| down    | up after rise   | stays            | stays           |

*Unknown* is an endpoint that was not asked yet; it gets requests, because a sidecar that starts must not wait for its
probes. *Wrong server* is one that answers, and claims to run something else than the file says: more of the same proof
is not needed. A result that agrees with the state starts the count of those that do not again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any, Literal

State = Literal["unknown", "up", "down"]


class Result(Enum):
    """Of one probe."""

    PASSED = "passed"
    FAILED = "failed"
    WRONG = "wrong server"


_TABLE: Mapping[tuple[State, Result], tuple[State, Literal["once", "rise", "fall"]]] = {
    ("unknown", Result.PASSED): ("up", "once"),
    ("unknown", Result.FAILED): ("down", "once"),
    ("unknown", Result.WRONG): ("down", "once"),
    ("up", Result.FAILED): ("down", "fall"),
    ("up", Result.WRONG): ("down", "once"),
    ("down", Result.PASSED): ("up", "rise"),
}
"""Where a result leads, and how many in a row it takes; what is not listed changes nothing."""


@dataclass(frozen=True, slots=True)
class Health:
    """One endpoint, as its probes left it."""

    state: State = "unknown"
    since: float = 0.0
    """Time of the last change, of the clock that the caller uses."""
    against: int = 0
    """Results in a row that speak against the state."""
    reason: str = "not probed yet"


def after(health: Health, result: Result, saw: str, *, rise: int, fall: int, now: float) -> Health:
    """The endpoint after one more probe; `saw` is what the probe saw, in words that follow "up: " or "down: "."""
    change = _TABLE.get((health.state, result))
    if change is None:
        return replace(health, against=0, reason=saw)
    state, threshold = change
    needed = {"once": 1, "rise": rise, "fall": fall}[threshold]
    against = health.against + 1
    if against >= needed:
        counted = f" ({against} in a row)" if needed > 1 else ""
        return Health(state, now, 0, saw + counted)
    return replace(health, against=against, reason=f"{saw} ({against} of {needed} before it counts as {state})")


def contradiction(expect: Iterable[tuple[str, str]], metadata: Any, path: str) -> str | None:
    """Why the server is not the one that the file means, in one sentence; `None` when it is.

    `metadata` is the decoded answer to `path`. A field of `expect` is looked for by its name; in Open Inference
    metadata `model_name` is called `name`, and `model_version` has to be one of `versions`. Some servers leave
    `versions` empty (MLServer 1.7 does): there, the path that answered must itself name the version, for such a server
    says 404 for versions that it does not have.
    """
    if not isinstance(metadata, dict):
        return "its metadata is no JSON object"
    for field, wanted in expect:
        claims = _claims(field, metadata)
        if not claims and field == "model_version" and f"/versions/{wanted}/" in f"{path}/":
            continue
        if not claims:
            return f"its metadata says nothing of {field}, where the file expects {wanted}"
        if wanted not in claims:
            return f"it claims {field} {' or '.join(claims)}, where the file expects {wanted}"
    return None


def _claims(field: str, metadata: dict[str, Any]) -> list[str]:
    """What the server says of the field; several values where it says several."""
    inference = {"model_name": "name", "model_version": "versions"}
    value = metadata.get(field, metadata.get(inference.get(field, field)))
    values = value if isinstance(value, list) else [value]
    return [str(item) for item in values if isinstance(item, str | int | float)]
