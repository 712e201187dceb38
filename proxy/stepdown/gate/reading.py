"""Brings one state in: the configuration with all contracts, and the lock beside it."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from pathlib import Path

from stepdown.config import Finding, RefusedError
from stepdown.config import Place as ConfigPlace
from stepdown.config.survey import SurveyedModel, SurveyedVersion, survey
from stepdown.gate.facts import Facts, ModelFacts, Place, RouteFacts, VersionFacts
from stepdown.gate.fingerprint import fingerprint
from stepdown.gate.lock import Lock, LockError, parse
from stepdown_adapters.versions import Version

LOCK = "stepdown.lock"
_LONGEST_LOCK = 64 * 1024 * 1024


def head_facts(file: Path, environ: Mapping[str, str]) -> Facts:
    """What the working tree declares.

    Raises:
        RefusedError: when the file, a contract or an adapter has mistakes.
    """
    found = survey(file, environ)
    if found.errors:
        raise RefusedError(found.findings)
    return Facts({model.name: _model(model) for model in found.models}, Place(str(file)))


def base_facts(file: Path, environ: Mapping[str, str]) -> tuple[Facts, tuple[Finding, ...]]:
    """What a base declares, and what of it could not be used; nothing that it names is run."""
    if not file.exists():
        return Facts(), ()
    found = survey(file, environ, imports=False)
    return Facts({model.name: _model(model) for model in found.models}, Place(str(file))), found.findings


def read_lock(file: Path) -> Lock | None:
    """A lock; `None` where there is none.

    Raises:
        RefusedError: when it cannot be read.
    """
    try:
        if file.stat().st_size > _LONGEST_LOCK:
            raise LockError(f"is longer than {_LONGEST_LOCK} bytes")
        return parse(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except UnicodeDecodeError:
        problem, line = "is not UTF-8", 1
    except OSError as error:
        problem, line = f"cannot be read: {error.strerror}", 1
    except LockError as error:
        problem, line = str(error), error.line
    raise RefusedError([Finding(ConfigPlace(str(file), line, 1), "", f"the lock {problem}")])


def _model(model: SurveyedModel) -> ModelFacts:
    return ModelFacts(
        name=model.name,
        place=_place(model.place),
        versions={one.id: _version(one) for one in model.versions},
        plan=model.plan,
        projections=model.projections,
        steps=model.steps,
        places={pair: _place(place) for pair, place in model.places.items()},
        promised=model.promised,
        routes=tuple(
            RouteFacts(
                route.name,
                _place(route.place),
                {version: _place(place) for version, place in route.served.items()},
                route.pins_shapes,
            )
            for route in model.routes
        ),
    )


def _version(one: SurveyedVersion) -> VersionFacts:
    return VersionFacts(
        version=Version.parse(one.id),
        place=_place(one.place),
        contracts=one.contracts,
        declared=one.declared,
        prints={side: fingerprint(contract) for side, contract in one.contracts.items()},
        has_endpoints=one.has_endpoints,
        deprecated=_day(one.deprecated),
        sunset=_day(one.sunset),
        retired=one.retired,
    )


def _day(seconds: int | None) -> datetime.date | None:
    return None if seconds is None else datetime.datetime.fromtimestamp(seconds, datetime.UTC).date()


def _place(place: ConfigPlace) -> Place:
    return Place(place.file, place.line, place.column)
