"""Where rollouts stand in a specification: whose rule it is, what runs the candidate, and who is ready."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import NamedTuple

import msgspec

from stepdown.control.state import HealthView
from stepdown.decide.rollout_spec import Rollout
from stepdown.decide.spec import Model, SnapshotSpec, Version
from stepdown.rollout.position import Candidate


class Place(NamedTuple):
    """Of one rollout."""

    route: str
    rule: str
    model: Model
    builds: Mapping[str, str]
    """Digests of what runs each version of the model."""

    def candidate(self, rollout: Rollout) -> Candidate:
        """With what runs it now."""
        return Candidate(version=rollout.candidate, endpoints=self.builds.get(rollout.candidate, ""))

    def ready(self, version: str, health: Mapping[str, HealthView]) -> int:
        """How many endpoints of a version may get requests; one that is not probed counts as ready."""
        endpoints = next((one.endpoints for one in self.model.versions if one.id == version), ())
        views = [health.get(f"{self.model.name}/{version}/{endpoint.id}") for endpoint in endpoints]
        return sum(view is None or view.state == "up" for view in views)


def places_of(spec: SnapshotSpec) -> dict[str, Place]:
    """By name of the rollout, in the file's order."""
    owners = {rule.rollout: (route, rule) for route in spec.routes for rule in route.rules if rule.rollout}
    models = {model.name: model for model in spec.models}
    found = {}
    for rollout in spec.rollouts:
        if rollout.name in owners:
            route, rule = owners[rollout.name]
            model = models[route.model]
            builds = {version.id: build(version) for version in model.versions}
            found[rollout.name] = Place(route.name, rule.name, model, builds)
    return found


def build(version: Version) -> str:
    """Digest of what runs a version: where it is asked, and what it has to say of itself; no headers, no secrets."""
    told = [(one.host, one.port, one.tls is not None, one.path, one.expect) for one in version.endpoints]
    return hashlib.sha256(msgspec.json.encode(sorted(told, key=repr))).hexdigest()[:16]
