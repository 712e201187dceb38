"""Rollouts of a running sidecar as tables and sentences, of what its admin API says of them (`rollout.members`)."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence

from stepdown.cli.rollout_client import View
from stepdown.cli.rollout_output import rate
from stepdown.cli.summary import Row, Table
from stepdown.rollout import sentences

IN_TROUBLE = {"rolled back", "inconclusive", "frozen", "blind"}
"""Phases in which somebody should look at it."""
STYLES = {
    "pending": "dim",
    "stepping": "cyan",
    "gated": "yellow",
    "paused": "yellow",
    "inconclusive": "yellow",
    "frozen": "red",
    "blind": "red",
    "promoted": "green",
    "aborted": "red",
    "rolled back": "red",
}
STEP_STYLES = {"passed": "green", "now": "bold cyan", "taken back": "red", "to come": "dim", "skipped": "dim"}
VERDICT_STYLES = {"ok": "green", "needs-more": "yellow", "inconclusive": "yellow", "rollback": "red"}
STORES = {
    "lost": "Warning: its state cannot be stored, so nothing advances.",
    "missing": "There is no state of it: it was never started, or its state is gone.",
    "none": "Warning: the file names no place for its state (`state`), so it cannot be driven.",
}


def in_trouble(view: View) -> bool:
    """Whether somebody should look at it."""
    return view["phase"] in IN_TROUBLE or view["store"]["state"] == "lost"


def overview(views: Sequence[View]) -> Table:
    """Each rollout in a line."""
    head: Row = ("rollout", "rule", "versions", "phase", "step", "weight", "E", "waits for")
    return Table("rollouts", (head, *(_in_a_line(view) for view in views)))


def _in_a_line(view: View) -> Row:
    known = view["evidence"]
    return (
        view["name"],
        f"{view['route']}/{view['rule']}",
        f"{view['stable']} -> {view['candidate']['version']}",
        view["phase"],
        f"{view['step']} of {view['steps']}",
        _has(view),
        f"{evidence(known['e'])} of {evidence(known['level'])}" if known is not None else "",
        "; ".join(view["waits_for"]) or "-",
    )


def headline(view: View) -> str:
    """Who for whom, and where."""
    run = f", run {view['run']}" if view["run"] else ""
    return f"{view['name']}: {view['candidate']['version']} for {view['stable']} on {view['route']}/{view['rule']}{run}"


def standing(view: View) -> str:
    """The phase, the step and the weight in one sentence."""
    if not view["step"]:
        return f"{view['phase']}: {view['candidate']['version']} has nothing"
    if view["ended"] or view["phase"] == "pending":
        return f"{view['phase']}: {view['candidate']['version']} has {sentences.weight(view['weight'])}"
    return f"{view['phase']} at step {view['step']} of {view['steps']} ({_has(view)})"


def _has(view: View) -> str:
    """What the candidate has, and of whom while a step for a segment lasts."""
    segments = (one["segment"] for one in view["ladder"] if one["number"] == view["step"] and not view["ended"])
    return sentences.audience(view["weight"], next(segments, None))


def tables(view: View) -> list[Table]:
    """The ladder, and what guards say."""
    found = [_ladder(view)]
    if view["guards"]:
        known = view["evidence"]
        together = f": E = {evidence(known['e'])} of {evidence(known['level'])}" if known is not None else ""
        found.append(Table(f"guards{together}", (_GUARDS, *(_guard(one) for one in view["guards"]))))
    return found


_GUARDS: Row = ("guard", "verdict", "E", "acts at", "candidate", "stable", "ratio or rate", "needs still")


def _ladder(view: View) -> Table:
    head: Row = ("step", "weight", "state", "units of both", "time", "E")
    return Table("ladder", (head, *(_step(one) for one in view["ladder"])))


def _step(step: View) -> Row:
    copies = f", {sentences.weight(step['shadow'])} copied" if step["shadow"] else ""
    units = step["units"]
    counted = units["candidate"] + units["stable"]
    spent = f"{sentences.duration(step['seconds'])} of " if step["seconds"] is not None else ""
    return (
        str(step["number"]),
        f"{sentences.audience(step['weight'], step['segment'])}{copies}",
        step["state"] + (", by hand" if step["manual"] and step["state"] in {"now", "to come"} else ""),
        f"{units['candidate']:,} and {units['stable']:,}" if counted else "",
        f"{spent}{sentences.duration(step['least_seconds'])}",
        evidence(step["e"]) if step["e"] is not None else "",
    )


def _guard(guard: View) -> Row:
    return (
        guard["name"],
        guard["verdict"],
        evidence(guard["e"]) if guard["e"] is not None else "",
        evidence(guard["level"]) if guard["level"] is not None else "",
        _counted(guard, "candidate"),
        _counted(guard, "stable"),
        _interval(guard),
        f"{guard['missing']:,}" if guard["missing"] is not None else "",
    )


def _counted(guard: View, arm: str) -> str:
    measured = guard["measured"]
    if measured is not None:
        if arm == "stable":
            return ""
        return f"{measured['successful']} well, {measured['failed']} failed, {measured['inconclusive']} neither"
    events = guard["events"][arm] if guard["events"] is not None else None
    return f"{events:,} of {guard['trials'][arm]:,}" if events is not None else ""


def _interval(guard: View) -> str:
    """`0.8 to 3.1`: the ratio of both rates; `0.1 to 2 %`: the candidate's."""
    found = guard["interval"]
    if found is None:
        return ""
    if found["of"] == "rate":
        return f"{rate(found['low'])} to {rate(found['high'])} (limit {rate(guard['limit'])})"
    high = f" to {found['high']:.3g}" if found["high"] is not None else " and more"
    return f"{found['low']:.3g}{high}"


def lines(view: View) -> list[str]:
    """What there is to say besides the tables."""
    said = [f"Last: {full(view['said'])}"] if view["said"] else []
    if view["waits_for"]:
        said.append(f"Waits for: {'; '.join(view['waits_for'])}.")
    if estimate := estimated(view):
        said.append(estimate)
    said.extend(
        f"In quarantine: {one['version']} (endpoints {one['endpoints'][:12]}), until a person starts it again."
        for one in view["quarantine"]
    )
    if view["cool_down"]:
        said.append(f"Cool-down: {sentences.duration(view['cool_down'])} left.")
    if view["running"] and view["ready"] < view["min_ready"]:
        said.append(
            f"Stable has {view['ready']} of {view['min_ready']} endpoints ready: no more than 50 % until it has."
        )
    if view["running"] and view["applied"] != view["weight"]:
        said.append(f"This sidecar's workers still have {sentences.weight(view['applied'])}.")
    store = view["store"]
    if store["state"] != "ok":
        said.append(STORES[store["state"]])
    elif not store["leads"]:
        said.append(f"{store['holder'] or 'Nobody, as far as is known,'} decides; this sidecar follows.")
    said.extend(f"Differs from the file: {one}." for one in view["differs"])
    return said


def estimated(view: View) -> str:
    """How long it takes still, if it is known."""
    found = view["estimate"]
    if found["requests"] is None:
        return ""
    requests = f"{sentences.number(found['requests'])} more requests" if found["requests"] else ""
    if found["seconds"] is None:
        return f"This step needs {requests}; at which rate they come is not known yet."
    whole = f"; all steps {sentences.duration(found['ladder_seconds'])}" if found["ladder_seconds"] is not None else ""
    if not found["seconds"]:
        return f"This step needs nothing more but the end of its window{whole}."
    if not requests:
        return f"This step needs about {sentences.duration(found['seconds'])} more{whole}."
    return f"This step needs about {sentences.duration(found['seconds'])}: {requests}, at {found['rate']:.3g}/s{whole}."


def one_line(view: View) -> str:
    """Where it stands and what it waits for, for logs."""
    known = view["evidence"]
    parts = [standing(view)]
    if known is not None and not view["ended"]:
        parts.append(f"E = {evidence(known['e'])} of {evidence(known['level'])}")
    units = view["ladder"][view["step"] - 1]["units"] if 0 < view["step"] <= len(view["ladder"]) else None
    if units is not None and view["running"]:
        parts.append(f"{units['candidate']:,} units of {units['candidate'] + units['stable']:,}")
    if view["waits_for"]:
        parts.append(f"waits for {'; '.join(view['waits_for'])}")
    return ", ".join(parts)


def full(sentence: str) -> str:
    """With its full stop."""
    return sentence if sentence.endswith((".", "!", "?")) else f"{sentence}."


def evidence(e: float) -> str:
    """E as it stands in sentences."""
    return sentences.evidence(math.log(e)) if e > 0 else "0"


def moment(at: float) -> str:
    """A time, to the second."""
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(at))
