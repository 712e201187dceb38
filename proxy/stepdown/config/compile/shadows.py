"""What a route copies: shadows of versions that servers run, and a recording that can be written."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from stepdown.config.compile.checker import Checker
from stepdown.config.compile.conditions import WhenCompiler
from stepdown.config.compile.endpoints import HOST_HEADER, set_headers
from stepdown.config.compile.resources import Resources
from stepdown.config.compile.versions import Versions
from stepdown.config.file import RouteSection
from stepdown.config.file.shadow import CompareSection, ExamplesSection, RecordSection, ShadowSection
from stepdown.config.findings import listed
from stepdown.config.tree import Path
from stepdown.decide import shadow_spec as spec
from stepdown.decide.warming import WARM_UP
from stepdown.decide.when import When
from stepdown.recordings import compression


@dataclass(frozen=True, slots=True)
class DraftShadow:
    """A shadow with the place where it is written."""

    shadow: spec.Shadow
    path: Path


@dataclass(frozen=True, slots=True)
class Copying:
    """All that a route copies."""

    shadows: tuple[DraftShadow, ...] = ()
    record: spec.Recording | None = None
    path: Path = ()
    """Of the route."""

    @property
    def versions(self) -> frozenset[str]:
        """Those that get copies."""
        return frozenset(one.shadow.version for one in self.shadows)

    def conditions(self) -> Iterator[tuple[When, Path]]:
        """Every condition, with its place."""
        yield from ((one.shadow.when, (*one.path, "when")) for one in self.shadows)
        if self.record is not None:
            yield self.record.when, (*self.path, "record", "when")


NOTHING = Copying()


def copying_of(  # noqa: PLR0917 - as `_shadow`
    name: str,
    section: RouteSection,
    versions: Versions,
    whens: WhenCompiler,
    resources: Resources,
    checker: Checker,
) -> Copying:
    """What the route `name` copies; notes what cannot be."""
    path: Path = ("routes", name)
    shadows: list[DraftShadow] = []
    for index, one in enumerate(section.shadow):
        shadow = _shadow(one, (*path, "shadow", index), section, versions, whens, resources, checker)
        if shadow is not None:
            shadows.append(shadow)
    names: set[str] = set()
    for draft in shadows:
        if draft.shadow.name in names:
            of = (*draft.path, "name") if _is_named(draft, section) else (*draft.path, "version")
            checker.error(of, f'found the name "{draft.shadow.name}" a second time', "a `name` of its own for each")
        if draft.shadow.name == WARM_UP:
            problem = f'found "{WARM_UP}", which is the name of shadows that switches make'
            checker.error((*draft.path, "name"), problem, "another name")
        names.add(draft.shadow.name)
    record = _record(section.record, path, whens, checker) if section.record is not None else None
    return Copying(tuple(shadows), record, path)


def _is_named(draft: DraftShadow, section: RouteSection) -> bool:
    index = draft.path[-1]
    return isinstance(index, int) and section.shadow[index].name is not None


def _shadow(  # noqa: PLR0917 - what is compiled, and all that it is made from
    section: ShadowSection,
    path: Path,
    route: RouteSection,
    versions: Versions,
    whens: WhenCompiler,
    resources: Resources,
    checker: Checker,
) -> DraftShadow | None:
    declared = versions.get(section.version)
    if declared is None:
        versions.unknown((*path, "version"), section.version, checker)
        return None
    if not declared.is_served and not checker.is_damaged(*declared.path):
        problem = f'found "{section.version}", which has no endpoints'
        checker.error((*path, "version"), problem, f"a version that servers run: {listed(versions.served)}")
        return None
    _check_sampling(section, path, route, checker)
    if not HOST_HEADER.fullmatch(section.host):
        checker.error((*path, "host"), allowed="keep, endpoint, or a host")
    name, route_name = section.name or declared.id, path[1]
    shadow = spec.Shadow(
        name=name,
        version=declared.id,
        percent=section.percent,
        when=whens.compiled(section.when, (*path, "when"), f"shadow:{route_name}/{name}/when"),
        per=section.per,
        salt=section.salt if section.salt is not None else f"shadow:{route_name}/{name}",
        rate=section.rate,
        concurrent=section.concurrent,
        max_body=section.max_body,
        deadline=section.deadline,
        set_headers=set_headers(section.headers.set_headers, (*path, "headers", "set"), resources, checker),
        remove_headers=tuple(dict.fromkeys(one.lower() for one in section.headers.remove)),
        host=section.host,
        noise=section.noise,
        compare=_comparing(section.compare, (*path, "compare"), checker),
        examples=_examples(section.examples),
    )
    return DraftShadow(shadow, path)


def _check_sampling(section: ShadowSection, path: Path, route: RouteSection, checker: Checker) -> None:
    """A share of keys needs keys; what says something about copies needs copies."""
    if section.per == "key" and not route.key and not checker.is_damaged(*path[:2], "key"):
        problem = f"found per: key, and the route {path[1]} has no key"
        checker.error((*path, "per"), problem, "it on a route with a key: where a request says whose it is")
    if section.salt is not None and section.per != "key":
        checker.warn((*path, "salt"), "found a salt that seeds nothing", "it together with per: key", of_key=True)
    if section.noise and not section.percent:
        problem = "found noise for a shadow that gets no copies"
        checker.warn((*path, "noise"), problem, "a percent above 0", of_key=True)


def check_repeatable(copying: Copying, model: str, *, repeatable: bool, checker: Checker) -> None:
    """Noise asks the served version a second time, which has to be harmless."""
    for one in copying.shadows:
        if one.shadow.noise and not repeatable:
            problem = "found noise: the served version would be asked twice, and its model is not repeatable"
            allowed = f"noise with models.{model}.repeatable: true, which says that a call has no side effects"
            checker.error((*one.path, "noise"), problem, allowed)


def check_reported(shadows: Sequence[DraftShadow], checker: Checker) -> None:
    """Warn of those, of all routes, that nothing is said about; of copies to them no rollout learns either."""
    if len(shadows) > spec.REPORTED:
        left_out = len(shadows) - spec.REPORTED
        problem = f"found {len(shadows)} shadows: from this one on {left_out} are asked, and their answers not compared"
        allowed = f"{spec.REPORTED} of which there are reports, gates and evidence of rollouts"
        checker.warn(shadows[spec.REPORTED].path, problem, allowed)


def _comparing(section: CompareSection, path: Path, checker: Checker) -> spec.Comparing:
    for key, sections in (
        ("tolerance", section.tolerance),
        ("unordered", section.unordered),
        ("top", section.top),
        ("text", section.text),
    ):
        _check_once((one.path for one in sections), (*path, key), checker)
    for key in ("ignore", "labels"):
        _check_once(getattr(section, key), (*path, key), checker, below=())
    return spec.Comparing(
        ignore=tuple(section.ignore),
        tolerances=tuple(spec.Tolerance(one.path, one.absolute, one.relative) for one in section.tolerance),
        unordered=tuple(spec.Unordered(one.path, one.key) for one in section.unordered),
        top=tuple(spec.TopK(one.path, one.k, one.key, one.agree) for one in section.top),
        text=tuple(spec.Text(one.path, one.similar) for one in section.text),
        labels=tuple(section.labels),
        events=section.events,
    )


def _check_once(paths: Iterable[str], at: Path, checker: Checker, below: Sequence[str] = ("path",)) -> None:
    seen: set[str] = set()
    for index, path in enumerate(paths):
        if path in seen:
            checker.error((*at, index, *below), f'found the path "{path}" a second time', "each path once")
        seen.add(path)


def _examples(section: ExamplesSection) -> spec.Examples:
    return spec.Examples(keep=section.keep, bodies=section.bodies, redact=tuple(section.redact))


def _record(section: RecordSection, route: Path, whens: WhenCompiler, checker: Checker) -> spec.Recording:
    path: Path = (*route, "record")
    if not compression.is_installed():
        checker.error(path, compression.MISSING, compression.INSTALL)
    at = (*path, "folder")
    folder = (checker.folder(at) / section.folder).absolute()
    if not folder.is_dir():
        problem = "which is a file" if folder.exists() else "which is not there"
        checker.error(at, f'found "{section.folder}", {problem}', "a folder that is there")
    elif not os.access(folder, os.W_OK | os.X_OK):
        checker.error(at, f'found "{section.folder}", which may not be written', "a folder that may be written")
    return spec.Recording(
        sample=section.sample,
        folder=str(folder),
        when=whens.compiled(section.when, (*path, "when"), f"record:{route[1]}/when"),
        max_size=section.max_size,
        keep=section.keep,
        max_body=section.max_body,
        headers=tuple(dict.fromkeys(name.lower() for name in section.headers)),
        redact=tuple(section.redact),
    )
