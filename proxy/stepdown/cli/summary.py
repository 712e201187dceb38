"""What a configuration amounts to, for `stepdown check`: models, routes, and who can be served what."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from stepdown.cli import copying, flags, rollouts, segments
from stepdown.config import Loaded
from stepdown.decide import spec, when
from stepdown.decide.colours import told
from stepdown.decide.conditions import when_of
from stepdown.decide.sentences import sentence_of

Row = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A table to print; the first row is its head."""

    title: str
    rows: tuple[Row, ...]


def tables(loaded: Loaded) -> tuple[Table, ...]:
    """Routes, then for each model its versions and which of their shapes each served version can deliver."""
    named = (Table("segments", segments.rows(loaded.spec)),) if loaded.spec.segments else ()
    told = flags.rows(loaded)
    asked = (Table("flags", told),) if told else ()
    walked = (Table("rollouts", rollouts.rows(loaded.spec)),) if loaded.spec.rollouts else ()
    copied = (Table("copies", found),) if (found := copying.rows(loaded.spec)) else ()
    parts = (*walked, *copied, *named, *asked)
    return (_routes(loaded.spec), *parts, *(_model(model) for model in loaded.spec.models))


def _routes(snapshot: spec.SnapshotSpec) -> Table:
    rows = [
        (route.name, described(route.match), route.model, rule.name, _short(rule.when), _split(rule))
        for route in snapshot.routes
        for rule in route.rules
    ]
    return Table("routes", (("route", "match", "model", "rule", "when", "split"), *rows))


def _model(model: spec.Model) -> Table:
    served = [version.id for version in model.versions if version.endpoints]
    chains = {(chain.served, chain.pinned): chain for chain in model.chains}
    rows = [
        (
            version.id + _marks(model, version),
            _endpoints(version),
            *(way(chains.get((server, version.id)), native=server == version.id) for server in served),
        )
        for version in reversed(model.versions)
    ]
    return Table(f"model {model.name}", (("shape", "endpoints", *(f"from {server}" for server in served)), *rows))


def _endpoints(version: spec.Version) -> str:
    """How many; where they have colours, of each."""
    if version.colours is None:
        return str(len(version.endpoints)) if version.endpoints else "-"
    active = version.colours.active
    counts = ((name, version.endpoints if name == active else version.idle) for name in version.colours.names)
    return ", ".join(f"{name} {len(those)}{' (active)' if name == active else ''}" for name, those in counts)


def _marks(model: spec.Model, version: spec.Version) -> str:
    marks = {
        "default": version.id == model.default_version,
        "latest": version.id == model.latest,
        "clients": any(entry.version == version.id for entry in model.clients),
        "deprecated": version.deprecated is not None or version.sunset is not None,
        "retired": version.retired,
    }
    named = ", ".join(mark for mark, holds in marks.items() if holds)
    return f" ({named})" if named else ""


def way(chain: spec.Chain | None, *, native: bool) -> str:
    """How a shape comes about: `native`, `via 1.1.0`, `adapted`, `projected`, or `-` where it cannot."""
    if native:
        return "native"
    if chain is None:
        return "-"
    between = " ".join(step.target for step in chain.steps[:-1])
    kind = "projected" if all(step.kind == "projection" for step in chain.steps) else "adapted"
    return f"{kind} via {between}" if between else kind


def _split(rule: spec.Rule) -> str:
    if rule.colours is not None:
        return told(rule.colours, tuple(version for version, _ in rule.split))
    if rule.flag is not None:
        named = ", ".join(f"{variant} {version}" for variant, version in rule.flag.versions)
        return f"flag {rule.flag.flag}: {named}, else {rule.flag.default}"
    whole = sum(weight for _, weight in rule.split)
    owner = f"rollout {rule.rollout}: " if rule.rollout is not None else ""
    return owner + ", ".join(f"{version} {100 * weight / whole:.4g} %" for version, weight in rule.split)


def described(match: spec.Match) -> str:
    """A match in one line; `everyone` where it has no conditions."""
    return _short(when_of(match))


def _short(condition: when.When) -> str:
    """A condition in one line, without the words where its parts speak for themselves."""
    match condition:
        case when.All():
            return " ".join(_short(part) for part in condition.tests) or "everyone"
        case when.MethodIs() | when.HostIs():
            return "|".join(condition.any_of)
        case when.PathIs():
            return condition.path
        case when.PathUnder():
            return f"{condition.path.rstrip('/')}/..."
        case when.FieldIs(source="header"):
            return _header(condition) or f"({sentence_of(condition)})"
        case _:
            return f"({sentence_of(condition)})"


def _header(header: when.FieldIs) -> str:
    if header.exists is not None:
        return header.name if header.exists else f"no {header.name}"
    if header.sha256:
        return f"{header.name}=sha256:{'|'.join(f'{digest[:8]}...' for digest in header.sha256)}"
    if header.prefix is not None:
        return f"{header.name}={header.prefix}..."
    if header.equals is not None or header.any_of:
        return f"{header.name}={header.equals if header.equals is not None else '|'.join(map(str, header.any_of))}"
    return ""


def as_json(loaded: Loaded) -> Mapping[str, Any]:
    """The same for machines."""
    return {
        "files": [str(file) for file in loaded.files],
        "models": {
            model.name: {
                "default_version": model.default_version,
                "latest": model.latest,
                "versions": {
                    version.id: {"endpoints": [one.id for one in version.endpoints], **_colours(version)}
                    for version in model.versions
                },
                "shapes": {
                    version.id: [
                        server.id
                        for server in model.versions
                        if server.endpoints
                        and (
                            server.id == version.id
                            or any((c.served, c.pinned) == (server.id, version.id) for c in model.chains)
                        )
                    ]
                    for version in model.versions
                },
            }
            for model in loaded.spec.models
        },
        "segments": segments.as_json(loaded.spec),
        "flags": flags.as_json(loaded),
        "rollouts": rollouts.as_json(loaded.spec),
        "routes": {
            route.name: {
                "model": route.model,
                "rules": {rule.name: dict(rule.split) for rule in route.rules},
                **copying.as_json(route),
                "flags": {
                    rule.name: {
                        "flag": rule.flag.flag,
                        "versions": dict(rule.flag.versions),
                        "default": rule.flag.default,
                    }
                    for rule in route.rules
                    if rule.flag is not None
                },
                "colours": {
                    name: version
                    for rule in route.rules
                    if rule.colours is not None
                    for name, (version, _weight) in zip(rule.colours.names, rule.split, strict=True)
                },
            }
            for route in loaded.spec.routes
        },
    }


def _colours(version: spec.Version) -> dict[str, Any]:
    if version.colours is None:
        return {}
    return {"active": version.colours.active, "idle_endpoints": [one.id for one in version.idle]}
