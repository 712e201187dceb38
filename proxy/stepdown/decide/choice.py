"""The result of a decision: which version answers, in which shape, and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from stepdown.decide import spec

Reason = Literal["split", "flag", "kept", "pin-forced", "taken-back", "unhealthy", "pin-server", "override"]
"""Why the served version is the one it is.

`split`: it is the assigned one. `flag`: so it is, and a feature flag assigned it. `kept`: it has no weight any more,
and keeps those whom it had. `pin-forced`: the assigned one cannot be stepped down to the pinned shape. `taken-back`:
nor can any other, but one that a rollout took back. `unhealthy`: the assigned one has no ready endpoint.
`pin-server`: the client asked for this version's own server, on a route that grants that.
`override`: somebody who may asked for this version's own server (`overrides`).
"""


@dataclass(frozen=True, slots=True, eq=False)
class Choice:
    """One way that requests of a route can go.

    A snapshot makes each at most once, and equality is identity: whatever the plane derives from a choice (adapters,
    header bytes, metric cells) it keeps in a dictionary keyed by the object itself. There is one for each route, rule,
    pinned, assigned and served version, reason and key source, so their number is bounded by the configuration.
    """

    route: str
    rule: str
    pinned: str
    """The version whose shape the client gets."""
    assigned: str
    """The version that the split, a pin on a server or an override gave the request to: the one it is evidence for."""
    served: str
    """The version whose server answers."""
    served_index: int
    """Place of the served version in `Snapshot.versions`."""
    reason: Reason
    key_source: str
    """`header:x-user-id`, `cookie:uid`, `json:/user/id`, `client_ip`; `none` for an independent draw or no draw."""
    chain: spec.Chain | None
    """The steps from the served to the pinned shape; `None` where they are the same."""
    evidence: bool
    """Counts for a rollout: the split assigned it, and every version of the split was open to this client."""
