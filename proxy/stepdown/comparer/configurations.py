"""The configurations that copies were taken under: found by digest, with their adapters compiled when first needed."""

from __future__ import annotations

import msgspec

from stepdown.comparer import contracts
from stepdown.comparer.contracts import KEPT
from stepdown.comparer.marking import marked
from stepdown.decide.paths import Template
from stepdown.decide.shadow_spec import Shadow
from stepdown.decide.spec import Endpoint, Model, Route, SnapshotSpec, Version
from stepdown.errors import UnreachableShapeError
from stepdown.plane import streamed
from stepdown.plane.offload import compiled
from stepdown.plane.streamed import UNTOUCHED, Streams
from stepdown_adapters.contract.validator import Validator
from stepdown_adapters.generate import CompiledChain


class Configuration:
    """One specification, as far as copies need it."""

    def __init__(self, spec: SnapshotSpec) -> None:
        self.trusted_hops = spec.trusted_hops
        self.routes: dict[str, Route] = {route.name: route for route in spec.routes if route.shadows}
        used = {route.model for route in self.routes.values()}
        self.models: dict[str, Model] = {model.name: model for model in spec.models if model.name in used}
        self._names = {
            route.name: Template.parse(route.match.path or route.match.path_prefix or "").names
            for route in self.routes.values()
        }
        self._versions = {
            (model.name, version.id): version for model in self.models.values() for version in model.versions
        }
        self._chains = {
            (model.name, chain.served, chain.pinned): chain for model in self.models.values() for chain in model.chains
        }
        self._adapters: dict[tuple[str, str, str], CompiledChain] = {}
        self._contracts: dict[tuple[str, str], Validator | None] = {}
        self._marked: dict[tuple[str, str, str], tuple[Endpoint, ...]] = {}

    def names(self, route: str) -> tuple[str, ...]:
        """The parts of a route's path."""
        return self._names[route]

    def version(self, model: str, version: str) -> Version | None:
        """What the file says of a version."""
        return self._versions.get((model, version))

    def contract(self, model: str, version: str) -> Validator | None:
        """What answers in a version's shape are held against; `None` where there is no contract, or none that works."""
        key = (model, version)
        if key not in self._contracts:
            declared = self.version(model, version)
            schema = None if declared is None else declared.contract
            self._contracts[key] = None if schema is None else contracts.compiled(model, version, schema)
        return self._contracts[key]

    def adapter(self, model: str, served: str, pinned: str) -> CompiledChain | None:
        """What lies between two versions; `None` between one and itself. Raises `UnreachableShapeError`."""
        if served == pinned:
            return None
        key = (model, served, pinned)
        adapter = self._adapters.get(key)
        if adapter is None:
            adapter = self._adapters[key] = compiled(self._steps(*key))
        return adapter

    def streams(self, model: str, served: str, pinned: str) -> Streams:
        """What becomes of streams between two versions. Raises `UnreachableShapeError`."""
        return UNTOUCHED if served == pinned else streamed.compiled(self._steps(model, served, pinned))

    def _steps(self, model: str, served: str, pinned: str) -> bytes:
        chain = self._chains.get((model, served, pinned))
        if chain is None:
            raise UnreachableShapeError(f"No adapters lead from {served} to {pinned}")
        return msgspec.json.encode(chain.steps)

    def endpoints(self, route: Route, shadow: Shadow, served: str | None = None) -> tuple[Endpoint, ...]:
        """Where a shadow's copies go, with its marks on; or, with `served`, those that go to that version besides."""
        key = (route.name, shadow.name, served or "")
        found = self._marked.get(key)
        if found is None:
            version = self.version(route.model, served or shadow.version)
            plain = () if version is None else version.idle if shadow.idle and not served else version.endpoints
            found = self._marked[key] = tuple(marked(endpoint, shadow, served is not None) for endpoint in plain)
        return found


class Configurations:
    """Those that were in force lately."""

    def __init__(self) -> None:
        self._known: dict[str, Configuration] = {}

    def adopt(self, name: str, spec: SnapshotSpec) -> Configuration:
        """Know a specification by its digest."""
        configuration = self._known.pop(name, None) or Configuration(spec)
        self._known[name] = configuration
        while len(self._known) > KEPT:
            del self._known[next(iter(self._known))]
        return configuration

    def find(self, name: str) -> Configuration | None:
        """The one with this digest; `None` where it is not (any more) known."""
        return self._known.get(name)
