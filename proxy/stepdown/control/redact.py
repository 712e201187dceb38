"""The running configuration for people's eyes: nothing in it opens a door.

Values are hidden by where they stand, not by what they look like: what Stepdown adds to requests for an endpoint, what
tells clients apart (that is often their API key, in full or as a digest that a short one could be guessed from), any
header whose name speaks of a secret, what is told to servers of metrics, and the query of their URLs and of an
endpoint's path.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from stepdown.decide.spec import SnapshotSpec

HIDDEN = "***"

_SECRET_NAME = re.compile(r"auth|cookie|credential|key|pass|secret|session|signature|token", re.IGNORECASE).search
_MATCH_VALUES = ("equals", "sha256", "any_of", "prefix")


def without_query(endpoint: str) -> str:
    """The name of an endpoint for people: its path may have a key in its query."""
    path, query, _value = endpoint.partition("?")
    return f"{path}?{HIDDEN}" if query else path


def redacted(spec: SnapshotSpec) -> Any:
    """The specification as plain data for JSON, with what is secret replaced by `HIDDEN`."""
    return _node(msgspec.to_builtins(spec), identifies_clients=False)


def _node(node: Any, *, identifies_clients: bool) -> Any:
    if isinstance(node, list | tuple):
        return [_node(item, identifies_clients=identifies_clients) for item in node]
    if not isinstance(node, dict):
        return node
    shown = {
        key: _member(key, value, identifies_clients=identifies_clients or key == "clients")
        for key, value in node.items()
    }
    if "name" in node and (identifies_clients or _SECRET_NAME(str(node["name"]))):
        shown |= {key: HIDDEN for key in _MATCH_VALUES if key in node}
    if node.keys() in ({"header", "sha256"}, {"name", "sha256"}):  # a key that may ask for a server, or post feedback
        shown["sha256"] = HIDDEN
    if {"run", "salt"} <= node.keys():  # who knows the salt of a rollout's run can try out whose token one is
        shown["salt"] = HIDDEN
    return shown


def _member(key: str, value: Any, *, identifies_clients: bool) -> Any:
    if key in {"contract", "request", "response"}:  # a schema, or operations on bodies: any names may stand in them
        return value
    if key == "secrets":
        return [HIDDEN for _ in value]
    if key in {"set_headers", "tells"}:
        return [[name, HIDDEN] for name, _ in value]
    if key in {"path", "metadata_path", "id", "url"} and isinstance(value, str) and "?" in value:
        return without_query(value)
    return _node(value, identifies_clients=identifies_clients)
