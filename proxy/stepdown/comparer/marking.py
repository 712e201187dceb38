"""What distinguishes a copy from the request that it is a copy of: marks that a server can see, and no credentials.

Marks let a server skip billing and side effects: `X-Stepdown-Shadow` names the shadow, and `User-Agent` ends in
`stepdown-shadow`. The host stays as it is unless the shadow says otherwise, since servers and meshes route by it; it
never gets a suffix. What is an endpoint's and not a client's (its own fields, its own host) holds for copies too.
"""

from __future__ import annotations

from copy import copy

import msgspec

from stepdown.decide.shadow_spec import MARK, Shadow
from stepdown.decide.spec import Endpoint
from stepdown.wire import RequestHead

AGENT = "stepdown-shadow"
_AGENT_FIELD = b"user-agent"


def marked(endpoint: Endpoint, shadow: Shadow, noise: bool = False) -> Endpoint:
    """The endpoint as copies are sent to it; `noise` of those that go to the served version."""
    fields = {name.lower(): value for name, value in endpoint.set_headers}
    fields |= {name.lower(): value for name, value in shadow.set_headers}
    removed = dict.fromkeys((*endpoint.remove_headers, *shadow.remove_headers))
    if _AGENT_FIELD.decode() in fields:
        fields["user-agent"] += f" {AGENT}"
    elif any(name.lower() == "user-agent" for name in removed):
        fields["user-agent"] = AGENT
    fields[MARK] = shadow.name
    keep = noise or shadow.host == "keep"
    return msgspec.structs.replace(
        endpoint,
        host_header=endpoint.host_header if keep else shadow.host,
        set_headers=tuple(fields.items()),
        remove_headers=tuple(removed),
    )


def noted(head: RequestHead) -> RequestHead:
    """The head with its `User-Agent` marked."""
    new = copy(head)
    agents = [place for place, line in enumerate(head.lines) if line.partition(b":")[0].lower() == _AGENT_FIELD]
    if agents:
        new.lines = list(head.lines)
        new.lines[agents[0]] = head.lines[agents[0]].rstrip(b" \t") + b" " + AGENT.encode()
    else:
        new.lines = [*head.lines, _AGENT_FIELD + b": " + AGENT.encode()]
    return new
