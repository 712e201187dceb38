"""What `stepdown rollout simulate` and `plan` suppose: requests a second, events a request, and effects on them."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence
from typing import NamedTuple, NoReturn

import typer

from stepdown.config.findings import listed, nearest_name
from stepdown.decide.rollout_spec import Ceiling, Rollout, Share, Threshold
from stepdown.rollout import sentences

EXIT_UNUSABLE = 2
USUAL = {
    "errors": 0.001,
    "client_errors": 0.01,
    "timeouts": 0.0005,
    "adapter_failures": 0.0005,
    "contract_violations": 0.0005,
    "stream_errors": 0.001,
    "slow": 0.01,
    "shadow_different": 0.001,
}
"""Events a request that a healthy service has, where the command line says nothing else."""
USUAL_EVENT = 0.04
_SECONDS = {"s": 1.0, "min": 60.0, "h": 3600.0, "d": 86_400.0}
_RATE = re.compile(r"(\d+(?:\.\d+)?)(k|M)?/(s|min|h|d)")
_SIZES = {None: 1.0, "k": 1e3, "M": 1e6}
_EFFECT = re.compile(r"(?P<sign>[+-])?(?P<times>x)?(?P<number>\d+(?:\.\d+)?)(?P<unit>%|pp)?")
_SMALL = 0.1
"""A rise by less than this part of something that is rarer still is most likely meant in points."""


def unmeasured(rollout: Rollout) -> str:
    """What is not tried of a rollout: made-up traffic has no values for threshold guards."""
    left = [guard.name for guard in rollout.guards if isinstance(guard, Threshold)]
    if not left:
        return ""
    return f"Left out, since what they measure is no traffic that could be made up: {', '.join(left)}."


def of_segments(rollout: Rollout) -> str:
    """What is made up of steps for segments: the rate is one number."""
    segments = dict.fromkeys(step.segment for step in rollout.steps if step.segment is not None)
    if not segments:
        return ""
    return f"Steps for a segment have all of the rate here, as if every request were in it: {', '.join(segments)}."


def of_contracts(share: float) -> str:
    """What is made up of broken contracts, where live only a `share` of the answers is looked at."""
    if share >= 1:
        return ""
    looked_at = f"Live, {sentences.percent(share)} of the answers are held against contracts (more with `validate`)"
    return f"{looked_at}: broken ones take {1 / share:.3g} times as many."


class Supposed(NamedTuple):
    """Events a request of one guard's kind."""

    guard: str
    kind: str
    must_not: str
    stable: float
    candidate: float


def per_second(text: str) -> float:
    """Requests a second of `200/s`, `12k/min`, `1.5M/d`."""
    found = _RATE.fullmatch(text)
    value = float(found[1]) * _SIZES[found[2]] / _SECONDS[found[3]] if found else 0.0
    if not value:
        give_up(f"--rate {text}: allowed requests in a time, such as 200/s, 12k/min or 1.5M/d")
    return value


def supposed(rollout: Rollout, stable: Sequence[str], effects: Sequence[str], option: str) -> list[Supposed]:
    """One for each guard that counts events, with what the options (`stable`, and effects of `option`) say of it."""
    guards = [one for one in rollout.guards if isinstance(one, Share | Ceiling)]
    names = [one.name for one in guards]
    left_out = [one.name for one in rollout.guards if isinstance(one, Threshold)]
    base = {name: _share(f"--stable {name}={text}", text) for name, text in _pairs("--stable", stable, names, left_out)}
    changed = dict(_pairs(option, effects, names, left_out))
    found = []
    for guard in guards:
        rate = base.get(guard.name, USUAL.get(guard.kind, USUAL_EVENT))
        text = changed.get(guard.name)
        candidate = rate if text is None else _changed(f"{option} {guard.name}={text}", text, rate)
        found.append(Supposed(guard.name, guard.kind, getattr(guard, "must_not", "rise"), rate, candidate))
    return _of_one_kind(found, base, changed, option)


def _of_one_kind(
    found: Sequence[Supposed], base: Mapping[str, float], changed: Mapping[str, str], option: str
) -> list[Supposed]:
    """Guards that count the same thing see the same, whichever of them was named."""
    said = {one.kind: one for one in found}
    for one in found:
        known = said[one.kind]
        if one.guard in base and known.guard in base and base[one.guard] != base[known.guard]:
            give_up(f"--stable: {one.guard} and {known.guard} count the same thing; allowed one of them")
        if one.guard in changed and known.guard in changed and one.candidate != known.candidate:
            give_up(f"{option}: {one.guard} and {known.guard} count the same thing; allowed one of them")
        if one.guard in base or one.guard in changed:
            said[one.kind] = one
    return [one._replace(stable=said[one.kind].stable, candidate=said[one.kind].candidate) for one in found]


def _pairs(option: str, given: Sequence[str], names: Sequence[str], left_out: Sequence[str]) -> list[tuple[str, str]]:
    pairs = []
    for text in given:
        name, equals, value = text.partition("=")
        if not equals or not value:
            give_up(f"{option} {text}: allowed GUARD=VALUE")
        if name in left_out:
            give_up(f"{option} {text}: {name} is a threshold guard, and what it measures cannot be made up")
        if name not in names:
            near = nearest_name(name, names)
            meant = f'; did you mean "{near}"?' if near else ""
            give_up(f'{option} {text}: found "{name}"; allowed a guard of the rollout: {listed(names)}{meant}')
        pairs.append((name, value))
    return pairs


def _share(option: str, text: str) -> float:
    found = _EFFECT.fullmatch(text)
    if found is None or found["sign"] or found["times"] or found["unit"] == "pp":
        give_up(f"{option}: allowed events a request, such as 4% or 0.04")
    value = float(found["number"]) / (100 if found["unit"] else 1)
    if not 0 <= value < 1:
        give_up(f"{option}: allowed events a request, from 0 to less than 1 (100%)")
    return value


def _changed(option: str, text: str, rate: float) -> float:
    """The candidate's rate: `-25%` of stable's, `x10` times it, `+0.9pp` more, or `1%` whatever stable's is."""
    found = _EFFECT.fullmatch(text)
    allowed = "a change (-25%), a factor (x10), points (+0.9pp), or the candidate's rate itself (1%)"
    signed = found is not None and bool(found["sign"])
    if found is None or (found["times"] and (signed or found["unit"])) or (found["unit"] == "pp" and not signed):
        give_up(f"{option}: allowed {allowed}")
    if signed and not found["unit"]:
        give_up(f"{option}: allowed {allowed}")
    number = float(found["number"])
    change = -number if found["sign"] == "-" else number
    if found["times"]:
        value = rate * number
    elif found["unit"] == "pp":
        value = rate + change / 100
    elif signed:
        value = rate * (1 + change / 100)
        if rate < change / 100 < _SMALL:
            print(
                f"{option}: makes {100 * value:.4g} % of {100 * rate:.4g} %, as a part of it; for points write"
                f" {found['sign']}{found['number']}pp",
                file=sys.stderr,
            )
    else:
        value = number / (100 if found["unit"] else 1)
    if not 0 <= value < 1:
        give_up(f"{option}: makes a rate of {100 * value:.4g} %; allowed one from 0 to less than 100 %")
    return value


def give_up(message: str) -> NoReturn:
    """End with what cannot be used."""
    print(message, file=sys.stderr)
    raise typer.Exit(EXIT_UNUSABLE)
