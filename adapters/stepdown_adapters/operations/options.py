"""Reads one operation's options from the file's form, and collects every mistake instead of stopping at the first."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any

from stepdown_adapters import paths
from stepdown_adapters.errors import PathError, Problem, nearest
from stepdown_adapters.json_values import flaw, kind
from stepdown_adapters.paths import ROOT, Path


@dataclass(frozen=True, slots=True)
class OnMissing:
    """What happens where a path leads nowhere."""

    policy: str = "fail"
    """`fail`, `skip` (leave the document as it is) or `default` (put `default` there, if its parent is an object)."""
    default: Any = None

    @property
    def fails(self) -> bool:
        """Whether a missing place fails the whole document."""
        return self.policy == "fail"

    @property
    def fills(self) -> bool:
        """Whether a missing member is filled in."""
        return self.policy == "default"


FAIL = OnMissing()
SKIP = OnMissing("skip")


class Options:
    """The options of the operation `name`; a string stands for `{path: ...}`.

    Every getter returns something usable even after a mistake, so that all mistakes of a list can be reported at once.
    """

    def __init__(
        self,
        where: str,
        name: str,
        raw: Any,
        problems: list[Problem],
        missing: str = "fail",
        *,
        takes_list: bool = False,
    ) -> None:
        self.where = where
        self._missing = missing
        self.name = name
        self._problems = problems
        self._short = not isinstance(raw, dict)
        self._raw: dict[str, Any] = raw if isinstance(raw, dict) else {"path": raw} if isinstance(raw, str) else {}
        self._known: list[Any] = []
        self._given = raw
        if self._short and not isinstance(raw, str) and not (takes_list and isinstance(raw, list)):
            self.problem(None, f"takes a path or a mapping of options, not {kind(raw)}")

    def problem(self, key: str | None, sentence: str, near: str | None = None) -> None:
        """Notes a mistake in the option `key`, or in the operation as a whole."""
        place = self.where if key is None or self._short or key not in self._raw else f"{self.where}/{key}"
        self._problems.append(Problem(place, f"{self.name}: {sentence}", near))

    def has(self, key: str) -> bool:
        """Whether the option is given."""
        self._known.append(key)
        return key in self._raw

    @property
    def raw(self) -> Mapping[str, Any]:
        """The options as they are written."""
        return self._raw

    def stand_in(self, key: str, value: Any) -> None:
        """Puts a value in the place of what is written."""
        self._raw = {**self._raw, key: value}

    def path(self, key: str = "path", required: bool = True) -> Path:
        """A path; `ROOT` where it is optional and absent, or malformed."""
        if not self.has(key):
            if required:
                self.problem(None, f"needs {key}")
            return ROOT
        try:
            return paths.parse(self._raw[key])
        except PathError as error:
            self.problem(key, str(error))
            return ROOT

    def value(self, key: str = "value") -> Any:
        """A required JSON value."""
        if not self.has(key):
            self.problem(None, f"needs {key}")
            return None
        wrong = flaw(self._raw[key])
        if wrong:
            self.problem(key, wrong)
        return self._raw[key]

    def get(self, key: str, what: str, accepts: Callable[[Any], bool], default: Any) -> Any:
        """An optional value that `accepts` holds for; `what` names it in the sentence."""
        if not self.has(key):
            return default
        if not accepts(self._raw[key]):
            self.problem(key, f"{key} is {what}, not {_shown(self._raw[key])}")
            return default
        return self._raw[key]

    def need(self, key: str, what: str, accepts: Callable[[Any], bool], instead: Any) -> Any:
        """A required value that `accepts` holds for."""
        if key not in self._raw:
            self._known.append(key)
            self.problem(None, f"needs {key}: {what}")
            return instead
        return self.get(key, what, accepts, instead)

    def members(self, what: str) -> dict[Any, Any]:
        """All options, where their names are the author's own: `{422: 400}`."""
        self._known += self._raw
        if self._short or not self._raw:
            self.problem(None, f"takes {what}")
            return {}
        return self._raw

    def listed(self, what: str) -> list[Any]:
        """The items of a list that stands in the place of options; one text is a list of one."""
        self._known += self._raw
        if isinstance(self._given, list) and self._given:
            return self._given
        if isinstance(self._given, str):
            return [self._given]
        self.problem(None, f"takes a list of {what}")
        return []

    def choice(self, key: str, choices: Sequence[str], default: str | None = None) -> str:
        """One of `choices`; required where there is no default."""
        if not self.has(key):
            if default is None:
                self.problem(None, f"needs {key}: one of {', '.join(choices)}")
            return choices[0] if default is None else default
        value = self._raw[key]
        if value not in choices:
            near = nearest(value, choices) if isinstance(value, str) else None
            self.problem(key, f"{key} is one of {', '.join(choices)}, not {_shown(value)}", near)
            return choices[0]
        return str(value)

    def on_missing(self, default: str | None = None, fills: bool = True) -> OnMissing:
        """`on_missing`, else the operation's own `default`, else the list's; a `default:` alone implies the policy."""
        choices = ("fail", "skip", "default") if fills else ("fail", "skip")
        implied = "default" if fills and "default" in self._raw else default or self._missing
        policy = self.choice("on_missing", choices, implied)
        return OnMissing(policy, self.value("default")) if policy == "default" else OnMissing(policy)

    def finish(self) -> None:
        """Notes every option that no getter asked for."""
        for key in self._raw:
            if key not in self._known:
                allowed = ", ".join(dict.fromkeys(self._known))
                near = nearest(str(key), self._known)
                self.problem(key, f"has no option {_shown(key)}; it takes {allowed}", near)


def is_number(value: Any) -> bool:
    """A finite number that is no boolean."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    try:
        return isfinite(value)
    except OverflowError:  # an integer that no float can hold
        return False


def is_count(value: Any) -> bool:
    """A whole number from 0 on."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def is_name(value: Any) -> bool:
    """A string that may name a member."""
    return isinstance(value, str) and flaw(value) is None


def is_names(value: Any) -> bool:
    """A list of different names."""
    return isinstance(value, list) and all(map(is_name, value)) and len(set(value)) == len(value)


def listed(names: Iterable[str]) -> str:
    """Names for a sentence."""
    return ", ".join(repr(name) for name in names)


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else text[:37] + "..."
