"""Explanations: every step of a decision with its reason, for people and for programs.

The steps are those of `Route.choose`, taken one at a time, and the end is what `choose` itself returns or raises, so an
explanation cannot differ from what happens.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from stepdown.decide import spec
from stepdown.decide.colours import told
from stepdown.decide.conditions import match_condition
from stepdown.decide.cookies import Visitor
from stepdown.decide.digests import Digests
from stepdown.decide.explanation import Alternative, Explanation, FlagTold, Override, Refusal
from stepdown.decide.facts import Facts
from stepdown.decide.pins import HEADER
from stepdown.decide.slots import hash_of, slot_of
from stepdown.decide.view import FlagAnswer, View
from stepdown.errors import StepdownError

if TYPE_CHECKING:
    from stepdown.decide.flag_view import FlagArms
    from stepdown.decide.overrides import Verdict
    from stepdown.decide.route import Route
    from stepdown.decide.rules import Rule


def explain(  # noqa: PLR0917 - the arguments of `Route.choose`
    route: Route,
    facts: Facts,
    params: tuple[bytes, ...],
    body: bytes | None,
    client: str,
    ready: Sequence[bool],
    draw: Callable[..., int],
    visitor: Visitor | None,
    verdict: Verdict | None = None,
) -> Explanation:
    """Explain what `route.choose` does with the same arguments; a refusal is part of the explanation, not raised.

    `verdict` is what became of an override, where the request has one.
    """
    seen: dict[str, Any] = {
        "route": route.name,
        "model": route.model.name,
        "match": str(match_condition(route.spec.match, Digests())),
        "params": {name: _text(value) for name, value in zip(route.param_names, params, strict=False)},
    }
    try:
        pin, source = route.pinned(facts, params)
        seen["pin_source"] = source
        seen["pin_value"] = _pin_value(route, facts, params, source)
        seen["passed_over"] = tuple(_passed_over(route, facts))
        rule = route.rule_for(facts, client)
        seen |= {"rule": rule.name, "condition": str(rule.condition), "split": rule.split}
        if rule.spec.colours is not None:
            seen["colour"] = rule.spec.colours.active
            seen["colours"] = told(rule.spec.colours, tuple(version for version, _ in rule.split))
        if rule.spec.walked is not None:
            seen["rollout"], seen["walked"] = rule.spec.walked.rollout, rule.spec.walked.told or None
        if rule.spec.flag is not None:
            seen["by_flag"], seen["variants"] = rule.spec.flag.flag, rule.spec.flag.versions
            seen["flag_default"] = rule.spec.flag.default
        if verdict is not None:
            seen["override"] = Override(verdict.asked, verdict.ruling, verdict.detail, verdict.holder or None)
            if verdict.error is not None:
                raise verdict.error
        overridden = verdict.choice if verdict is not None else None
        seen["salt"] = rule.salt
        found = route.key(facts, body, client, visitor)
        drawn = 0 if found is not None else draw() if rule.rotation is None else draw(rule.rotation)
        if overridden is not None:
            seen["alternatives"] = tuple(_alternatives(route, rule, overridden.pinned, ready))
        elif source == "default" or route.spec.pin == "shape":
            seen["pinned"] = rule.shape(pin)
            seen["alternatives"] = tuple(_alternatives(route, rule, seen["pinned"], ready))
            if rule.flag is not None:
                seen |= _flag(route, rule.flag, found, facts)
            else:
                seen |= _slot(route, rule, found, drawn)
                seen |= _cookie(rule, visitor)
        choice = overridden or route.choose(facts, params, body, client, ready, lambda _turns=None: drawn, visitor)
        seen |= {
            "pinned": choice.pinned,
            "assigned": choice.assigned,
            "served": choice.served,
            **_servers(route.model.versions[choice.served].colours),
            "reason": choice.reason,
            "evidence": choice.evidence,
            "chain": tuple(_step(step) for step in choice.chain.steps) if choice.chain else (),
            "chain_why": (choice.chain.why or None) if choice.chain else None,
        }
    except StepdownError as error:
        seen["refusal"] = Refusal(error.code, error.problem, error.detail)
    if isinstance(facts, View):
        answers = facts.answered.items()
        seen["flags"] = tuple(_told(flag, answer) for flag, answer in answers)
    return Explanation(**seen)


def _servers(colours: spec.Colours | None) -> dict[str, str]:
    """Whose endpoints answer, where those of the served version have colours."""
    return {"server_colour": colours.active, "server_colours": told(colours)} if colours is not None else {}


def _pin_value(route: Route, facts: Facts, params: tuple[bytes, ...], source: str) -> str | None:
    if source == "path":
        return _text(params[route.param_names.index(route.spec.version_param or "")])
    value = facts.get(HEADER)
    return _text(value) if source == "header" and value is not None else None


def _passed_over(route: Route, facts: Facts) -> Iterator[str]:
    for rule in route.rules:
        wanted = rule.condition.failed(facts)
        if wanted is None:
            return
        yield f"{rule.name}: wants that {wanted}"


def _slot(route: Route, rule: Rule, found: tuple[int, bytes] | None, drawn: int) -> dict[str, Any]:
    if found is not None:
        place, key = found
        salted = rule.prefixes[place] + key
        slot, labels = slot_of(salted), route.labels[:place]
        arm = rule.table[slot]
        seen = {"key_source": route.labels[place], "key": _text(key), "hash": hash_of(salted), "slot": slot}
    elif rule.rotation is None:
        labels, arm = route.labels, rule.table[drawn]
        seen = {"key_source": "none", "slot": drawn}
    else:
        labels, arm = route.labels, rule.rotation.arm(drawn)
        seen = {"key_source": "none", "turn": drawn}
    return seen | {"keys_missing": labels, "assigned": rule.split[arm][0]}


def _flag(route: Route, flag: FlagArms, found: tuple[int, bytes] | None, facts: Facts) -> dict[str, Any]:
    """Whose request it is, where the flag asks; the version that it gives is in the choice."""
    assert isinstance(facts, View)
    facts.flag(flag.name)
    if not flag.by_key or found is None:
        return {"key_source": "none", "keys_missing": route.labels if flag.by_key else ()}
    place, key = found
    return {"key_source": route.labels[place], "key": _text(key), "keys_missing": route.labels[:place]}


def _told(flag: str, answer: FlagAnswer) -> FlagTold:
    return FlagTold(flag, answer.variant, answer.reason, answer.error, answer.message)


def _cookie(rule: Rule, visitor: Visitor | None) -> dict[str, Any]:
    if visitor is None:
        return {}
    kept = rule.drained.get(visitor.record)
    seen: dict[str, Any] = {"cookie": "new" if visitor.is_new else "signed"}
    return seen if kept is None else seen | {"cookie": "kept", "assigned": rule.split[kept][0]}


def _alternatives(route: Route, rule: Rule, pinned: str, ready: Sequence[bool]) -> Iterator[Alternative]:
    weights = dict(rule.split)
    named = dict.fromkeys(version for one in (rule, *route.rules) for version in spec.versions_of(one.spec))
    gone = {one.version: one.rollout for one in rule.spec.walked.taken_back} if rule.spec.walked is not None else {}
    for version in (*named, *gone):
        reaches = route.model.reaches(version, pinned)
        chain = route.model.chain(version, pinned) if reaches else None
        steps = len(chain.steps) if chain else 0
        why_not = route.model.why_not(version, pinned)
        up = ready[route.model.index(version)]
        by = gone.get(version, "")
        yield Alternative(version, weights.get(version, 0), reaches, up, steps, why_not, by)


def _step(step: spec.Step) -> str:
    return f"{step.source} -> {step.target} ({step.kind}{' at ' + step.where if step.where else ''})"


def _text(value: bytes) -> str:
    return value.decode("utf-8", "backslashreplace")
