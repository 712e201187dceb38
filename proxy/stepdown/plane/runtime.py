"""A snapshot made ready to move bytes: its decisions, and the pools, adapters, header lines and cells behind them.

A runtime is made whole before it is used and does not change afterwards, but for readiness, which is a fact about the
world, and for plans, which are worked out when the first request needs them and are the same ever after. Endpoints
that two successive snapshots share keep their pools, so a reload neither closes a connection nor forgets that an
endpoint was down.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from ipaddress import ip_address, ip_network
from random import random
from typing import TYPE_CHECKING, NamedTuple, get_args
from zlib import crc32

import msgspec

from stepdown.decide import checks
from stepdown.decide import spec as specification
from stepdown.decide.checks import Subject, Watched
from stepdown.decide.explanation import Explanation
from stepdown.decide.feedback import Arm
from stepdown.decide.keysets import KeySet
from stepdown.decide.overrides import Overrides, Verdict, names_of
from stepdown.decide.sampling import Sampler
from stepdown.decide.shadow_spec import numbered
from stepdown.decide.snapshot import Choice, Route, Snapshot, compile_snapshot
from stepdown.errors import StepdownError
from stepdown.plane import streamed
from stepdown.plane.check import Check
from stepdown.plane.clock import CoarseClock
from stepdown.plane.evidence import Evidence, Stages
from stepdown.plane.evidence_books import Books
from stepdown.plane.feedback import desk_of
from stepdown.plane.flag_desk import FlagDesk
from stepdown.plane.flags import counted
from stepdown.plane.handoff import Handoff
from stepdown.plane.mirror import Mirror
from stepdown.plane.offload import compiled
from stepdown.plane.plan import Plan, RoutePlan, answer_lines, vary_line
from stepdown.plane.pool import EndpointPool
from stepdown.plane.recording import Recorder
from stepdown.plane.streamed import UNTOUCHED, Streams
from stepdown.plane.versions import OrderedPool, VersionPool
from stepdown.telemetry.slab import Slab
from stepdown_adapters.generate import CompiledChain

if TYPE_CHECKING:
    from stepdown.decide.turns import Rotation
    from stepdown.plane.exchange import Exchange

PASSTHROUGH = "passthrough_to"
"""Label of requests that no route matches and that `passthrough_to` takes."""


class PoolKey(NamedTuple):
    """What two snapshots must have in common to share a pool."""

    owner: str
    """`model/version`, or `passthrough`."""
    endpoint: specification.Endpoint
    health: specification.HealthCheck


class RouteParts(NamedTuple):
    """What plans of one route have in common."""

    plan: RoutePlan
    model: specification.Model
    vary: bytes
    mirror: Mirror | None


def draw() -> int:
    """A slot for a request without a key."""
    return int(random() * 10_000)  # noqa: S311 - shares of traffic, not secrets


class Runtime:
    """What exchanges read, once each."""

    __slots__ = (
        "_adapters",
        "_allowed",
        "_arm_samplers",
        "_first_shadow",
        "_handoff",
        "_held",
        "_natives",
        "_parts",
        "_refused_cells",
        "_routes",
        "_samplers",
        "_slab",
        "_stages",
        "_streams",
        "_turns",
        "client_timeouts",
        "digest",
        "feedback",
        "flags",
        "idle",
        "not_down",
        "overrides",
        "passthrough",
        "plans",
        "pools",
        "ready",
        "recorder",
        "sampler",
        "snapshot",
        "spec",
        "trusted_hops",
        "versions",
    )

    draw = staticmethod(draw)

    def __init__(
        self,
        spec: specification.SnapshotSpec,
        digest: str,
        slab: Slab,
        clock: CoarseClock,
        before: Mapping[PoolKey, EndpointPool],
        *,
        handoff: Handoff | None = None,
        lists: Mapping[str, KeySet] | None = None,
        desk: FlagDesk | None = None,
        books: Books | None = None,
    ) -> None:
        """`lists` has the lists of ids that the specification names, by digest; without `books` no evidence counts."""
        self.spec = spec
        self.digest = digest
        self.snapshot: Snapshot = compile_snapshot(spec, lists or {})
        self.flags = counted(self.snapshot.flags, slab, desk)
        self.trusted_hops = spec.trusted_hops
        self.client_timeouts = spec.client_timeouts
        self.ready: list[bool] = [False] * (len(self.snapshot.versions) + 1)
        """By place in `snapshot.versions`: whether an endpoint of the version takes requests. Last: the passthrough."""
        self.not_down = list(self.ready)
        """The same, but for versions that refused connections lately: for when nothing is ready."""
        self.plans: dict[Choice, Plan] = {}
        self.pools: dict[PoolKey, EndpointPool] = {}
        self._slab = slab
        self._handoff = handoff
        self._natives: dict[Choice, Plan] = {}
        self._turns: dict[Rotation, int] = {}
        self._allowed = tuple(ip_network(network) for network in spec.explain.allow)
        self.overrides = Overrides(spec.overrides) if spec.overrides is not None else None
        decisions = spec.decisions
        self.recorder = Recorder(spec, digest, decisions) if decisions is not None else None
        self.sampler = Sampler(decisions.sample, int(random() * 2**63)) if decisions is not None else None  # noqa: S311
        """Which decisions are recorded; each worker takes its share of its own."""
        self._stages = Stages(spec, self.snapshot, books, slab) if books is not None else None
        self.feedback = desk_of(spec, books, slab)
        self._refused_cells: dict[tuple[str, str], tuple[int, int]] = {}
        self._routes = {route.name: route for route in self.snapshot.routes}
        self._first_shadow = numbered((route.name, route.shadows) for route in spec.routes)
        models = {model.name: model for model in spec.models}
        self._parts = {route.name: self._route_parts(route, models[route.spec.model]) for route in self.snapshot.routes}
        steps = {
            (model.name, chain.served, chain.pinned): msgspec.json.encode(chain.steps)
            for model in spec.models
            for chain in model.chains
        }
        self._adapters: dict[tuple[str, str, str], CompiledChain] = {way: compiled(one) for way, one in steps.items()}
        self._streams: dict[tuple[str, str, str], Streams] = {way: streamed.compiled(one) for way, one in steps.items()}
        self._held = checks.held(spec)
        self._samplers = {
            (model.name, version.id): Sampler(version.validate, crc32(f"{model.name}/{version.id}".encode()))
            for model in spec.models
            for version in model.versions
            if version.validate
        }
        self._arm_samplers: dict[tuple[str, Arm], Sampler] = {
            (rollout, arm): Sampler(share, crc32(f"{rollout}: {arm}".encode()))
            for rollout, share in checks.shares(spec).items()
            for arm in get_args(Arm)
        }
        """Those of rollouts that watch for broken contracts."""
        build = _PoolBuilder(self.pools, before, clock, slab)
        self.versions: dict[tuple[str, str], VersionPool] = {}
        self.idle: list[VersionPool] = []
        """Colours of versions that are not active: their endpoints are kept, and no decision sees them."""
        for index, (model, version) in enumerate(self.snapshot.versions):
            declared = self.snapshot.models[model].versions[version]
            pools = [build(f"{model}/{version}", endpoint, declared.health) for endpoint in declared.endpoints]
            self.versions[model, version] = VersionPool(pools, self.ready, self.not_down, index)
            if declared.idle:
                waiting = [build(f"{model}/{version}", endpoint, declared.health) for endpoint in declared.idle]
                self.idle.append(VersionPool(waiting, [False], [False], 0))
        self.passthrough = self._passthrough(build) if spec.passthrough_to else None

    def _route_parts(self, route: Route, model: specification.Model) -> RouteParts:
        plan = RoutePlan(route.spec, route.param_names, model.repeatable, self._slab)
        overrides = self.spec.overrides
        asking = [name.decode() for name in names_of(overrides)] if overrides is not None else []
        mirror = None
        if self._handoff is not None and route.mirror is not None:
            mirror = Mirror(route, self.digest, self._handoff, self._slab, self._first_shadow[route.name])
        return RouteParts(plan, model, vary_line(model, route.spec, [*asking, *route.asking]), mirror)

    def _passthrough(self, build: _PoolBuilder) -> Plan:
        route = specification.Route(name=PASSTHROUGH, match=specification.Match(), model="", rules=())
        health = specification.HealthCheck()
        pools = [build(PASSTHROUGH, endpoint, health) for endpoint in self.spec.passthrough_to]
        version = self.versions["", PASSTHROUGH] = OrderedPool(pools, self.ready, self.not_down, len(self.ready) - 1)
        choice = Choice(PASSTHROUGH, "", "none", "none", "none", -1, "split", "none", None, evidence=False)
        return Plan(
            route=RoutePlan(route, (), False, self._slab),
            choice=choice,
            pool=version,
            adapter=None,
            lines=(b"", b"", b""),
            slab=self._slab,
        )

    def groups(self) -> Iterator[VersionPool]:
        """Every set of endpoints, of idle colours too."""
        yield from self.versions.values()
        yield from self.idle

    # --- for exchanges ----------------------------------------------------------------------------------------------

    def turn(self, rotation: Rotation) -> int:
        """The next turn of a rotation; the first one is drawn, so that workers are not in step."""
        turn = self._turns.get(rotation)
        if turn is None:
            turn = draw()
        self._turns[rotation] = turn + 1
        return turn

    def plan_for(self, choice: Choice) -> Plan:
        """Work out a choice that no request had so far."""
        plan = self.plans[choice] = self._plan(choice)
        return plan

    def native_plan(self, choice: Choice) -> Plan | None:
        """The plan that asks a version which has the pinned shape itself, if one is up.

        Nobody stands in for a server that was asked for by name.
        """
        if choice.reason == "override":
            return None
        for index in self._routes[choice.route].natives(choice.pinned):
            if self.ready[index]:
                plan = self._natives.get(choice)
                if plan is None:
                    native = replace(choice, served=choice.pinned, served_index=index, chain=None, evidence=False)
                    plan = self._natives[choice] = self._plan(native)
                return plan
        return None

    def _plan(self, choice: Choice) -> Plan:
        parts = self._parts[choice.route]
        model = parts.model
        declared = {version.id: version for version in model.versions}
        way = model.name, choice.served, choice.pinned
        adapter = self._adapters[way] if choice.chain is not None else None
        lines = answer_lines(declared, choice.pinned, choice.served, parts.vary)
        evidence = self._stages.evidence(choice) if self._stages is not None else None
        return Plan(
            route=parts.plan,
            choice=choice,
            pool=self.versions[model.name, choice.served],
            adapter=adapter,
            lines=lines,
            slab=self._slab,
            streams=self._streams[way] if choice.chain is not None else UNTOUCHED,
            check=self._check(model.name, choice, evidence, parts.plan.limits.validated_body),
            mirror=parts.mirror,
            evidence=evidence,
        )

    def _check(self, model: str, choice: Choice, evidence: Evidence | None, limit: int) -> Check | None:
        """What samples the answers of a plan; `None` where there is no contract to hold them against, or nobody."""
        native = self._subject(model, choice, choice.served)
        delivered = self._subject(model, choice, choice.pinned) if choice.chain is not None else None
        watched = self._watched(evidence) if evidence is not None else None
        sampler = self._samplers.get((model, choice.served))
        if watched is not None:
            sampler = self._arm_samplers[watched.rollout, watched.arm]
        if self._handoff is None or sampler is None or (native is None and delivered is None):
            return None
        return Check(
            sampler=sampler,
            handoff=self._handoff,
            slab=self._slab,
            native=native,
            delivered=delivered,
            limit=limit,
            watched=watched,
        )

    def _watched(self, evidence: Evidence) -> Watched | None:
        """Of what answers are evidence, where a guard of their rollout is on broken contracts."""
        arm = evidence.arm
        run, place = arm.stage.run, arm.stage.place
        known = (run.rollout, arm.name) in self._arm_samplers
        return Watched(run.rollout, run.number, place, arm.name) if known else None

    def _subject(self, model: str, choice: Choice, contract: str) -> Subject | None:
        known = (model, choice.served, contract) in self._held
        return Subject(self.digest, model, choice.served, contract) if known else None

    def explain(
        self, exchange: Exchange, body: bytes | None, address: str, ready: Sequence[bool], verdict: Verdict | None
    ) -> Explanation:
        """Every step of the decision about this exchange."""
        route = exchange.route
        assert route is not None
        facts, params = exchange.facts, exchange.params
        explanation = route.explain(facts, params, body, address, ready, exchange.draw, exchange.visitor, verdict)
        return msgspec.structs.replace(explanation, config=self.digest)

    def may_explain(self, peer: str) -> bool:
        """Whether this peer may ask for explanations."""
        if not self._allowed:
            return False
        address = ip_address(peer)
        return any(address in network for network in self._allowed)

    def count_override(self, route: str, ruling: str) -> None:
        """Count a request that asked for a server."""
        self._slab.cells[self._slab.counter("stepdown_overrides_total", (route, ruling))] += 1

    def count_refused(self, route: str, error: StepdownError) -> None:
        """Count a request that did not get as far as a plan, as an error and as an answered request."""
        key = (route, error.problem)
        cells = self._refused_cells.get(key)
        if cells is None:
            labels = (route, "", "none", "none", "none", "refused", "none", f"{error.code // 100}xx", "none")
            cells = self._refused_cells[key] = (
                self._slab.counter("stepdown_errors_total", key),
                self._slab.counter("stepdown_requests_total", labels),
            )
        for cell in cells:
            self._slab.cells[cell] += 1


class _PoolBuilder:
    """Pools of a new runtime: those of the running one where nothing about the endpoint changed, else new ones."""

    def __init__(
        self,
        pools: dict[PoolKey, EndpointPool],
        before: Mapping[PoolKey, EndpointPool],
        clock: CoarseClock,
        slab: Slab,
    ) -> None:
        self._pools = pools
        self._before = before
        self._clock = clock
        self._slab = slab

    def __call__(self, owner: str, endpoint: specification.Endpoint, health: specification.HealthCheck) -> EndpointPool:
        key = PoolKey(owner, endpoint, health)
        pool = self._before.get(key)
        if pool is None:
            pool = EndpointPool(f"{owner}/{endpoint.id}", endpoint, health, self._clock, self._slab)
        self._pools[key] = pool
        return pool
