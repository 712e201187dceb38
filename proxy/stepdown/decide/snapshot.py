"""The snapshot: everything that decisions need, compiled once from a specification and never changed."""

from __future__ import annotations

from collections.abc import Mapping

from stepdown.decide import spec
from stepdown.decide.choice import Choice
from stepdown.decide.conditions import Conditions
from stepdown.decide.digests import Digests
from stepdown.decide.driving import by_name, effective
from stepdown.decide.facts import Facts
from stepdown.decide.flag_view import compiled_flags
from stepdown.decide.keysets import KeySet
from stepdown.decide.lookup import Lookup
from stepdown.decide.models import Model, VersionKey
from stepdown.decide.route import Route
from stepdown.decide.slots import Tables

__all__ = ["Choice", "Route", "Snapshot", "VersionKey", "compile_snapshot"]

_PIN_ROOM = 8192
"""Pin values remembered by all models of a snapshot together."""
_LEAST_PIN_ROOM = 16
_NO_LISTS: Mapping[str, KeySet] = {}


class Snapshot:
    """Routes and models as one request sees them from its beginning to its end."""

    __slots__ = ("_lookup", "flags", "models", "routes", "spec", "versions")

    def __init__(self, specification: spec.SnapshotSpec, lists: Mapping[str, KeySet], digests: Digests) -> None:
        self.flags = compiled_flags(specification.flags)
        conditions = Conditions(specification.segments, digests, lists, self.flags)
        tables = Tables()
        room = max(_LEAST_PIN_ROOM, _PIN_ROOM // max(1, len(specification.models)))
        self.spec = specification
        self.models: dict[str, Model] = {}
        versions: list[VersionKey] = []
        for model in specification.models:
            self.models[model.name] = Model(model, len(versions), digests, room)
            versions += [VersionKey(model.name, version.id) for version in model.versions]
        self.versions = tuple(versions)
        """Every declared version of every model, served or not; readiness is given in this order."""
        rollouts = by_name(specification)
        self.routes = tuple(
            Route(effective(route, rollouts), self.models[route.model], conditions, tables)
            for route in specification.routes
        )
        self._lookup = Lookup([(route.spec.match, route) for route in self.routes], digests)

    def match(self, facts: Facts) -> tuple[Route, tuple[bytes, ...]] | None:
        """The route of a request and the values of its path's `{name}`s; `None` if there is none.

        Raises `BadRequestError` (400) where a template or a prefix matches a path that servers read differently.
        """
        return self._lookup.find(facts)


def compile_snapshot(
    specification: spec.SnapshotSpec, lists: Mapping[str, KeySet] = _NO_LISTS, digests: Digests | None = None
) -> Snapshot:
    """Compile a specification that `config` has checked; what it left unchecked fails here with a `LookupError`.

    `lists` has, by digest, at least the lists of ids that the specification names; `digests` may know digests of values
    that cannot be hashed any more (`replay`).
    """
    return Snapshot(specification, lists, digests or Digests())
