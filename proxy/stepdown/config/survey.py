"""What a file declares about its models, without asking whether it would be accepted: what two states are compared by.

`load` refuses a file whose routes cannot keep their promises; here that is a fact to be told. Servers, secrets, tokens
and process settings are not looked at, so that a machine without them can survey. With `imports=False` nothing that the
file names is run: hooks and Pydantic models stay unread.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path as FilePath

from stepdown.config.assemble import Assembly
from stepdown.config.compile.adapters import Steps, steps_of
from stepdown.config.compile.carried import check_carried
from stepdown.config.compile.checker import Checker
from stepdown.config.compile.coverage import can_reach, served_by
from stepdown.config.compile.pins import pins_of
from stepdown.config.compile.resources import Resources, contract_reference
from stepdown.config.compile.rules import DraftRoute, DraftRule, rules_of
from stepdown.config.compile.versions import Declared, DraftModel, Versions, draft_model
from stepdown.config.file import RootFile, RouteSection
from stepdown.config.file.contract import ContractSection
from stepdown.config.findings import Finding, Place, in_order
from stepdown.config.sources import Disk, FileError
from stepdown.config.tree import Path, place_of
from stepdown.config.validate import validate
from stepdown.decide import spec
from stepdown_adapters.contract.model import Contract
from stepdown_adapters.contract.sides import Side
from stepdown_adapters.contract.source import load_contract
from stepdown_adapters.errors import ContractError
from stepdown_adapters.plan import Plan, plan_chains

SIDES: tuple[tuple[Side, str], ...] = (("output", "schema"), ("input", "input"))


@dataclass(frozen=True, slots=True)
class SurveyedVersion:
    """One version as it is declared."""

    id: str
    place: Place
    contracts: Mapping[Side, Contract]
    """Those that could be read."""
    declared: frozenset[Side]
    """The sides that have a contract, read or not."""
    has_endpoints: bool
    deprecated: int | None
    """Unix seconds."""
    sunset: int | None
    retired: bool


@dataclass(frozen=True, slots=True)
class SurveyedRoute:
    """A route to a model."""

    name: str
    place: Place
    pins_shapes: bool
    """Whether a client's version means a shape, and not a server."""
    served: Mapping[str, Place]
    """Every version that a rule names, with where it is written first."""


@dataclass(frozen=True, slots=True)
class SurveyedModel:
    """One model with its versions, the ways between them, and what is promised."""

    name: str
    place: Place
    versions: tuple[SurveyedVersion, ...]
    """Oldest first."""
    plan: Plan
    projections: frozenset[tuple[str, str]]
    """The steps that no adapter declares and the contracts allow."""
    steps: Mapping[tuple[str, str], spec.Step]
    """Every step, declared or allowed by the contracts, by `(newer, older)`."""
    places: Mapping[tuple[str, str], Place]
    """Where adapters and refusals are declared, by `(newer, older)`."""
    promised: Mapping[str, str]
    """Versions that every server of a route must be able to give, with who relies on it."""
    routes: tuple[SurveyedRoute, ...]


@dataclass(frozen=True, slots=True)
class Survey:
    """All models of a file, and what is wrong with the file."""

    models: tuple[SurveyedModel, ...] = ()
    findings: tuple[Finding, ...] = field(default=())

    @property
    def errors(self) -> tuple[Finding, ...]:
        """What makes the file unusable or facts incomplete."""
        return tuple(finding for finding in self.findings if finding.severity == "error")


def survey(path: FilePath, environ: Mapping[str, str], *, imports: bool = True) -> Survey:
    """Read a file and all contracts that it names; never raises for what is in files."""
    disk = Disk()
    assembly = Assembly(path, disk, environ, {})
    if assembly.root is None:
        return Survey(findings=in_order(assembly.findings))
    valid = validate(assembly.root, RootFile)
    said = {(finding.place, finding.key) for finding in assembly.findings}
    findings = [*assembly.findings, *(one for one in valid.findings if (one.place, one.key) not in said)]
    if valid.file is None:
        return Survey(findings=in_order(findings))
    checker = Checker(valid.root, valid.removed)
    models = _Surveyor(valid.file, checker, imports).models()
    return Survey(models, in_order([*findings, *checker.findings]))


class _Surveyor:
    """What of one file is looked at."""

    def __init__(self, file: RootFile, checker: Checker, imports: bool) -> None:
        self._file = file
        self._checker = checker
        self._imports = imports
        self._contracts: dict[Path, Contract] = {}

    def models(self) -> tuple[SurveyedModel, ...]:
        resources = self._resources()
        drafts = {
            name: draft_model(name, section, resources, self._checker) for name, section in self._file.models.items()
        }
        routes = [
            DraftRoute(name, section.model, ("routes", name), section, rules)
            for name, section in self._file.routes.items()
            if section.model in drafts and (rules := self._rules(name, section, drafts[section.model].versions))
        ]
        return tuple(
            self._model(draft, [route for route in routes if route.model == name]) for name, draft in drafts.items()
        )

    def _rules(self, name: str, section: RouteSection, versions: Versions) -> tuple[DraftRule, ...]:
        return rules_of(name, section, versions, None, self._checker, rollouts=self._file.rollouts)

    def _resources(self) -> Resources:
        for model_name, model in self._file.models.items():
            for version_name, version in model.versions.items():
                for side, key in SIDES:
                    given = version.schema_source if key == "schema" else version.input
                    if given is not None:
                        path: Path = ("models", model_name, "versions", version_name, key)
                        self._read(given, path, side, (model_name, version_name))
        return Resources({path: contract.schema for path, contract in self._contracts.items()})

    def _read(self, given: str | ContractSection, path: Path, side: Side, default: tuple[str, str]) -> None:
        folder = self._checker.folder(path)
        try:
            reference, file, what = contract_reference(given, default, folder, side)
            if file is None and not self._imports:
                self._checker.warn(path, f"{what} is not imported here: its contract is not compared")
                return
            self._contracts[path] = load_contract(reference, folder, side=side)
        except (FileError, ContractError) as error:
            self._checker.error(path, f"found no usable contract: {error}", "a contract such as a JSON Schema file")

    def _model(self, draft: DraftModel, routes: Sequence[DraftRoute]) -> SurveyedModel:
        steps = steps_of(draft, self._checker, imports=self._imports)
        versions = draft.versions
        plan = plan_chains(versions.served, versions.ids, steps.edges, steps.reasons, steps.refusals)
        check_carried(plan, steps.carrying, self._checker)
        return SurveyedModel(
            name=draft.name,
            place=self._place(draft.path),
            versions=tuple(self._version(one) for one in versions),
            plan=plan,
            steps=steps.steps,
            projections=frozenset(pair for pair, step in steps.steps.items() if step.kind == "projection"),
            places=self._places(steps),
            promised=self._promised(draft, routes, plan),
            routes=tuple(self._route(route) for route in routes),
        )

    def _promised(self, draft: DraftModel, routes: Sequence[DraftRoute], plan: Plan) -> dict[str, str]:
        pins = pins_of(
            draft,
            served_by(routes, draft.versions, plan),
            lambda source, target: can_reach(plan, source, target),
            self._checker,
        )
        if pins is None:
            return {}
        clients = {entry.version: "pinned by an entry of clients" for entry in pins.clients}
        return {**clients, pins.default: "the default version"}

    def _version(self, one: Declared) -> SurveyedVersion:
        section = one.section
        sources = {"output": section.schema_source, "input": section.input}
        return SurveyedVersion(
            id=one.id,
            place=self._place(one.path),
            contracts={side: found for side, key in SIDES if (found := self._contracts.get((*one.path, key)))},
            declared=frozenset(side for side, _ in SIDES if sources[side] is not None),
            has_endpoints=one.is_served,
            deprecated=section.deprecated,
            sunset=section.sunset,
            retired=section.retired,
        )

    def _route(self, route: DraftRoute) -> SurveyedRoute:
        places: dict[str, Path] = {}
        for rule in route.rules:
            places = {**rule.candidate, **rule.all_places, **places}
        served = {version: self._place(path) for version, path in places.items()}
        return SurveyedRoute(route.name, self._place(route.path), route.section.pin == "shape", served)

    def _places(self, steps: Steps) -> dict[tuple[str, str], Place]:
        return {pair: self._place(path) for pair, path in steps.places.items()}

    def _place(self, path: Path) -> Place:
        return place_of(self._checker.root, path, of_key=True)
