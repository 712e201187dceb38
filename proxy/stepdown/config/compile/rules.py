"""The rules of a route: names, conditions, and versions that servers run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from stepdown.config.compile.checker import Checker
from stepdown.config.compile.colours import check_one_place, colours_of
from stepdown.config.compile.conditions import WhenCompiler
from stepdown.config.compile.shadows import NOTHING, Copying
from stepdown.config.compile.versions import Versions
from stepdown.config.file import RouteSection, RuleSection
from stepdown.config.file.flags import FlagVersionsSection
from stepdown.config.file.rollout import RolloutSection
from stepdown.config.findings import listed
from stepdown.config.tree import Path
from stepdown.decide import spec
from stepdown.decide.flag_spec import FlagRule
from stepdown.decide.when import EVERYONE, InSegment, When


@dataclass(slots=True)
class DraftRule:
    """A rule with the places of its versions."""

    rule: spec.Rule
    path: Path
    places: dict[str, Path] = field(default_factory=dict)
    """Where each version of the split is written."""
    fallbacks: dict[str, Path] = field(default_factory=dict)
    """Where the others are that `instead` names."""
    candidate: dict[str, Path] = field(default_factory=dict)
    """Where the version is that a rollout brings in, which gets nothing until it is driven."""
    audiences: dict[str, Path] = field(default_factory=dict)
    """Segments that steps of its rollout are for, with the first place of each."""

    @property
    def all_places(self) -> dict[str, Path]:
        """Where each version is written that the rule may serve."""
        return self.fallbacks | self.places


@dataclass(frozen=True, slots=True)
class DraftRoute:
    """A route as far as its rules."""

    name: str
    model: str
    path: Path
    section: RouteSection
    rules: tuple[DraftRule, ...]
    copying: Copying = NOTHING

    @property
    def served(self) -> frozenset[str]:
        """Versions that any rule may serve."""
        return frozenset(version for rule in self.rules for version in rule.all_places)

    @property
    def brought_in(self) -> frozenset[str]:
        """Candidates of rollouts."""
        return frozenset(version for rule in self.rules for version in rule.candidate)

    @property
    def asked(self) -> frozenset[str]:
        """Versions whose servers get requests of this route, copies included."""
        return self.served | self.copying.versions | self.brought_in

    def conditions(self) -> Iterator[tuple[When, Path]]:
        """Every condition of its rules and of what it copies, with its place."""
        for rule in self.rules:
            yield rule.rule.when, (*rule.path, "when")
            yield from ((InSegment(segment), path) for segment, path in rule.audiences.items())
        yield from self.copying.conditions()


def rules_of(
    name: str,
    section: RouteSection,
    versions: Versions,
    whens: WhenCompiler | None,
    checker: Checker,
    *,
    rollouts: Mapping[str, RolloutSection],
) -> tuple[DraftRule, ...]:
    """All rules in order; the last one is for everyone. Without `whens` all of them are, if it does not matter who."""
    path: Path = ("routes", name)
    if section.rules is None:
        return _only_rule(name, section, path, versions, checker)
    drafts: list[DraftRule] = []
    for index, rule in enumerate(section.rules):
        usual = "default" if index == len(section.rules) - 1 else f"rule-{index + 1}"
        at: Path = (*path, "rules", index)
        drafts.append(_rule(rule, rule.name or usual, at, versions, whens, checker, rollouts=rollouts))
    if not checker.is_damaged("routes", name):
        _check_conditions(section.rules, (*path, "rules"), checker)
        _check_methods(section, (*path, "rules"), checker)
    check_one_place(((draft.path, draft.rule) for draft in drafts), checker)
    names = [draft.rule.name for draft in drafts]
    for index, draft in enumerate(drafts):
        if draft.rule.name in names[:index]:
            checker.error((*draft.path, "name"), f'found the name "{draft.rule.name}" a second time', "each name once")
    return tuple(drafts)


def _check_conditions(rules: list[RuleSection], path: Path, checker: Checker) -> None:
    """Only the last rule is for everyone, and it must be."""
    for index, rule in enumerate(rules):
        everyone, last = rule.when is None or rule.when.is_empty, index == len(rules) - 1
        if last and not everyone:
            at, allowed = (*path, index, "when"), "a last rule without `when`, for everyone else"
            checker.error(at, "found a condition in the last rule", allowed, of_key=True)
        if everyone and not last:
            problem = f"never used: rule {index + 1} before it is for everyone"
            allowed = "conditions (`when`) in all rules but the last"
            for later in range(index + 1, len(rules)):
                checker.warn((*path, later), problem, allowed)
            return


def _check_methods(section: RouteSection, path: Path, checker: Checker) -> None:
    """A rule for methods that its route does not take is for nobody."""
    taken = section.match.methods
    for index, rule in enumerate(section.rules or ()):
        wanted = rule.when.methods if rule.when is not None else []
        if taken and wanted and not set(taken) & set(wanted):
            problem = f"never used: the route takes {' and '.join(taken)} only"
            checker.warn((*path, index, "when", "methods"), problem, "methods that its `match` has")


def _only_rule(
    name: str, section: RouteSection, path: Path, versions: Versions, checker: Checker
) -> tuple[DraftRule, ...]:
    """The rule that `split` is short for; without a split, the only version that servers run."""
    if section.split is not None:
        split = _split(section.split, (*path, "split"), versions, checker)
        rule = spec.Rule(name="default", split=tuple(split.weights.items()), salt=f"{name}/default")
        return (DraftRule(rule, (*path, "split"), split.places),)
    if len(versions.served) != 1:
        lost = checker.is_damaged(*path, "split") or checker.is_damaged(*path, "rules")
        if lost or versions.are_damaged(checker):
            return ()
        allowed = f"rules or split, because {len(versions.served)} versions of {section.model} have endpoints"
        checker.error(path, "found neither rules nor split", allowed, of_key=True)
        return ()
    only = versions.served[0]
    return (DraftRule(spec.Rule(name="default", split=((only, 1),), salt=f"{name}/default"), path, {only: path}),)


def _rule(  # noqa: PLR0917 - as `rules_of`
    section: RuleSection,
    name: str,
    path: Path,
    versions: Versions,
    whens: WhenCompiler | None,
    checker: Checker,
    *,
    rollouts: Mapping[str, RolloutSection],
) -> DraftRule:
    candidate: dict[str, Path] = {}
    if section.flag is not None:
        split = _flagged(section.flag, (*path, "flag"), versions, checker)
        if whens is not None and split.flag is not None:
            whens.flags.check_rule(split.flag, (*path, "flag"))
    elif section.rollout is not None:
        split, candidate = _owned(section.rollout, (*path, "rollout"), rollouts, versions, checker)
    elif section.colours is None:
        split = _split(section.split or {}, (*path, "split"), versions, checker)
    else:
        split = _coloured(section, (*path, "colours"), versions, checker)
    instead = _Split()
    for index, text in enumerate(section.instead):
        _add(instead, text, 0, (*path, "instead", index), versions, checker, of_key=False)
        if candidate.keys() & instead.places.keys():
            problem = f'found "{text}", which is the candidate of its rollout'
            checker.error((*path, "instead", index), problem, "versions that may take over at any time")
    rule = spec.Rule(
        name=name,
        split=tuple(split.weights.items()),
        when=whens.compiled(section.when, (*path, "when"), f"{path[1]}/{name}/when") if whens is not None else EVERYONE,
        salt=section.salt if section.salt is not None else f"{path[1]}/{name}",
        colours=split.colours,
        flag=split.flag,
        instead=tuple(instead.places),
        smooth=section.smooth,
        drain=section.drain,
        rollout=section.rollout,
    )
    return DraftRule(rule, path, split.places, instead.places, candidate, _audiences(section.rollout or "", rollouts))


@dataclass(slots=True)
class _Split:
    weights: dict[str, int] = field(default_factory=dict)
    places: dict[str, Path] = field(default_factory=dict)
    colours: spec.Colours | None = None
    flag: FlagRule | None = None


def _split(section: dict[str, int], path: Path, versions: Versions, checker: Checker) -> _Split:
    """Weights by canonical version."""
    split = _Split()
    for text, weight in section.items():
        _add(split, text, weight, (*path, text), versions, checker, of_key=True)
    return split


def _coloured(section: RuleSection, path: Path, versions: Versions, checker: Checker) -> _Split:
    """Everything to the version of the active colour, nothing to that of the other."""
    named = section.colours or {}
    split = _Split(colours=colours_of(section, named))
    for colour, text in named.items():
        _add(split, text, int(colour == section.active), (*path, colour), versions, checker, of_key=False)
    return split


def _owned(
    name: str, path: Path, rollouts: Mapping[str, RolloutSection], versions: Versions, checker: Checker
) -> tuple[_Split, dict[str, Path]]:
    """Everything to the stable version of a rollout; beside it, where its candidate is."""
    split, other = _Split(), _Split()
    section = rollouts.get(name)
    if section is None:
        if not checker.has_lost_names("rollouts", name):
            checker.unknown(path, name, rollouts, f"one of rollouts: {listed(rollouts) or 'there are none'}")
        return split, {}
    at: Path = ("rollouts", name)
    _add(split, section.stable, 1, (*at, "stable"), versions, checker, of_key=False)
    _add(other, section.candidate, 0, (*at, "candidate"), versions, checker, of_key=False)
    if split.places.keys() & other.places.keys():
        problem = f'found "{section.candidate}", which is stable too'
        checker.error((*at, "candidate"), problem, "another version than stable")
    return split, other.places


def _audiences(name: str, rollouts: Mapping[str, RolloutSection]) -> dict[str, Path]:
    """Segments that steps of a rollout are for, with the first place of each."""
    found: dict[str, Path] = {}
    for index, step in enumerate(rollouts[name].steps if name in rollouts else []):
        if step.segment is not None:
            found.setdefault(step.segment, ("rollouts", name, "steps", index, "segment"))
    return found


def _flagged(section: FlagVersionsSection, path: Path, versions: Versions, checker: Checker) -> _Split:
    """Every version that the flag may give; everything to the default, as far as weights go."""
    split, ids = _Split(), {}
    written = [(variant, text, (*path, "versions", variant)) for variant, text in section.versions.items()]
    for variant, text, at in (*written, (None, section.default, (*path, "default"))):
        declared = versions.get(text)
        if declared is not None and declared.id in split.weights:
            ids[variant] = declared.id
            continue
        _add(split, text, 0, at, versions, checker, of_key=False)
        if declared is not None:
            ids[variant] = declared.id
    if len(ids) > len(written):
        default = ids.pop(None)
        split.weights |= {default: 1} if default in split.weights else {}
        named = tuple((variant, version) for variant, version in ids.items() if variant is not None)
        split.flag = FlagRule(flag=section.name, versions=named, default=default)
    return split


def _add(  # noqa: PLR0917
    split: _Split, text: str, weight: int, at: Path, versions: Versions, checker: Checker, *, of_key: bool
) -> None:
    """Add one version, written at `at`; a note where it cannot be."""
    declared = versions.get(text)
    if declared is None:
        versions.unknown(at, text, checker, of_key=of_key)
    elif not declared.is_served and not checker.is_damaged(*declared.path):
        problem = f'found "{text}", which has no endpoints'
        checker.error(at, problem, f"a version that servers run: {listed(versions.served)}", of_key=of_key)
    elif declared.id in split.weights:
        checker.error(at, f'found "{text}" a second time', "each version once", of_key=of_key)
    else:
        split.weights[declared.id] = weight
        split.places[declared.id] = at
